"""The change log: rows of a table, the newest of them in memory, and cursors."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

import trio

from anyond.model.errors import Unavailable
from anyond.model.ids import now
from anyond.model.refusals.daemon import Gone
from anyond.model.rows import Change
from anyond.store.engine.transaction import Fact, Reader
from anyond.wakeup import Wakeup

R = TypeVar("R")

TAIL_CHANGES = 2000
TAIL_BYTES = 4 * 1024**2
_PAGE_BYTES = 1024**2
_CHANGE_BYTES = 400  # what a change weighs in memory besides its data
_PRUNE_STEP = 500


class Recorded(NamedTuple):
    """The rows that one commit added to the table, and the first number that is held now."""

    changes: list[Change]
    oldest: int


class Changes:
    """The committed changes, in order, for any number of followers at their own pace.

    Nobody is waited for and nobody has a queue: a follower is a position, and all wait for the
    same event. A position is the number of a change; `follow(p)` gives everything after `p`.

    Attributes:
        end: the position of the newest committed change; 0 if there never was one.
        oldest: the smallest position after which everything is still held, so that
            `oldest <= after <= end` can be followed without a gap.
    """

    def __init__(
        self,
        held: tuple[int, int],
        read: Callable[[Callable[[Reader], list[Change]]], Awaitable[list[Change]]],
    ) -> None:
        """Args:
        held: `oldest` and `end`, as `positions` tells them.
        read: gives a closure a state of the database to read.
        """
        self.oldest, self.end = held
        self._read = read
        self._tail: list[Change] = []
        self._tail_bytes = 0
        self._grew = Wakeup()
        self._closed = False

    def follow(self, after: int) -> ChangeCursor:
        """A cursor that starts with the change `after + 1`, which may not have happened yet.

        Raises:
            Gone: not `oldest <= after <= end`.
        """
        if not self.oldest <= after <= self.end:
            raise Gone(after, self.oldest, self.end)
        return ChangeCursor(self, after)

    def append(self, recorded: Recorded) -> None:
        """Take over what was committed and wake the followers. Only for the store's writer."""
        self.oldest = recorded.oldest
        if not recorded.changes:
            return
        self._tail += recorded.changes
        self._tail_bytes += sum(_weight(change) for change in recorded.changes)
        self.end = recorded.changes[-1].position
        surplus = max(0, len(self._tail) - TAIL_CHANGES)
        self._tail_bytes -= sum(_weight(change) for change in self._tail[:surplus])
        while self._tail_bytes > TAIL_BYTES:
            self._tail_bytes -= _weight(self._tail[surplus])
            surplus += 1
        del self._tail[:surplus]
        self._wake()

    def close(self) -> None:
        """Refuse whoever waits for the next change. Only for the store."""
        self._closed = True
        self._wake()

    async def page(self, after: int, most: int) -> list[Change]:
        """At least one and at most `most` changes after `after`, as soon as there are any.

        Raises:
            Gone: they were pruned in the meantime.
            Unavailable: the store was closed.
        """
        if after < self.end:
            await trio.lowlevel.checkpoint()
        while after >= self.end:
            if self._closed:
                raise Unavailable("The database was closed.")
            await self._grew.wait()
        start = after - (self.end - len(self._tail))
        if start >= 0:
            return self._tail[start : start + most]
        page = await self._read(partial(_page, after=after, most=most))
        if not page or page[0].position != after + 1:
            raise Gone(after, self.oldest, self.end)
        return page

    def _wake(self) -> None:
        self._grew.notify()


class ChangeCursor:
    """One follower's place in the change log.

    Attributes:
        position: everything up to here has been given out; `follow(position)` resumes.
    """

    def __init__(self, changes: Changes, position: int) -> None:
        self._changes = changes
        self.position = position

    async def next(self, most: int = 500) -> list[Change]:
        """Wait for the next changes: at least one, at most `most`. Always a checkpoint.

        A cancelled call has taken nothing. Raises `Gone` if this follower was so slow that what
        it needs next has been pruned, `Unavailable` if the store was closed.
        """
        page = await self._changes.page(self.position, most)
        self.position = page[-1].position
        return page


def positions(connection: sqlite3.Connection) -> tuple[int, int]:
    """`oldest` and `end` of the table."""
    (end,) = connection.execute(
        "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0)"
    ).fetchone()
    (first,) = connection.execute("SELECT MIN(position) FROM changes").fetchone()
    return (end if first is None else first - 1), end


def record(connection: sqlite3.Connection, facts: Sequence[Fact], keep: int) -> Recorded:
    """Write `facts` into the table, in the transaction they describe, and prune what is too old.

    Args:
        keep: how many changes to hold; they are pruned a few at a time, so that no write waits
            long, and therefore somewhat more than `keep` may be held.
    """
    oldest, end = positions(connection)
    at = now()
    changes = [
        Change(
            position=position,
            kind=fact.kind,
            data=fact.data,
            project_id=fact.project_id,
            attempt_id=fact.attempt_id,
            key=fact.key,
            dropped=fact.dropped,
        )
        for position, fact in enumerate(facts, end + 1)
    ]
    connection.executemany(
        "INSERT INTO changes (position, at, kind, project_id, attempt_id, key, dropped, data)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(c.position, at, c.kind, c.project_id, c.attempt_id, c.key, c.dropped, c.data)
         for c in changes],
    )  # fmt: skip
    surplus = end + len(changes) - keep - oldest
    if changes and surplus >= min(_PRUNE_STEP, keep):
        # Twice what came in, so that the table shrinks back even under steady load.
        oldest += min(surplus, max(_PRUNE_STEP, 2 * len(changes)))
        connection.execute("DELETE FROM changes WHERE position <= ?", (oldest,))
    return Recorded(changes, oldest)


def _page(reader: Reader, after: int, most: int) -> list[Change]:
    changes: list[Change] = []
    size = 0
    for position, kind, data, project_id, attempt_id, key, dropped in reader.execute(
        "SELECT position, kind, data, project_id, attempt_id, key, dropped FROM changes"
        " WHERE position > ? ORDER BY position LIMIT ?",
        (after, most),
    ):
        changes.append(
            Change(
                position=position,
                kind=kind,
                data=data,
                project_id=project_id,
                attempt_id=attempt_id,
                key=key,
                dropped=bool(dropped),
            )
        )
        size += len(data)
        if size >= _PAGE_BYTES:
            break
    return changes


def _weight(change: Change) -> int:
    return len(change.data) + _CHANGE_BYTES
