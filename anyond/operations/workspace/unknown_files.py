"""Files that no row is about: they are reported, and after a month set aside.

They may belong to rows that a restored backup does not have yet; so they are never deleted.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import structlog
import trio

from anyond.operations.resources import Resources
from anyond.store.upkeep import gone_files
from anyond.store.upkeep.gone_files import Kind

log = structlog.get_logger()

SET_ASIDE_AFTER = 30
"""Days (see `store.days`) that a file without a row stays where it is."""


async def look_after(
    resources: Resources,
    kind: Kind,
    root: Path,
    found: set[str],
    day: int,
    *,
    may_move: Callable[[str], bool] = lambda _: True,
) -> None:
    """Report what is new among the unknown files, and set aside what has been there for long.

    Args:
        root: where they lie.
        found: the names of all of them.
        day: today's number.
        may_move: asked last, for each.
    """
    fresh, first = await resources.store.write(
        lambda tx: gone_files.see_unknown(tx, kind, found, day)
    )
    if fresh:
        log.warning(
            "unknown_files",
            kind=kind,
            count=len(fresh),
            some=sorted(fresh)[:5],
            where=str(root),
            set_aside_after_days=SET_ASIDE_AFTER,
        )
    for name in sorted(name for name, since in first.items() if day - since >= SET_ASIDE_AFTER):
        if may_move(name):
            place = resources.paths.set_aside / root.name
            moved = await trio.to_thread.run_sync(_move, root / name, place)
            if moved is not None:
                log.warning("set_aside", kind=kind, name=name, now=str(moved))


def _move(file: Path, place: Path) -> Path | None:
    target = place / file.name
    number = 1
    while os.path.lexists(target):
        target = place / f"{file.name}.{number}"
        number += 1
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.rename(target)
    except OSError as error:
        log.warning("not_set_aside", file=str(file), why=error.strerror)
        return None
    return target
