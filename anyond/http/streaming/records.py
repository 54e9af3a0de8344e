"""One stream without a gap from a snapshot of records and their later changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from anyond.http.answer.envelope import encode
from anyond.http.streaming.encoders import Record, Snapshot
from anyond.model.refusals.daemon import Gone
from anyond.model.rows import Change
from anyond.store.engine.changes import ChangeCursor

if TYPE_CHECKING:
    from anyond.store.engine.database import Store
    from anyond.store.engine.transaction import Reader


def reading(
    store: Store, rows: Callable[[Reader], Sequence[Struct]]
) -> Callable[[], Awaitable[Snapshot]]:
    """A snapshot for `follow` that reads `rows` whenever one is needed."""

    async def snapshot() -> Snapshot:
        # The position comes first: what is committed in between is then told twice, not never.
        position = store.changes.end
        # Row by row and beside the loop: there may be many.
        read = await store.read(lambda reader: [encode(row) for row in rows(reader)])
        return Snapshot(position, b"[" + b",".join(read) + b"]")

    return snapshot


async def follow(
    store: Store,
    snapshot: Callable[[], Awaitable[Snapshot]],
    is_relevant: Callable[[Change], bool],
    after: int | None,
    last: Callable[[Change], bool] = lambda _: False,
) -> AsyncIterator[list[Record]]:
    """Batches of what a client has to be told; ends only with what it is about.

    Changes carry whole records, so a record that is in the snapshot and in a change after it
    comes out right. A client that is too slow for what the change log holds gets a new snapshot.

    Args:
        snapshot: the records as they are now, or were so short ago that what has become of
            them can be followed from there.
        is_relevant: whether a change belongs into this stream.
        after: the position that the client has seen; None if it has seen nothing.
        last: whether nothing comes after a change: what the stream is about is gone.
    """
    cursor = _cursor(store, after)
    while True:
        if cursor is None:
            found = await snapshot()
            yield [found]
            cursor = _cursor(store, found.seq)
            continue
        try:
            page = await cursor.next()
        except Gone:
            cursor = None
            continue
        batch: list[Record] = [change for change in page if is_relevant(change)]
        if batch:
            yield batch
        if any(last(change) for change in page):
            return


def _cursor(store: Store, after: int | None) -> ChangeCursor | None:
    try:
        return None if after is None else store.changes.follow(after)
    except Gone:
        return None
