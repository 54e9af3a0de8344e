"""Programs of the desktop that play a sound or show a message, and running them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
import trio

from anyond.model.configuration.environment import personal
from anyond.open_files import give_back

log = structlog.get_logger()

TIMEOUT_S = 20.0
"""Seconds that such a program may take."""
_AT_ONCE = 8

# The texts are arguments of the script, never part of it.
_SCRIPT = (
    "on run argv",
    "display notification (item 2 of argv) with title (item 1 of argv)",
    "end run",
)

Command = tuple[str, ...]


def player(path: Path, search: str | None = None, platform: str = sys.platform) -> Command | None:
    """The command that plays the WAV file at `path`; None if there is no such program here.

    Args:
        search: the PATH to look in; None is that of this process.
    """
    choices = (
        [("afplay",)] if platform == "darwin" else [("paplay",), ("pw-play",), ("aplay", "-q")]
    )
    for name, *options in choices:
        if program := shutil.which(name, path=search):
            return (program, *options, str(path))
    return None


def message(
    title: str, body: str, search: str | None = None, platform: str = sys.platform
) -> Command | None:
    """The command that shows a message on the desktop; None if there is no such program here.

    `title` and `body` may hold whatever people call their tasks: nothing in them is ever code, an
    option or markup.
    """
    title, body = _plain(title).lstrip("- "), _plain(body)
    if platform == "darwin":
        program = shutil.which("osascript", path=search)
        script = [word for line in _SCRIPT for word in ("-e", line)]
        return (program, *script, title, body) if program else None
    program = shutil.which("notify-send", path=search)
    if program is None:
        return None
    # Many desktops take the body for markup.
    import html  # its table of all characters is large, and seldom needed

    escaped = html.escape(body, quote=False)
    return (program, "--app-name=Anyon", "--expire-time=10000", "--", title, escaped)


class DesktopNotifier:
    """Runs such programs beside everything else: nobody waits for them, and no error comes back."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._running = 0

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator[DesktopNotifier]:
        """Open the notifier; what still plays at the end plays on."""
        async with trio.open_nursery() as nursery:
            yield cls(nursery)
            nursery.cancel_scope.cancel()

    def run(self, command: Command) -> None:
        """Start `command` and see to its end. Never waits; too many at once are left out."""
        if self._running < _AT_ONCE:
            self._running += 1
            self._nursery.start_soon(self._run, command)

    async def _run(self, command: Command) -> None:
        try:
            process = await trio.lowlevel.open_process(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                cwd="/",
                env=personal(os.environ),
            )
            give_back(process.pid)
            with trio.move_on_after(TIMEOUT_S):
                await process.wait()
            if process.returncode is None:
                process.kill()
                await process.wait()
            if process.returncode != 0:
                # A machine without a desktop or a loudspeaker: nothing is wrong with it.
                log.debug("not_announced", program=command[0], code=process.returncode)
        except OSError as error:
            log.debug("not_announced", program=command[0], why=str(error))
        finally:
            self._running -= 1


def _plain(text: str) -> str:
    """`text` without control characters, apart from line breaks, and not endless."""
    return re.sub(r"[^\S\n]+|[\x00-\x09\x0b-\x1f\x7f]+", " ", text)[:500].strip()
