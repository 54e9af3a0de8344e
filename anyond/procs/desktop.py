"""Showing something on the screen of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping

import structlog
import trio

from anyond.model.configuration.environment import personal
from anyond.open_files import inherited

log = structlog.get_logger()

_TIMEOUT_S = 5.0

# The shell ends at once, so that the program has no parent here and nobody must wait for it.
_LET_GO = 'ulimit -S -n "$2"; exec "$0" "$1" </dev/null >/dev/null 2>&1 &'


def opener(environ: Mapping[str, str]) -> str | None:
    """The program that opens addresses on the screen; None if nobody can be looking at one."""
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        return None
    if sys.platform == "darwin":
        name = "open"
    elif environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"):
        name = "xdg-open"
    else:
        return None
    return shutil.which(name, path=environ.get("PATH", os.defpath))


async def show(url: str) -> None:
    """Open a web address in the person's browser, if there is a screen; else do nothing.

    It is a courtesy: it never fails, and does not wait for the browser.
    """
    program = opener(os.environ)
    if program is None or not url.startswith(("https://", "http://")):
        return
    try:
        with trio.move_on_after(_TIMEOUT_S):
            await trio.run_process(
                ["/bin/sh", "-c", _LET_GO, program, url, str(inherited()[0])],
                stdin=subprocess.DEVNULL,
                env=personal(os.environ),
                start_new_session=True,
                check=False,
            )
    except OSError as error:
        log.warning("not_shown", url=url, why=str(error))
