"""Who waits for the editors that were opened, so that none of them stays as a zombie."""

from __future__ import annotations

import trio

from anyond.model.launch import Launch
from anyond.model.refusals.programs import ToolFailed
from anyond.procs import detached

GRACE = 1.0
"""Seconds in which a program that cannot do its work is expected to say so by its exit code."""


class Editors:
    """Starts editors; they live on when the daemon ends.

    Args:
        nursery: where they are waited for.
    """

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery

    async def open(self, launch: Launch) -> None:
        """Start a program for the person.

        Raises:
            ProgramMissing: it is not there.
            ToolFailed: it cannot be started, or it fails at once.
        """
        process = await detached.start(launch)
        self._nursery.start_soon(process.wait)
        with trio.move_on_after(GRACE):
            await process.wait()
        if process.returncode:
            name = launch.argv[0]
            how = (
                f"exited with code {process.returncode}"
                if process.returncode > 0
                else f"was ended by signal {-process.returncode}"
            )
            raise ToolFailed(name, f"{name} {how} right after it was started.")
