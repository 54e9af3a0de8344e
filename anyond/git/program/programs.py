"""Settings that make git run a program, and their replacements when they are not to hold.

Args of the functions here are keys as `git config --list` spells them: section and name are
lowercase, what is between is as it was written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

Scope = Literal["person", "repository", "worktree"]
"""Whose a setting is: the person's own (or the machine's), the repository's for all its checkouts,
or that of one checkout."""


class Setting(Struct, frozen=True):
    """One line of configuration.

    Args:
        scope: whose it is.
        origin: the file that it is in, or something else if it is in none.
        key: its name.
        value: what it says; "true" if it only stands there.
    """

    scope: Scope
    origin: str
    key: str
    value: str


# Git's own names for what it runs end in few ways, and new ones follow them.
_PROGRAM = re.compile(
    r"(.*command|.*cmd|.*program|.*hook|hookspath|driver|clean|smudge|process|textconv|helper"
    r"|editor|pager|external|fsmonitor|vcs|gitproxy|askpass|uploadpack|receivepack|difffilter"
    r"|tunnel|standalonetransferagent)"
)
# What chooses which of them is run, or brings other files in.
_CHOICE = {"core.attributesfile"}
_SECTIONS = {"include", "includeif", "pager", "hook", "url", "protocol"}
_PATHS = re.compile(
    r"(difftool|mergetool|man|browser|guitool|lfs\.customtransfer)\..+\.(path|args)"
)
_NETWORK = re.compile(r"(https?|ssh|git)://|[A-Za-z0-9._~-]+@?[A-Za-z0-9._-]*:(?![/\\]{2}|:)", re.I)

_SIGNING = ("commit.gpgsign", "tag.gpgsign", "push.gpgsign")
_SCHEMES = {"http": "always", "https": "always", "git": "always", "ssh": "always", "file": "user"}
_NEUTRAL = {
    "core.hookspath": os.devnull,
    "core.attributesfile": os.devnull,
    "core.fsmonitor": "false",
    "core.sshcommand": "ssh",
    "core.pager": "cat",
    "core.editor": "true",
    "sequence.editor": "true",
    "gpg.program": "gpg",
    "gpg.openpgp.program": "gpg",
    "gpg.x509.program": "gpgsm",
    "gpg.ssh.program": "ssh-keygen",
}
_NEUTRAL_BY_NAME = {
    # An empty driver would do nothing and call that merged.
    "driver": "git merge-file --marker-size=%L %A %O %B",
    "uploadpack": "git-upload-pack",
    "receivepack": "git-receive-pack",
    "update": "none",
}


def runs_programs(key: str, value: str) -> bool:
    """Return whether a setting decides which programs git runs."""
    section, name = key.partition(".")[0], key.rpartition(".")[2]
    if key == "core.fsmonitor" and value.lower() in {"true", "false", "yes", "no", "1", "0", ""}:
        return False  # that of git itself
    if section == "alias" or name == "update":
        return value.startswith("!")
    if section == "remote" and name in {"url", "pushurl"}:
        # A repository on this disk has hooks of its own, and `ext::` is a command.
        return _NETWORK.match(value) is None
    if _is_push_place(section, name):
        # An address is as good as a name there; a name with a slash is taken for one.
        return ("/" in value or "::" in value) and _NETWORK.match(value) is None
    if section == "filter" or key in _CHOICE or section in _SECTIONS:
        return True
    return _PROGRAM.fullmatch(name) is not None or _PATHS.fullmatch(key) is not None


def _is_push_place(section: str, name: str) -> bool:
    return (section == "branch" and name in {"remote", "pushremote"}) or (
        section == "remote" and name == "pushdefault"
    )


def neutral(key: str) -> str:
    """The value with which a setting that runs programs runs none but git's own."""
    name = key.rpartition(".")[2]
    if key.startswith("protocol."):
        return _SCHEMES.get(key.removeprefix("protocol.").removesuffix(".allow"), "never")
    if name == "required":
        return "false"
    return _NEUTRAL.get(key) or _NEUTRAL_BY_NAME.get(name, "")


def instead(settings: Iterable[Setting]) -> tuple[tuple[str, str], ...]:
    """Return settings with which git runs only programs that the person has set up for themselves.

    Args:
        settings: all that hold, in git's order.

    Returns:
        Keys and values, for the command line.
    """
    listed = [*settings]
    own: dict[str, list[str]] = {}
    for setting in listed:
        if setting.scope == "person":
            own.setdefault(setting.key, []).append(setting.value)
    overrides: dict[str, str] = {"core.hookspath": _last(own, "core.hookspath")}
    helpers = False
    for setting in listed:
        key = setting.key
        if setting.scope == "person" or not runs_programs(key, setting.value):
            continue
        section, name = key.partition(".")[0], key.rpartition(".")[2]
        if section == "credential" and name == "helper":
            helpers = True
        elif section in {"include", "includeif", "alias"}:
            continue  # what they bring is listed for itself; aliases are never called
        elif _is_push_place(section, name) or (
            section in {"url", "remote"} and name not in {"uploadpack", "receivepack", "vcs"}
        ):
            # There is no taking back an address, but what it leads to.
            overrides["protocol.file.allow"] = overrides["protocol.ext.allow"] = "never"
        elif key == "protocol.allow" and key not in own:
            overrides |= {f"protocol.{scheme}.allow": how for scheme, how in _SCHEMES.items()}
            overrides[key] = "never"
        else:
            overrides.setdefault(key, _last(own, key))
        if section == "filter":
            for part in ("clean", "smudge", "process", "required"):
                whole = f"{key.rpartition('.')[0]}.{part}"
                overrides.setdefault(whole, _last(own, whole))
    if any(key.startswith("gpg.") for key in overrides):
        # Who would sign is not known any more, and a signature that fails would cost the commit.
        overrides |= {key: own[key][-1] if key in own else "false" for key in _SIGNING}
    pairs = [*overrides.items()]
    if helpers:
        pairs += _helpers(listed)
    return tuple(pairs)


def _helpers(settings: Sequence[Setting]) -> list[tuple[str, str]]:
    """The person's own credential helpers: an empty one makes git forget those before it."""
    isolated = [
        s for s in settings if s.key.endswith(".helper") and s.key.startswith("credential.")
    ]
    forget = [(s.key, "") for s in isolated if s.scope != "person"]
    return [*dict.fromkeys(forget), *((s.key, s.value) for s in isolated if s.scope == "person")]


def _last(own: dict[str, list[str]], key: str) -> str:
    found = own.get(key)
    return found[-1] if found else neutral(key)
