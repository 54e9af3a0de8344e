"""The changes of every attempt so far, for anyone who watches, for as long as somebody does.

One producer for all watchers of an attempt. It looks again when something is committed about the
attempt (a process begins or ends, it is merged), often while somebody is at work there, and else
ever more rarely; always at a pace that its own cost sets: a repository that takes a second to
compare is not compared every second. Git is asked instead of the kernel's file watches, which
would have to cover every directory of a worktree (and run out in the first `node_modules`).

Some watchers want an end: once the attempt has nothing that was not merged, they get what was,
and no more. Others see that nothing differs, and wait for what comes.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import structlog
import trio
from msgspec import Struct, field
from msgspec.structs import replace

from anyond.git.diff import diff
from anyond.git.diff.entry import Entry
from anyond.git.merging.merge_record import MergeRecord
from anyond.git.repo import branches
from anyond.git.worktree import repair
from anyond.model.errors import AnyondError, Unavailable
from anyond.model.http.frames import (
    DiffFound,
    DiffFrame,
    DiffReady,
    DiffRemoved,
    DiffRemovedPath,
    DiffResync,
    FileFrame,
)
from anyond.model.refusals.daemon import Gone
from anyond.model.refusals.requests import NotFound
from anyond.model.rows import Diff
from anyond.operations.branch import merge_records
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.subject import read as read_subject
from anyond.store.board import attempts
from anyond.wakeup import Wakeup

log = structlog.get_logger()

SHORTEST_PAUSE = 0.7
"""Seconds between two looks at a worktree."""
LONGEST_PAUSE = 30.0
LONGEST_AT_WORK = 2.0
"""The same while an agent, a script or a request is at work in the worktree."""
COST_FACTOR = 10
"""A look that took n seconds is not repeated for n times this."""
CALM_SHARE = 0.05
"""After n seconds without a change, the next look may wait for n times this."""
BATCH = 1000
BUDGET = 20 << 20
"""So much text one comparison may have; what comes after it is told without contents."""
_NOWHERE = 0
"""A position that no watch ever has: whoever resumes after it is told everything anew."""


class _Watch(Struct):
    """The state of one attempt while it is watched.

    Its positions begin with the microsecond in which it was made: so none of them can be mistaken
    for one of an earlier watch, which another client still holds.
    """

    watchers: int = 0
    wake: Wakeup = field(default_factory=Wakeup)
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    known: dict[str, Diff] = field(default_factory=dict)
    frames: dict[str, FileFrame] = field(default_factory=dict)
    begin: int = field(default_factory=lambda: time.time_ns() // 1000)
    seq: int = 0
    looked: bool = False
    deleted: bool = False
    problem: AnyondError | None = None
    enders: int = 0
    """How many of the watchers want an end."""
    record: MergeRecord | None = None
    """The latest merge, if there is nothing else."""
    judged: bool = False
    """Whether that was found out since the last of them came."""
    look_now: trio.Event = field(default_factory=trio.Event)
    """Somebody waits for the next look."""
    news: trio.Event = field(default_factory=trio.Event)
    """Something has happened, and there is no need to wait longer than the cost demands."""

    def __post_init__(self) -> None:
        self.seq = self.begin


class Diffs:
    """Follow the differences of attempts.

    Args:
        nursery: where the producers live.
        busy: whether somebody is at work in an attempt just now.
    """

    def __init__(
        self, nursery: trio.Nursery, resources: Resources, busy: Callable[[str], bool]
    ) -> None:
        self._nursery = nursery
        self._resources = resources
        self._busy = busy
        self._watches: dict[str, _Watch] = {}

    async def follow(
        self,
        attempt_id: str,
        stats_only: bool = False,
        after: int | None = None,
        *,
        ends_with_merge: bool = False,
    ) -> AsyncIterator[list[DiffFrame]]:
        """The differences as they are, a frame that says `ready`, then every change of them.

        Ends when the attempt is deleted. A file's frame replaces the one before for its path. A
        position that is not known any more is answered with `resync` and everything again.

        Args:
            ends_with_merge: also end when the attempt has nothing but what was merged: then what it
                changed there replaces everything else, followed by `ready`. There is nothing to
                resume.

        Raises:
            NotFound: there is no such attempt.
        """
        subject = await read_subject(self._resources, attempt_id)
        # Where something was merged, it is not known yet what there is to show.
        hold = ends_with_merge and await merge_records.is_recorded(self._resources, attempt_id)
        watch = self._watches.get(attempt_id)
        if watch is None:
            watch = self._watches[attempt_id] = _Watch()
            self._nursery.start_soon(self._produce, attempt_id, watch)
        watch.watchers += 1
        if ends_with_merge:
            watch.enders += 1
            watch.record, watch.judged = None, False
            watch.look_now.set()
            watch.news.set()
        position, ready, has_sent = after or 0, False, after is not None
        try:
            if after is not None and not watch.begin <= after <= watch.seq:
                position = 0
                yield [DiffResync(seq=watch.begin)]
            while True:
                if watch.deleted:
                    return
                if watch.problem is not None:
                    raise watch.problem
                if ends_with_merge and watch.record is not None:
                    if has_sent:
                        yield [DiffResync(seq=_NOWHERE)]
                    place, (old, new) = subject.repository, watch.record
                    entries = await diff.between(place, old, new)
                    async with aclosing(_rows(place, entries, stats_only)) as batches:
                        async for rows in batches:
                            yield [DiffFound(data=row, seq=_NOWHERE) for row in rows]
                    yield [DiffReady(seq=_NOWHERE)]
                    return
                if hold and not watch.judged:
                    await watch.wake.wait()
                    continue
                batch = self._since(watch, position)
                if not batch and watch.looked and not ready:
                    ready = True
                    watch.seq += 1  # a number of its own, which is in nobody's way
                    batch = [DiffReady(seq=watch.seq)]
                for start in range(0, len(batch), BATCH):
                    part = batch[start : start + BATCH]
                    position, has_sent = part[-1].seq, True
                    yield [_without_contents(f) for f in part] if stats_only else part
                if not batch:
                    await watch.wake.wait()
        finally:
            watch.watchers -= 1
            watch.enders -= ends_with_merge
            if not watch.watchers:
                watch.scope.cancel()
                self._forget(attempt_id, watch)  # whoever comes next needs a producer that lives

    def _since(self, watch: _Watch, position: int) -> list[DiffFrame]:
        known: list[DiffFrame] = [*watch.frames.values()]
        if position < watch.begin:
            return sorted((f for f in known if isinstance(f, DiffFound)), key=lambda f: f.seq)
        return sorted((f for f in known if f.seq > position), key=lambda f: f.seq)

    async def _produce(self, attempt_id: str, watch: _Watch) -> None:
        try:
            with watch.scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._listen, attempt_id, watch)
                    await self._look_again_and_again(attempt_id, watch)
        except Exception as error:  # a bug too ends this watch, and nothing else
            watch.problem = _refusal(error)
            if isinstance(watch.problem, _ComparisonFailed):
                log.exception("diff_failed", attempt=attempt_id)
            else:
                log.warning("no_diff", attempt=attempt_id, why=str(watch.problem))
        finally:
            self._forget(attempt_id, watch)
            watch.wake.notify()

    async def _look_again_and_again(self, attempt_id: str, watch: _Watch) -> None:
        last_move = trio.current_time()
        while True:
            began = trio.current_time()
            watch.look_now, watch.news = trio.Event(), trio.Event()
            if await self._look(attempt_id, watch):
                last_move = trio.current_time()
            cost = trio.current_time() - began
            least = min(max(SHORTEST_PAUSE, cost * COST_FACTOR), LONGEST_PAUSE)
            with trio.move_on_after(least):
                await watch.look_now.wait()
            most = LONGEST_AT_WORK if self._busy(attempt_id) else LONGEST_PAUSE
            calm = min((trio.current_time() - last_move) * CALM_SHARE, most)
            with trio.move_on_after(max(0.0, calm - least)):
                await watch.news.wait()

    async def _listen(self, attempt_id: str, watch: _Watch) -> None:
        changes = self._resources.store.changes
        task_id = (await read_subject(self._resources, attempt_id)).task.id
        cursor = changes.follow(changes.end)
        while True:
            try:
                page = await cursor.next()
            except Gone:
                cursor = changes.follow(changes.end)
                watch.news.set()
                continue
            subject = {attempt_id, task_id}
            if any(one.attempt_id in subject or one.key in subject for one in page):
                watch.news.set()

    def _forget(self, attempt_id: str, watch: _Watch) -> None:
        if self._watches.get(attempt_id) is watch:
            del self._watches[attempt_id]

    async def _look(self, attempt_id: str, watch: _Watch) -> bool:
        """Compare once more. Returns whether anything is different from last time."""
        try:
            subject = await read_subject(self._resources, attempt_id)
        except NotFound:
            watch.deleted = True
            raise
        seen: dict[str, Diff] = {}
        moved = not watch.looked
        if subject.attempt.container_ref is not None:
            async for found in self._compare(Path(subject.attempt.container_ref), subject):
                # Watchers are told at once, while the next files are read.
                moved = self._note(watch, found, seen) or moved
        for path in watch.known.keys() - seen.keys():
            watch.seq += 1
            watch.frames[path] = DiffRemoved(data=DiffRemovedPath(path=path), seq=watch.seq)
            moved = True
        watch.known = seen
        watch.looked = True
        if moved:
            watch.wake.notify()
        if watch.enders:
            watch.record = await self._judge(subject, differs=bool(seen))
            watch.judged = True
            watch.wake.notify()
        return moved

    async def _judge(self, subject: Subject, differs: bool) -> MergeRecord | None:
        """The latest merge, if the attempt has nothing else; asked after it was compared.

        Whoever merges moves the branch first and then writes it down. So as long as somebody is at
        work, the latest that is known need not be the latest; afterwards it is.
        """
        if self._busy(subject.attempt.id):
            return None
        try:
            found = await merge_records.latest(self._resources, subject)
            whole = found is not None and (
                not differs or await merge_records.is_all(subject, found)
            )
        except AnyondError as error:
            # Others watch as well, and need not know.
            log.info("not_judged", attempt=subject.attempt.id, why=str(error))
            return None
        return found if whole else None

    def _note(self, watch: _Watch, found: list[Diff], seen: dict[str, Diff]) -> bool:
        moved = False
        for difference in found:
            path = difference.path
            seen[path] = difference
            if watch.known.get(path) != difference:
                watch.seq += 1
                watch.frames[path] = DiffFound(data=difference, seq=watch.seq)
                moved = True
        if moved:
            watch.wake.notify()
        return moved

    async def _compare(self, path: Path, subject: Subject) -> AsyncIterator[list[Diff]]:
        place, target = subject.repository, subject.attempt.target_branch
        here = await trio.to_thread.run_sync(repair.belongs, path, place)
        if not here and await trio.to_thread.run_sync(os.path.isdir, path):
            # Somebody has moved or replaced something; that is not "no changes".
            raise NotFound("worktree of the attempt at", path)
        left = await self._resources.store.read(
            lambda r: attempts.base_commit(r, subject.attempt.id)
        )
        if not here:
            # It was taken away, and comes back from its branch; so that is what there is.
            entries = await diff.of_branch(place, subject.attempt.branch, target, left)
            async with aclosing(_rows(place, entries)) as batches:
                async for found in batches:
                    yield found
            return
        base = await branches.fork_point(path, target, left)
        async with aclosing(_rows(path, await diff.snapshot(path, base))) as batches:
            async for found in batches:
                yield found


async def _rows(
    place: Path, entries: list[Entry], stats_only: bool = False
) -> AsyncGenerator[list[Diff], None]:
    budget = BUDGET
    for start in range(0, len(entries), BATCH):
        part = entries[start : start + BATCH]
        if stats_only:
            yield [entry.without_contents() for entry in part]
            continue
        found = await diff.contents(place, part, budget=budget)
        budget -= sum(len(d.old_content or "") + len(d.new_content or "") for d in found)
        yield found


class _ComparisonFailed(Unavailable):
    """It could not be compared, and that is a mistake of ours."""


def _refusal(error: Exception) -> AnyondError:
    """Return the refusal for watchers. Where git is asked two things at once, refusals come in
    groups.
    """
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, AnyondError):
        return error
    return _ComparisonFailed("What has changed could not be found out; the daemon's log says why.")


def _without_contents(frame: DiffFrame) -> DiffFrame:
    if not isinstance(frame, DiffFound):
        return frame
    bare = replace(frame.data, old_content=None, new_content=None, content_omitted=True)
    return replace(frame, data=bare)
