"""The daemon of this user that runs: finding its process, ending it, and who has started it."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from anyond.cli.frame.exit_codes import ExitCode
from anyond.cli.frame.failures import CommandFailed
from anyond.cli.frame.session import Session

if TYPE_CHECKING:
    from anyond.host.daemon_file import DaemonFile

_STOP_S = 40.0
_LOOK_S = 0.05


def daemon_file() -> DaemonFile | None:
    """Read what the daemon that runs says about itself; None if none runs."""
    from anyond.host.app_paths import AppPaths
    from anyond.host.daemon_file import DaemonFile

    return DaemonFile.read(AppPaths.of().daemon_file)


def running_daemon(session: Session) -> DaemonFile:
    """The daemon of this user that answers, unless a service manager has started it.

    Raises:
        ClientError: none answers.
        CommandFailed: it is not ours to stop.
    """
    from anyond.api import health

    if session.url is not None or os.environ.get("ANYON_URL"):
        raise CommandFailed(
            "Only the daemon of yours on this machine can be stopped, without --url and ANYON_URL.",
            ExitCode.USAGE,
            "usage",
        )
    with session.client() as client:
        # One that answers is the process in the file, and not somebody who has its number now.
        client.call(health.CHECK_HEALTH, timeout_s=10.0)
    file = daemon_file()
    if file is None:
        raise CommandFailed("No daemon is running.", ExitCode.NO_DAEMON, "no_daemon")
    unit = unit_of(file.pid)
    if unit is not None:
        raise CommandFailed(
            f"systemd has started it as {unit}: `anyon service restart`, or"
            f" `systemctl --user stop {unit}`.",
            ExitCode.REFUSED,
            "managed",
        )
    return file


def stop_running(session: Session) -> int:
    """Have the daemon end, and wait for that; its process id. Raises as `running_daemon`."""
    pid = running_daemon(session).pid
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_S
    while is_alive(pid):
        if time.monotonic() > deadline:
            raise CommandFailed(
                f"The daemon (process {pid}) does not end.", ExitCode.TIME_IS_UP, "time_is_up"
            )
        time.sleep(_LOOK_S)
    return pid


def is_alive(pid: int) -> bool:
    """Return whether a process lives; one that has ended and waits for its parent does not."""
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def arguments_of(pid: int) -> Sequence[str]:
    """The arguments after `serve` in its command line."""
    import psutil

    try:
        line: list[str] = psutil.Process(pid).cmdline()
    except psutil.Error:
        return ()
    return line[line.index("serve") + 1 :] if "serve" in line else ()


def unit_of(pid: int) -> str | None:
    """The unit of systemd that a process belongs to, if that is a service of Anyon."""
    if sys.platform != "linux":
        return None
    try:
        groups = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8")
    except OSError:
        return None
    last = groups.strip().rpartition("/")[2]
    return last if last.startswith("anyon") and last.endswith(".service") else None
