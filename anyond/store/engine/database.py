"""Access to the database: one writer that commits in groups, and readers in parallel."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import trio

from anyond.model.errors import Unavailable
from anyond.store.engine import backup
from anyond.store.engine.changes import Changes, Recorded, positions, record
from anyond.store.engine.connection import (
    Answer,
    Connection,
    Entry,
    InlineConnection,
    ThreadConnection,
)
from anyond.store.engine.migrate import create_private, make_current
from anyond.store.engine.small_reads import SmallReads, TooLong
from anyond.store.engine.transaction import (
    ALONGSIDE,
    Once,
    Reader,
    Request,
    Tx,
    commit_together,
    read_consistently,
    trouble,
)

R = TypeVar("R")

CHANGES_MOST = 50_000
CLOSE_SECONDS = 10.0
_LARGEST_GROUP = 500
_READERS = 2
_IN_A_ROW = 8
"""So many small reads may follow each other before everybody else has a turn."""

_COMMON = """
PRAGMA busy_timeout = 5000;
PRAGMA foreign_keys = ON;
PRAGMA temp_store = MEMORY;
"""
# fullfsync and checkpoint_fullfsync mean something on macOS only, where a plain fsync leaves
# the data in the disk's own memory.
_WRITER = """
PRAGMA synchronous = FULL;
PRAGMA fullfsync = ON;
PRAGMA checkpoint_fullfsync = ON;
PRAGMA journal_size_limit = 4194304;
PRAGMA cache_size = -1024;
"""
_READER = """
PRAGMA query_only = ON;
PRAGMA cache_size = -512;
PRAGMA mmap_size = 67108864;
"""


class Store:
    """The database of one data directory. Opened with `async with Store.open(path)`.

    Attributes:
        changes: what has been committed, for followers.
    """

    changes: Changes

    def __init__(
        self,
        writer: Connection,
        readers: list[Connection],
        small: SmallReads | None,
        entry: Entry | None,
        keep: int,
    ) -> None:
        self._entry = entry  # None: there are no threads
        self._small = small
        self._in_a_row = 0
        self._writer = writer
        self._readers = readers
        self._reading = [0] * len(readers)
        self._keep = keep
        self._waiting: list[Request[Any]] = []
        self._group: list[Request[Any]] = []
        self._busy = False
        self._closed = False
        self._idle = trio.Event()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, path: Path, *, inline: bool = False, keep: int = CHANGES_MOST
    ) -> AsyncIterator[Store]:
        """Open or create the database at `path`, and close it at the end of the block.

        Args:
            path: the file; its directory must exist.
            inline: do everything in the calling thread, for tests with a virtual clock.
            keep: how many changes are held for followers.

        Raises:
            Unavailable: it cannot be opened; see `make_current`.

        At the end, what was asked for is still done and answered, everything later is refused
        with `Unavailable`. That takes at most `CLOSE_SECONDS`, also if the caller is cancelled.
        """
        connections: list[Connection] = []
        small: SmallReads | None = None
        try:
            for connector in [_connect_writer, *[_connect_reader] * (1 if inline else _READERS)]:
                connect = partial(connector, path)
                connections.append(
                    InlineConnection(connect) if inline else await ThreadConnection.open(connect)
                )
            entry = None if inline else Entry()
            if not inline:
                small = SmallReads(_connect_reader(path, busy_ms=0))
            store = cls(connections[0], connections[1:], small, entry, keep)
            store.changes = Changes(await connections[0].run(positions), store.read)
        except BaseException:
            if small is not None:
                small.close()
            with trio.move_on_after(CLOSE_SECONDS, shield=True):
                await _close_all(connections)
            raise
        try:
            yield store
        finally:
            await store._close()

    async def write(self, work: Callable[[Tx], R]) -> R:
        """Do `work` in a transaction, and return its result when it is safely on the disk.

        Many writes share one commit, but each succeeds or fails alone. The followers of
        `changes` can see what it emitted before this returns. Once called, the work is done even
        if the caller is cancelled, also if it was cancelled already.

        Args:
            work: runs in another thread, once, and must not wait for anything.

        Raises:
            Unavailable: the store is closed, or the disk refused; nothing was kept.
            Exception: whatever `work` raised; nothing of it was kept.
        """
        if self._closed:
            raise Unavailable("The database is closed.")
        request = Request(work, ALONGSIDE.get())
        self._waiting.append(request)
        self._commit_next()
        return await request.answer.wait()

    async def read(self, work: Callable[[Reader], R]) -> R:
        """Do `work` on one consistent state, which holds at least all that was answered before.

        It never waits for a write. A cancelled caller leaves at once; the work ends by itself.
        What is small is done at once; only what turns out to be long goes to another thread.

        Args:
            work: must neither write nor wait for anything; is begun again in another thread if it
                takes long.

        Raises:
            Unavailable: the store is closed, or the file cannot be read.
            Exception: whatever `work` raised.
        """
        if self._closed:
            raise Unavailable("The database is closed.")
        if self._small is not None:
            await self._let_others()
            try:
                return self._small.read(work)
            except TooLong:
                pass  # or trouble, which is told by whoever can wait for it to pass
        which = self._reading.index(min(self._reading))
        answer: Answer[R] = Answer()

        def pass_on(done: Answer[R]) -> None:
            self._reading[which] -= 1
            try:
                answer.set_result(done.result())
            except BaseException as error:
                answer.set_exception(error)

        self._reading[which] += 1
        self._readers[which].submit(partial(read_consistently, Once(work)), pass_on)
        return await answer.wait()

    async def _let_others(self) -> None:
        self._in_a_row += 1
        if self._in_a_row < _IN_A_ROW:
            await trio.lowlevel.checkpoint_if_cancelled()
        else:
            self._in_a_row = 0
            await trio.lowlevel.checkpoint()
            if self._closed:
                raise Unavailable("The database is closed.")

    def _commit_next(self) -> None:
        """Give the writer everything that waits, unless it is still busy with the last group."""
        if self._busy:
            return
        if not self._waiting:
            self._idle.set()
            return
        self._busy = True
        self._group = self._waiting[:_LARGEST_GROUP]
        del self._waiting[:_LARGEST_GROUP]
        group, keep = self._group, self._keep

        def commit(connection: sqlite3.Connection) -> Recorded:
            return commit_together(connection, group, partial(record, keep=keep))

        self._writer.submit(commit, self._committed)

    def _committed(self, done: Answer[Recorded]) -> None:
        group, self._group = self._group, []
        error: BaseException | None = None
        try:
            self.changes.append(done.result())
        except BaseException as failure:
            error = failure
        for request in group:
            request.settle(error)
        if self._entry is None:
            self._gathered()
        else:
            # Those who were answered now often write again at once. Two turns of the scheduler
            # later they have, and share the next commit; else every second one is half empty.
            self._entry.call_soon_threadsafe(self._entry.call_soon_threadsafe, self._gathered)

    def _gathered(self) -> None:
        self._busy = False
        self._commit_next()

    async def _close(self) -> None:
        self._closed = True
        if self._small is not None:
            self._small.close()
        connections = [*self._readers, self._writer]
        with trio.move_on_after(CLOSE_SECONDS, shield=True) as deadline:
            while self._busy:
                self._idle = trio.Event()
                await self._idle.wait()
            await _close_all(connections)
        if deadline.cancelled_caught:
            late, self._waiting = self._waiting, []
            for request in late:
                request.settle(Unavailable("The database was closed before this was written."))
            for connection in connections:
                connection.interrupt()
            with trio.move_on_after(1, shield=True):
                await _close_all(connections)
            for request in self._group:
                request.settle(Unavailable("The database was closed before it could answer."))
        self.changes.close()


async def _close_all(connections: list[Connection]) -> None:
    for connection in connections:
        await connection.close()


def _connect_writer(path: Path) -> sqlite3.Connection:
    if not path.exists() and backup.newest(path).exists():
        # An empty one in its place would look as if nothing had ever been there.
        raise Unavailable(f"The database {path} is missing. {backup.advice(path)}")
    try:
        create_private(path)
        connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
    except (OSError, sqlite3.Error) as error:
        raise Unavailable(f"The database {path} cannot be opened: {error}.") from error
    try:
        connection.executescript(_COMMON)
        make_current(connection, path)
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise Unavailable(
                f"The database {path} lies on a file system without shared memory (journal mode "
                f"{mode}). Choose a data directory on a local disk."
            )
        connection.executescript(_WRITER)
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.Error):
            raise trouble(error) from error
        raise
    return connection


def _connect_reader(path: Path, busy_ms: int | None = None) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
    try:
        connection.executescript(_COMMON + _READER)
        if busy_ms is not None:
            connection.execute(f"PRAGMA busy_timeout = {busy_ms}")
    except BaseException:
        connection.close()
        raise
    return connection
