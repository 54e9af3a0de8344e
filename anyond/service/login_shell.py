"""The PATH that the person's login shell has, for a daemon that no terminal has started."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from anyond.shim.script_shell import read_profile, shell_of

_FIRST_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
"""What a shell starts with before it reads its profile."""

_GOES_ALONG = ("HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "XDG_RUNTIME_DIR")


class LoginPath(NamedTuple):
    """The directories in which programs are looked up.

    Args:
        path: as in PATH; absolute directories only, each once.
        shell: the program that was asked; None if nothing came of it.
        remark: a sentence about what did not go as it should; empty if all did.
    """

    path: str
    shell: str | None
    remark: str = ""


def login_path(environ: Mapping[str, str] | None = None) -> LoginPath:
    """Ask the login shell, as a new terminal would start it; half a minute at most. Blocking.

    A profile that does not come to an end is asked for without the interactive part; if that is
    of no use either, the present PATH is taken.

    Args:
        environ: in place of the environment of this process. Little of it goes on to the shell,
            so that an environment that is active just now is not in PATH for ever.
    """
    environ = os.environ if environ is None else environ
    own = _cleaned(environ.get("PATH", ""))
    # That of the account first: SHELL may be what somebody tries out just now.
    shell = shell_of({}) or shell_of(dict(environ))
    if shell is None:
        return LoginPath(own, None, "You have no login shell, so PATH is the present one.")
    given = {name: environ[name] for name in _GOES_ALONG if name in environ}
    given |= {"SHELL": shell, "PATH": _FIRST_PATH, "TERM": "dumb"}
    remark = ""
    for how in ("terminal", "login"):
        profile = read_profile(shell, how, given)
        path = "" if profile is None else _cleaned(os.fsdecode(profile.environ.get(b"PATH", b"")))
        if path:
            return LoginPath(path, shell, remark)
        remark = (
            f"{shell} did not come to an end as in a terminal, so PATH is what it has without one."
        )
    remark = f"{shell} did not come to an end with its profile, so PATH is the present one."
    return LoginPath(own, None, remark)


def _cleaned(path: str) -> str:
    """Without what is no absolute directory's name, and without repetitions."""
    parts = [part for part in path.split(":") if part.startswith("/") and part.isprintable()]
    return ":".join(dict.fromkeys(parts))
