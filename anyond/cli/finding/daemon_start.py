"""Starting a daemon where none runs, for a person who wants to work at once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from anyond.cli.frame.exit_codes import ExitCode
from anyond.cli.frame.failures import CommandFailed
from anyond.cli.frame.session import Session

if TYPE_CHECKING:
    from anyond.client import BlockingClient

_START_S = 30.0
_LOOK_S = 0.05
_LAST_WORDS = 2000


def ensure_daemon(session: Session) -> None:
    """Start a daemon unless one answers, or one is named; say so, and how it stays.

    Raises:
        CommandFailed: it did not start.
    """
    from anyond.client.errors import ClientError

    if session.url or os.environ.get("ANYON_URL"):
        return
    try:
        with session.client() as client:
            _greet(client)
            return
    except ClientError:
        pass  # none has left a daemon.json, or it is one of a daemon that was killed
    start(session)


def start(session: Session, options: Sequence[str] = (), *, quiet: bool = False) -> None:
    """Start a daemon of one's own, and wait until it answers. Raises as `ensure_daemon`.

    Args:
        options: those of `anyon serve`.
        quiet: whether nothing is said about it.
    """
    from anyond.host.app_paths import AppPaths

    paths = AppPaths.of()
    paths.create()
    log = paths.data_dir / "daemon.log"
    for more in (options, (*options, "--port", "0")):
        if _started(session, log, more):
            if quiet:
                return
            session.notice(
                f"No daemon was running, so one was started; its log is {log}.\n"
                "To have one from login on: `anyon service install`. To stop this one:"
                " `anyon stop-daemon`; agents go on."
            )
            return
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - _LAST_WORDS))
        words = file.read().decode(errors="replace").strip()
    raise CommandFailed(f"The daemon did not start:\n{words}", ExitCode.NO_DAEMON, "no_daemon")


def _started(session: Session, log: os.PathLike[str], more: Sequence[str]) -> bool:
    from anyond.client.errors import ClientError

    with open(log, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        program = subprocess.Popen(
            [sys.executable, "-m", "anyond", "serve", *more],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            cwd="/",
            # Ctrl+C in a terminal goes to a whole group; the daemon stays.
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        try:
            with session.client() as client:
                _greet(client)
                return True
        except ClientError:
            # The port is taken, or another daemon was quicker: then that one answers soon.
            if program.poll() not in (None, ExitCode.ALREADY_RUNNING.value):
                return False
        time.sleep(_LOOK_S)
    program.terminate()
    return False


def _greet(client: BlockingClient) -> None:
    from anyond.api import health

    client.call(health.CHECK_HEALTH, timeout_s=5.0)
