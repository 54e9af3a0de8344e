"""Following logs: the raw and the structured log of every execution, live or finished."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import structlog
import trio

from anyond.logs import archive, script, unfollowed
from anyond.logs.conversation import Conversation
from anyond.model.http.frames import EntryFrame
from anyond.model.ids import seconds
from anyond.model.rows import ExecutionProcess, ProcessStatus, ScriptRequest
from anyond.operations.run import archives
from anyond.operations.turn.end_reason import ENTRIES
from anyond.procs.shims.launcher import Launcher
from anyond.procs.spools import index_check
from anyond.procs.spools.spool_readers import Frame, FrameReader
from anyond.store.engine.database import Store
from anyond.store.runs import processes
from anyond.wakeup import Wakeup

BATCH_FRAMES = 256
BATCH_BYTES = 1 << 18
UNFOLLOWED_S = 0.25
"""The polling interval of followers of a raw log while nobody listens to its shim: before it has
answered, and after a crash of what reads its agent's output."""

REMEMBERED = 10_000
"""Of so many files it is remembered that they were found right."""


log = structlog.get_logger()


class Live:
    """The state that followers of a running execution share.

    Args:
        grown: notified when bytes were added to the log, or it is over.
        is_listened_to: whether `grown` is notified; if not, followers look for themselves.
        wake: notified when the entries changed, or it is over.
        conversation: the entries so far; None for scripts and before the start.
        over: the row has its final status, and everything is in the spool.
        unfollowed: why it runs and nobody can follow it, for the person; None if somebody does.
    """

    __slots__ = ("conversation", "grown", "is_listened_to", "over", "unfollowed", "wake")

    def __init__(self) -> None:
        self.grown = Wakeup()
        self.is_listened_to = False
        self.wake = Wakeup()
        self.conversation: Conversation | None = None
        self.over = False
        self.unfollowed: str | None = None


class Logs:
    """Follow logs by the id of the execution.

    Attributes:
        awaited: called with the id of the attempt when somebody waits for entries of an execution
            that is not followed; must not wait.
    """

    awaited: Callable[[str], None]

    def __init__(self, store: Store, launcher: Launcher) -> None:
        self._store = store
        self._launcher = launcher
        self._live: dict[str, Live] = {}
        self.awaited = lambda _: None
        self._registered = Wakeup()
        self._checked: dict[str, tuple[object, ...]] = {}
        self._counts: dict[str, int] = {}

    # ------------------------------------------------------------ the side of the writers

    def begin(self, process_id: str) -> Live:
        """There is, or will be, something to follow; the same `Live` until `finish`."""
        live = self._live.get(process_id)
        if live is None:
            live = self._live[process_id] = Live()
            self._registered.notify()
        return live

    def set_unfollowed(self, process_id: str, why: str | None) -> None:
        """It runs, and why nobody can follow it; None when somebody does again."""
        live = self.begin(process_id)
        if live.unfollowed != why:
            live.unfollowed = why
            live.wake.notify()

    def finish(self, process_id: str) -> None:
        """Its row is final and its archive is written: let followers read to the end and go."""
        live = self._live.pop(process_id, None)
        if live is not None:
            live.over = True
            live.conversation = None  # it is in the archive, and can be large
            live.wake.notify()
            live.grown.notify()

    def archive_path(self, process_id: str) -> Path:
        """Return the path of the final entries."""
        return self._launcher.spool(process_id).path / ENTRIES

    # ------------------------------------------------------------ the side of the readers

    async def open_raw(self, process_id: str) -> ExecutionProcess:
        """The row of the execution.

        Raises:
            NotFound: there is none with that id.
        """
        return await self._store.read(lambda r: processes.get(r, process_id))

    async def raw(
        self, process_id: str, after: int | None = None, tail: int | None = None
    ) -> AsyncIterator[list[Frame]]:
        """The raw log in batches, from its beginning or after frame `after`, until it is over.

        Without `after`, `tail` begins with so many of the frames that are there.

        A position beyond the end is answered from the beginning. Each follower reads the spool at
        its own pace; nothing is kept for it.
        """
        live = await self._wait_for_live(process_id)
        spool = self._launcher.spool(process_id)
        if live is None:
            await self._check_index(spool.path)
        there = spool.frames()
        start = 0 if after is None or after + 1 > there else after + 1
        if after is None and tail is not None:
            start = max(0, there - tail)
        reader: FrameReader = spool.output(start)
        try:
            while True:
                over = live is None or live.over
                count = live.grown.count if live is not None else 0
                frames = reader.read(BATCH_BYTES)
                if frames:
                    yield frames
                    if over or not reader.is_at_end:
                        await trio.lowlevel.checkpoint()
                        continue
                if live is None or over:
                    return
                if live.grown.count == count:  # nothing came while the last was taken
                    await _wait_for_bytes(live)
        finally:
            reader.close()

    async def entries(
        self, process_id: str, after: int | None = None, tail: int | None = None
    ) -> AsyncIterator[list[EntryFrame]]:
        """The structured log in batches, each entry as it is now, until it is over.

        Args:
            tail: without `after`, begin with so many entries at the end of those that are there.
        """
        position = after or 0
        tail = tail if after is None else None
        row = await self.open_raw(process_id)
        live = await self._wait_for_live(process_id)
        request = row.executor_action.typ
        started_at = int(seconds(row.started_at) * 1e9)
        if live is not None and isinstance(request, ScriptRequest):
            frame = script.running(request.script, request.context, started_at)
            if position < frame.seq:
                position = frame.seq
                yield [frame]
        reported: str | None = None
        if live is not None and live.conversation is None:
            self.awaited(row.task_attempt_id)
        while live is not None and not live.over:
            conversation = live.conversation
            if conversation is None and live.unfollowed != reported:
                reported = live.unfollowed
                at_work = _at_work(row, started_at, reported)
                if at_work is not None:
                    position = at_work.seq
                    yield [at_work]
                continue
            if conversation is not None:
                if tail is not None:
                    position, tail = max(position, conversation.before_last(tail)), None
                if position > conversation.end:
                    position = 0
                frames = conversation.frames(position, BATCH_FRAMES, BATCH_BYTES)
                end = conversation.end
                # Who takes nothing for hours keeps this batch, not all that a run has said.
                conversation = None
                if frames:
                    position = frames[-1].seq
                    yield frames
                    if position < end:
                        await trio.lowlevel.checkpoint()
                    continue
            await live.wake.wait()
        if tail is not None and await self._check_archive(process_id):
            path = self.archive_path(process_id)
            frames = await trio.to_thread.run_sync(archive.last_frames, path, tail)
            if frames:
                yield frames
            return
        async for batch in self._archived(process_id, position):
            yield batch

    async def count(self, process_id: str) -> int:
        """The number of the entries of the structured log that are there now.

        Raises:
            NotFound: there is no such execution.
        """
        live = await self._wait_for_live(process_id)
        if live is not None:
            return live.conversation.count if live.conversation is not None else 0
        if not await self._check_archive(process_id):
            return 0
        known = self._counts.get(process_id)
        if known is None:
            path = self.archive_path(process_id)
            known = await trio.to_thread.run_sync(archive.count, path)
            if len(self._counts) >= REMEMBERED:
                self._counts.pop(next(iter(self._counts)))
            self._counts[process_id] = known
        return known

    async def part(self, process_id: str, start: int, end: int) -> list[EntryFrame]:
        """The entries of the structured log from index `start` on and before `end`, as they are.

        Raises:
            NotFound: there is no such execution.
        """
        live = await self._wait_for_live(process_id)
        if live is not None:
            return live.conversation.part(start, end) if live.conversation is not None else []
        if not await self._check_archive(process_id):
            return []
        path = self.archive_path(process_id)
        return await trio.to_thread.run_sync(archive.part, path, start, end)

    async def _check_index(self, spool: Path) -> None:
        """Make what is derived from a log anew from it if it is wrong."""
        seen = _seen(spool / "log.idx", spool / "log")
        if self._checked.get(f"{spool}") != seen:
            try:
                await trio.to_thread.run_sync(index_check.ensure, spool)
            except OSError as error:
                log.warning("index_not_checked", spool=str(spool), why=error.strerror)
            self._remember(f"{spool}", _seen(spool / "log.idx", spool / "log"))

    async def _check_archive(self, process_id: str) -> bool:
        """Mend the archive if it is not whole; whether there is one."""
        path = self.archive_path(process_id)
        if path.is_symlink() or (path.exists() and not path.is_file()):
            with suppress(OSError):  # then there is nothing to be read
                self._launcher.spool(process_id).make_way()
        if self._checked.get(f"{path}") != _seen(path):
            row = await self.open_raw(process_id)
            if row.status is not ProcessStatus.RUNNING:
                await archives.repair(self._store, self._launcher, row)
                self._remember(f"{path}", _seen(path))
        return path.is_file() and not path.is_symlink()

    def _remember(self, what: str, seen: tuple[object, ...]) -> None:
        if len(self._checked) >= REMEMBERED:
            self._checked.pop(next(iter(self._checked)))
        self._checked[what] = seen

    async def _archived(self, process_id: str, after: int) -> AsyncIterator[list[EntryFrame]]:
        path = self.archive_path(process_id)
        if not await self._check_archive(process_id):
            return
        for position in (after, 0):
            sent = False
            newest = 0
            with path.open("rb") as file:
                while lines := file.readlines(BATCH_BYTES):
                    read = [f for f in map(archive.decode, lines) if f is not None]
                    newest = max([newest, *(f.seq for f in read)])
                    frames = [f for f in read if f.seq > position]
                    if frames:
                        sent = True
                        yield frames
                    await trio.lowlevel.checkpoint()
            if sent or position <= newest:
                return

    async def _wait_for_live(self, process_id: str) -> Live | None:
        """Its `Live`, or None if it is over."""
        while True:
            live = self._live.get(process_id)
            if live is not None:
                return live
            row = await self.open_raw(process_id)
            live = self._live.get(process_id)
            if live is not None:
                return live
            if row.status is not ProcessStatus.RUNNING:
                return None
            await self._registered.wait()


async def _wait_for_bytes(live: Live) -> None:
    """Return when there may be more. No checkpoint comes before the wait (see `Wakeup`)."""
    if live.is_listened_to:
        await live.grown.wait()
    else:
        with trio.move_on_after(UNFOLLOWED_S):
            await live.grown.wait()


def _at_work(row: ExecutionProcess, started_at: int, why: str | None) -> EntryFrame | None:
    """The entry of a run at work whose log is not read; None if there is none to show."""
    request = row.executor_action.typ
    if not isinstance(request, ScriptRequest):
        return unfollowed.entry(why, started_at) if why is not None else None
    subject = (request.script, request.context, started_at)
    return script.running(*subject) if why is None else script.unfollowed(*subject, why)


def _seen(*paths: Path) -> tuple[object, ...]:
    """Return the facts that change when somebody writes to one of these files."""
    found: list[object] = []
    for path in paths:
        try:
            stat = path.stat()
        except OSError:
            found.append(None)
        else:
            found.append((stat.st_ino, stat.st_size, stat.st_mtime_ns))
    return tuple(found)
