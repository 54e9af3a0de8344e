"""Telling a remote that ssh did not reach from one that refused: by its exit, and by what is there.

Git hands on what ssh says, in whatever language, and not how it ended. So git is given a script
that runs the person's ssh and writes its exit status down. OpenSSH ends with 255 if it failed
itself, and else as the other side did. If it says nothing that is known of a host that it cannot
reach, whether somebody is there is tried out.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import trio
from msgspec import Struct

from anyond.git.program.environment import environment
from anyond.git.program.process import run
from anyond.git.repo.remotes import Remote, setting
from anyond.model.refusals.programs import ToolFailed

_OWN_FAILURE = 255
_NOT_RUN = (126, 127)
_GREETING = b"SSH-"
_ASKED_S = 10.0
_TRIED_S = 5.0
_MOST_LINES_BEFORE = 50
"""A server may say something before it greets (RFC 4253, 4.2)."""

_NOBODY_THERE = (
    "Could not resolve",
    "Name or service not known",
    "name resolution",
    "Connection refused",
    "Connection reset",
    "Connection closed",
    "Network is unreachable",
    "No route to host",
    "kex_exchange_identification",
)
_VARIANTS = {"ssh": "ssh", "plink": "plink", "tortoiseplink": "tortoiseplink"}


class Ssh(Struct, frozen=True):
    """The run of ssh for one command of git's.

    Args:
        command: the person's, for a shell.
        variant: which program that is, as far as git can tell by its name.
        status: the file that will have its exit status.
        env: what git is told.
    """

    command: str
    variant: str | None
    status: Path
    env: dict[str, str]


async def prepare(worktree: Path, remote: Remote, private: Path) -> Ssh | None:
    """Return what git needs to have the exit status of ssh written down; None if it is not used.

    Args:
        private: an empty directory that stays as long as git is at work.
    """
    if remote.push_address.scheme != "ssh":
        return None
    program = os.environ.get("GIT_SSH")
    command = (
        os.environ.get("GIT_SSH_COMMAND")
        or await setting(worktree, "core.sshCommand")
        or (shlex.quote(program) if program else "ssh")
    )
    status, script = private / "ssh-status", private / "ssh"
    # No name that comes from outside is in here but in what a shell would be told anyway.
    # Names of files need not be text.
    text = (
        f'{command} "$@"\nended=$?\necho $ended > {shlex.quote(os.fspath(status))}\nexit $ended\n'
    )
    script.write_bytes(os.fsencode(text))
    env = {"GIT_SSH_COMMAND": f"sh {shlex.quote(os.fspath(script))}"}
    variant = _variant(command)
    chosen = os.environ.get("GIT_SSH_VARIANT") or await setting(worktree, "ssh.variant")
    if not chosen and variant is not None:
        env["GIT_SSH_VARIANT"] = variant  # by the name of the script, git would not know
    return Ssh(command, variant, status, env)


async def was_refused(ssh: Ssh, remote: Remote, output: str) -> bool | None:
    """Return whether the other side was reached, and refused; None if ssh is not what failed.

    Args:
        output: what ssh, the other side and git have said.
    """
    ended = await trio.to_thread.run_sync(_read, ssh.status)
    if ended is None or ended == 0:
        return None
    if ended in _NOT_RUN:
        return False
    if ended != _OWN_FAILURE and ssh.variant == "ssh":
        return True
    if any(words in output for words in _NOBODY_THERE):
        return False
    return await _is_there(ssh, remote) is not False


def _variant(command: str) -> str | None:
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    name = os.path.basename(words[0]).lower().removesuffix(".exe") if words else ""
    return _VARIANTS.get(name)


def _read(status: Path) -> int | None:
    try:
        return int(status.read_text())
    except (OSError, ValueError):
        return None


# ---------------------------------------------------------------- is anybody there


async def _is_there(ssh: Ssh, remote: Remote) -> bool | None:
    """Return whether a server for ssh greets where ssh would go; None if that is unknown."""
    place = await _place(ssh, remote)
    if place is None:
        return None
    try:
        with trio.fail_after(_TRIED_S):
            async with await trio.open_tcp_stream(*place) as stream:
                greeting = b""
                while greeting.count(b"\n") < _MOST_LINES_BEFORE and len(greeting) < 1 << 14:
                    if any(line.startswith(_GREETING) for line in greeting.split(b"\n")):
                        return True
                    more = await stream.receive_some(256)
                    if not more:
                        return False
                    greeting += more
                return False
    except (OSError, UnicodeError, trio.BrokenResourceError, trio.TooSlowError):
        return False


async def _place(ssh: Ssh, remote: Remote) -> tuple[str, int] | None:
    """The host and port to which ssh would connect itself."""
    address = remote.push_address
    if ssh.variant != "ssh" or not address.host or address.host.startswith("-"):
        return None
    port = ("-p", str(address.port)) if "://" in remote.push_url and address.port != 22 else ()
    words = ("sh", "-c", f'{ssh.command} "$@"', "ssh", "-G", *port, "--", address.host)
    try:
        result = await run(words, Path("/"), environment(os.environ), None, _ASKED_S)
    except ToolFailed:
        return None
    if result is None or result.code != 0:
        return None
    lines = re.findall(r"(?m)^(\w+) (\S+)", os.fsdecode(result.out))
    found = {key.lower(): value for key, value in lines}
    if any(found.get(key, "none") != "none" for key in ("proxycommand", "proxyjump")):
        return None
    number = found.get("port", "")
    if not number.isascii() or not number.isdigit() or not 0 < int(number) < 65536:
        return None
    return (found["hostname"], int(number)) if found.get("hostname") else None
