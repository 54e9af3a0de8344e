"""Waiting for a daemon that a service manager starts."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

from anyond.cli.finding.daemon_process import daemon_file
from anyond.cli.frame.exit_codes import ExitCode
from anyond.cli.frame.failures import CommandFailed
from anyond.cli.frame.session import Session

if TYPE_CHECKING:
    from anyond.service.manager import Manager

_START_S = 60.0
_LOOK_S = 0.1
_LOG_LINES = 15


def served(session: Session, manager: Manager, former: int | None, address: str | None) -> str:
    """Wait until the daemon of the service answers `/health`; returns its address.

    Args:
        former: the process of the daemon before, which does not count.
        address: where the service manager listens in its place, if it does: a first request there
            starts it.

    Raises:
        CommandFailed: it does not answer in time, or it has ended; with the end of its log.
        Unavailable: the service manager does not answer.
    """
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if address is not None:
            _answers(session, f"http://{address}")
        state = manager.state()
        file = daemon_file()
        ours = file is not None and state.running and state.pid == file.pid != former
        if file is not None and ours and _answers(session, file.url):
            return file.url
        if state.words.startswith("failed"):
            break
        time.sleep(_LOOK_S)
    words = _log_end(manager)
    raise CommandFailed(
        f"The service does not answer; it is {manager.state().words}.\n{words}".rstrip(),
        ExitCode.NO_DAEMON,
        "no_daemon",
    )


def _answers(session: Session, url: str) -> bool:
    from anyond.api import health
    from anyond.client.address import find_daemon
    from anyond.client.blocking import BlockingClient
    from anyond.client.errors import ClientError

    try:
        with BlockingClient(find_daemon(url)) as client:
            client.call(health.CHECK_HEALTH, timeout_s=10.0)
    except ClientError:
        return False  # not yet; the deadline is the caller's
    return True


def _log_end(manager: Manager) -> str:
    command = manager.log_command(_LOG_LINES, follow=False)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return f"See `{' '.join(command)}`."
    return done.stdout.strip() or f"See `{' '.join(command)}`."
