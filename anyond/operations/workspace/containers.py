"""Finding the attempt of a directory, by whatever name somebody calls the directory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import trio

from anyond.model.refusals.requests import NotFound
from anyond.operations.resources import Resources
from anyond.real_path import nearest_real_path
from anyond.store.board import attempts
from anyond.store.board.attempts import Place
from anyond.store.engine.transaction import Reader


async def find(resources: Resources, ref: Path) -> Place:
    """The attempt whose worktree is at `ref` or above it; of nested ones the innermost.

    Args:
        ref: absolute; may lead through symbolic links, and need not exist any more.

    Raises:
        NotFound: it is in no worktree.
    """
    real = await trio.to_thread.run_sync(nearest_real_path, ref, abandon_on_cancel=True)
    found = await _at(resources, [*_upwards(real), *_upwards(ref)])
    if found is None:
        # The other way round: a worktree on record by a name that leads through links.
        known = await resources.store.read(attempts.containers)
        named = [path for path in known if os.path.basename(path) in real.parts]
        truly = await trio.to_thread.run_sync(_by_real_path, named, abandon_on_cancel=True)
        found = await _at(resources, [truly[path] for path in _upwards(real) if path in truly])
    if found is None:
        raise NotFound("worktree at", ref)
    return found


async def _at(resources: Resources, paths: Sequence[str]) -> Place | None:
    def work(reader: Reader) -> Place | None:
        for path in paths:
            attempt = attempts.by_container(reader, path)
            if attempt is not None:
                return attempts.place(reader, attempt.id)
        return None

    return await resources.store.read(work)


def _upwards(path: Path) -> list[str]:
    return [str(path), *map(str, path.parents)]


def _by_real_path(paths: Sequence[str]) -> dict[str, str]:
    return {str(nearest_real_path(path)): path for path in paths}
