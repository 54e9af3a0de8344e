"""How a snapshot of records and what happens to them later become one stream without a gap."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from anyond.http.encoders import Record, Snapshot
from anyond.http.envelope import encode
from anyond.model.rows import Change
from anyond.store.changes import ChangeCursor, Gone

if TYPE_CHECKING:
    from anyond.store.database import Store
    from anyond.store.transaction import Reader


async def follow(
    store: Store,
    snapshot: Callable[[Reader], Sequence[Struct]],
    wanted: Callable[[Change], bool],
    after: int | None,
) -> AsyncIterator[list[Record]]:
    """Batches of what a client has to be told; never ends.

    Changes carry whole records, so a record that is in the snapshot and in a change after it
    comes out right. A client that is too slow for what the journal holds gets a new snapshot.

    Args:
        snapshot: reads the records as they are now.
        wanted: whether a change belongs into this stream.
        after: the position that the client has seen; None if it has seen nothing.
    """
    cursor = _cursor(store, after)
    while True:
        if cursor is None:
            # The position comes first: what is committed in between is then told twice, not never.
            position = store.changes.end
            rows = await store.read(snapshot)
            yield [Snapshot(position, encode(rows))]
            cursor = _cursor(store, position)
            continue
        try:
            batch: list[Record] = [change for change in await cursor.next() if wanted(change)]
        except Gone:
            cursor = None
            continue
        if batch:
            yield batch


def _cursor(store: Store, after: int | None) -> ChangeCursor | None:
    try:
        return None if after is None else store.changes.follow(after)
    except Gone:
        return None
