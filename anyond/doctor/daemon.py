"""Checks of the daemon that runs, if one does: its answer, version, listeners and token."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

import psutil

from anyond import __version__
from anyond.doctor.facts import Facts
from anyond.doctor.findings import Finding, Fix, Level, ok
from anyond.settings.options import is_loopback


def answers(facts: Facts) -> list[Finding]:
    """Check whether the daemon answers, and is of this command's version."""
    file = facts.daemon_file
    if file is None:
        return ok("daemon", "No daemon runs; a command that needs one starts it.")
    info, reason = facts.asked
    if info is None:
        if not psutil.pid_exists(file.pid):
            path = facts.paths.daemon_file
            return [
                Finding(
                    "daemon",
                    Level.WARN,
                    f"{path} is left over from a daemon that was killed (process {file.pid}).",
                    "The next daemon replaces it.",
                    Fix(_PutAside(path)),
                )
            ]
        sentence = f"The daemon at {file.url} (process {file.pid}) does not answer: {reason}"
        return [Finding("daemon", Level.FAIL, sentence, "`anyon service logs`, `anyon restart`.")]
    if file.version != __version__:
        sentence = f"The daemon is of version {file.version}, this command of {__version__}."
        return [Finding("daemon", Level.WARN, sentence, "`anyon restart`; agents go on.")]
    return ok("daemon", f"The daemon answers at {file.url}, version {file.version}.")


class _PutAside:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self) -> tuple[str, str]:
        other = self.path.with_name(f"{self.path.name}.stale")
        self.path.rename(other)
        return f"{self.path} is called {other.name} now.", f"mv {other} {self.path}"


def listeners(facts: Facts) -> list[Finding]:
    """Check whether only those reach the daemon who are to."""
    file = facts.daemon_file
    if file is None:
        return ok("listeners", "No daemon listens.")
    found = []
    try:
        process = psutil.Process(file.pid)
        arguments: Sequence[str] = process.cmdline()
        open_to_all = [
            f"{one.laddr.ip}:{one.laddr.port}"
            for one in process.net_connections(kind="tcp")
            if one.status == psutil.CONN_LISTEN and not is_loopback(one.laddr.ip)
        ]
    except psutil.Error:
        return ok("listeners", "The daemon's process cannot be looked at.")
    if open_to_all and not _has(arguments, "--auth", "token"):
        sentence = f"The daemon listens at {', '.join(open_to_all)} and asks for no token."
        remedy = "Start it with --auth token, or without --host."
        found.append(Finding("listeners", Level.FAIL, sentence, remedy))
    if file.url.startswith("unix:"):
        path = Path(file.url.removeprefix("unix:"))
        try:
            mode = stat.S_IMODE(os.stat(path).st_mode)
        except OSError as error:
            sentence = f"The socket {path} cannot be looked at: {error.strerror}."
            found.append(Finding("listeners", Level.FAIL, sentence, "`anyon restart`."))
        else:
            if mode & stat.S_IRWXO:
                sentence = f"Everybody may talk to the socket {path} (its mode is {mode:o})."
                found.append(Finding("listeners", Level.WARN, sentence, f"chmod 600 {path}"))
    return found or ok("listeners", f"The daemon can be reached at {file.url} only by whom it may.")


def _has(arguments: Sequence[str], option: str, value: str) -> bool:
    pairs = zip(arguments, [*arguments[1:], ""], strict=True)
    return f"{option}={value}" in arguments or (option, value) in pairs


def settings(facts: Facts) -> list[Finding]:
    """Check whether the settings can be read as they are meant."""
    _, flaws = facts.settings
    remedy = "Correct it: `anyon config edit`."
    found = [
        Finding("settings", Level.WARN, f"{flaw}.".replace("..", "."), remedy) for flaw in flaws
    ]
    return found or ok("settings", "All settings can be read.")
