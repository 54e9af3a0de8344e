"""The clock of the files of a disk.

The times of files come from another clock than `time.time()`: the kernel's of its last tick, some
milliseconds behind, or that of the server that has the disk. Git compares times of files, so who
waits for git to trust an index waits for that clock.
"""

from __future__ import annotations

from pathlib import Path

import trio

_PROBE = "clock"
_LOOK_AGAIN_S = 0.002
_LONGEST_S = 3.0


async def now(directory: Path) -> float:
    """Unix seconds, as a file tells that is written in `directory` now.

    Args:
        directory: nobody else's; a file stays in it.

    Raises:
        OSError: nothing can be written there.
    """
    return await trio.to_thread.run_sync(_written_now, directory / _PROBE)


async def reached(directory: Path, second: int) -> bool:
    """Wait until what is written in `directory` is of `second`, in Unix seconds, or later.

    Returns:
        False if that took longer than three seconds, as when somebody sets the clock back.

    Raises:
        OSError: nothing can be written there.
    """
    with trio.move_on_after(_LONGEST_S):
        while True:
            left = second - await now(directory)
            if left <= 0:
                return True
            await trio.sleep(max(left, _LOOK_AGAIN_S))
    return False


def _written_now(probe: Path) -> float:
    probe.write_bytes(b"now")
    return probe.stat().st_mtime
