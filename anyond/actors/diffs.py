"""What every attempt has changed so far, for anyone who watches, for as long as somebody does.

One producer for all watchers of an attempt. It looks again when a process of the attempt has
written something, and otherwise at a pace that its own cost sets: a repository that takes a second
to compare is not compared every second. Git is asked instead of the kernel's file watches, which
would have to cover every directory of a worktree (and run out in the first `node_modules`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import structlog
import trio
from msgspec.structs import replace

from anyond.git import branches, checkouts, diff
from anyond.journal import Wake
from anyond.model.errors import AnyondError
from anyond.model.frames import DiffFrame
from anyond.model.rows import Diff
from anyond.operations import subject
from anyond.operations.rooms import Rooms

log = structlog.get_logger()

SHORTEST_PAUSE = 0.7
"""Seconds between two looks at a worktree."""
LONGEST_PAUSE = 30.0
COST_FACTOR = 10
"""A look that took n seconds is not repeated for n times this."""
BATCH = 64


@dataclass
class _Watch:
    """What is known of one attempt while it is watched."""

    watchers: int = 0
    wake: Wake = field(default_factory=Wake)
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    known: dict[str, Diff] = field(default_factory=dict)
    frames: dict[str, DiffFrame] = field(default_factory=dict)
    seq: int = 0
    ready: int | None = None
    problem: AnyondError | None = None


class Diffs:
    """Follow the differences of attempts.

    Args:
        nursery: where the producers live.
    """

    def __init__(self, nursery: trio.Nursery, rooms: Rooms) -> None:
        self._nursery = nursery
        self._rooms = rooms
        self._watches: dict[str, _Watch] = {}

    async def follow(
        self, attempt_id: str, stats_only: bool = False, after: int | None = None
    ) -> AsyncIterator[list[DiffFrame]]:
        """The differences as they are, then every change of them; never ends by itself.

        A file's frame replaces the one before for its path. A position that is not known any more
        is answered with everything again.

        Raises:
            NotFound: there is no such attempt.
        """
        await subject.read(self._rooms, attempt_id)
        watch = self._watches.get(attempt_id)
        if watch is None:
            watch = self._watches[attempt_id] = _Watch()
            self._nursery.start_soon(self._produce, attempt_id, watch)
        watch.watchers += 1
        position = after if after is not None and after <= watch.seq else 0
        try:
            while True:
                if watch.problem is not None:
                    raise watch.problem
                batch = self._since(watch, position)
                for start in range(0, len(batch), BATCH):
                    part = batch[start : start + BATCH]
                    position = part[-1].seq
                    yield [_without_contents(f) for f in part] if stats_only else part
                if not batch:
                    await watch.wake.wait()
        finally:
            watch.watchers -= 1
            if not watch.watchers:
                watch.scope.cancel()
                self._forget(attempt_id, watch)  # whoever comes next needs a producer that lives

    def _since(self, watch: _Watch, position: int) -> list[DiffFrame]:
        if watch.ready is None:
            return []
        found = [f for f in watch.frames.values() if f.seq > position]
        if position == 0:
            found = [f for f in found if f.diff is not None]
        if position < watch.ready:
            found.append(DiffFrame(watch.ready, ready=True))
        return sorted(found, key=lambda f: f.seq)

    async def _produce(self, attempt_id: str, watch: _Watch) -> None:
        try:
            with watch.scope:
                last_move = trio.current_time()
                while True:
                    began = trio.current_time()
                    if await self._look(attempt_id, watch):
                        last_move = trio.current_time()
                    cost = trio.current_time() - began
                    calm = (trio.current_time() - last_move) / 20
                    pause = max(SHORTEST_PAUSE, cost * COST_FACTOR, calm)
                    await trio.sleep(min(pause, LONGEST_PAUSE))
        except AnyondError as error:
            log.warning("no_diff", attempt=attempt_id, why=str(error))
            watch.problem = error
        finally:
            self._forget(attempt_id, watch)
            watch.wake.ring()

    def _forget(self, attempt_id: str, watch: _Watch) -> None:
        if self._watches.get(attempt_id) is watch:
            del self._watches[attempt_id]

    async def _look(self, attempt_id: str, watch: _Watch) -> bool:
        """Compare once more. Returns whether anything is different from last time."""
        about = await subject.read(self._rooms, attempt_id)
        found: list[Diff] = []
        if about.attempt.container_ref is not None:
            found = await self._compare(Path(about.attempt.container_ref), about)
        seen = {d.new_path or d.old_path or "": d for d in found}
        moved = False
        for path, difference in seen.items():
            if watch.known.get(path) != difference:
                watch.seq += 1
                watch.frames[path] = DiffFrame(watch.seq, path, difference)
                moved = True
        for path in watch.known.keys() - seen.keys():
            watch.seq += 1
            watch.frames[path] = DiffFrame(watch.seq, path)
            moved = True
        watch.known = seen
        if watch.ready is None:
            watch.seq += 1
            watch.ready = watch.seq
            moved = True
        if moved:
            watch.wake.ring()
        return moved

    async def _compare(self, path: Path, about: subject.Subject) -> list[Diff]:
        if not await trio.Path(path).is_dir():
            return []
        target = await branches.find(about.repository, about.attempt.target_branch)
        base = None
        head = await checkouts.head(path)
        if target is not None and head is not None:
            base = await branches.merge_base(about.repository, target.oid, head)
        entries = await diff.snapshot(path, base or head)
        return await diff.contents(path, entries)


def _without_contents(frame: DiffFrame) -> DiffFrame:
    if frame.diff is None:
        return frame
    bare = replace(frame.diff, old_content=None, new_content=None, content_omitted=True)
    return DiffFrame(frame.seq, frame.path, bare)
