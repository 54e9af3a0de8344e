"""Changes as Server-Sent Events, and resuming after a lost connection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import trio

from anyond.api.events import RESYNC
from anyond.http.answer.envelope import encode
from anyond.http.streaming.encoders import event
from anyond.http.streaming.streams import GATHER_S
from anyond.model.http.frames import EventsLost
from anyond.model.refusals.daemon import Gone
from anyond.model.rows import Change
from anyond.store.engine.changes import ChangeCursor

if TYPE_CHECKING:
    from anyond.store.engine.changes import Changes

QUIET_SECONDS = 15.0


async def events(
    changes: Changes,
    after: int | None,
    closing: trio.Event,
    write: Callable[[Change], bytes],
    quiet: float = QUIET_SECONDS,
) -> AsyncIterator[bytes]:
    """The body of an event stream; ends when `closing` is set.

    If the position is held no longer, the client is told with the event `resync`, whose data
    says from where on changes are held (`oldest`) and where they are now (`end`); it must read
    the records again, and the stream goes on after `end`.

    Args:
        after: the position that the client has seen; None is now.
        write: how a change is told; nothing for one that is not.
        quiet: seconds of silence after which a comment shows that the stream lives.
    """
    yield b"retry: 2000\n\n"
    position = changes.end if after is None else after
    cursor: ChangeCursor | None = None
    while not closing.is_set():
        try:
            cursor = cursor or changes.follow(position)
            batch = await _next(cursor, closing, quiet)
        except Gone:
            cursor, position = None, changes.end
            here = encode(EventsLost(oldest=changes.oldest, end=position))
            yield event(RESYNC.encode(), here, position)
            continue
        if batch is None:
            if not closing.is_set():
                yield b": still here\n\n"
            continue
        frames = b"".join(map(write, batch))
        if frames:
            yield frames
            await trio.sleep(GATHER_S)


async def _next(cursor: ChangeCursor, closing: trio.Event, quiet: float) -> list[Change] | None:
    """The next changes, or None if `quiet` passes or the daemon stops before there are any."""
    batch: list[Change] | None = None
    gone: Gone | None = None
    with trio.move_on_after(quiet):
        async with trio.open_nursery() as nursery:

            async def stop() -> None:
                await closing.wait()
                nursery.cancel_scope.cancel()

            nursery.start_soon(stop)
            try:
                batch = await cursor.next(200)
            except Gone as error:
                gone = error  # raised outside, where it is not wrapped in a group
            nursery.cancel_scope.cancel()
    if gone is not None:
        raise gone
    return batch
