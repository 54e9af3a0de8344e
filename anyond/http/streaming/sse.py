"""Changes as Server-Sent Events, and resuming after a lost connection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple

import trio

from anyond.api.events import RESYNC
from anyond.http.answer.envelope import encode
from anyond.http.streaming.encoders import event
from anyond.http.streaming.streams import gathering
from anyond.model.errors import Unavailable
from anyond.model.http.frames import EventsLost
from anyond.model.refusals.daemon import Gone
from anyond.model.rows import Change
from anyond.store.engine.changes import ChangeCursor

if TYPE_CHECKING:
    from anyond.store.engine.changes import Changes

QUIET_SECONDS = 15.0

Send = Callable[[bytes], Awaitable[None]]


class Events(NamedTuple):
    """The body of an event stream.

    If the position is held no longer, the client is told with the event `resync`, whose data
    says from where on changes are held (`oldest`) and where they are now (`end`); it must read
    the records again, and the stream goes on after `end`.

    Args:
        after: the position that the client has seen; None is now.
        closing: set when the daemon stops, which ends the stream.
        write: how a change is told; nothing for one that is not.
        quiet: seconds of silence after which a comment shows that the stream lives.
    """

    changes: Changes
    after: int | None
    closing: trio.Event
    write: Callable[[Change], bytes]
    quiet: float = QUIET_SECONDS

    async def send_to(self, send: Send) -> None:
        """Send what happens, until `closing` is set or the database is closed."""
        sent = 0

        async def count_and_send(data: bytes) -> None:
            nonlocal sent
            sent += 1
            await send(data)

        async with trio.open_nursery() as nursery:

            async def attend() -> None:
                # Once for a connection, not for each change: there may be thousands of both.
                seen = -1
                while True:
                    with trio.move_on_after(self.quiet):
                        await self.closing.wait()
                        nursery.cancel_scope.cancel()
                        return
                    if seen == sent:
                        await send(b": still here\n\n")
                    seen = sent

            nursery.start_soon(attend)
            await self._follow(count_and_send)
            nursery.cancel_scope.cancel()

    async def _follow(self, send: Send) -> None:
        changes, write = self.changes, self.write
        position = changes.end if self.after is None else self.after
        cursor: ChangeCursor | None = None
        await send(b"retry: 2000\n\n")
        while not self.closing.is_set():
            try:
                cursor = cursor or changes.follow(position)
                batch = await cursor.next(200)
            except Gone:
                cursor, position = None, changes.end
                here = encode(EventsLost(oldest=changes.oldest, end=position))
                await send(event(RESYNC.encode(), here, position))
                await trio.lowlevel.checkpoint()
                continue
            except Unavailable:
                return
            frames = b"".join(map(write, batch))
            if frames:
                await send(frames)
                await gathering.pause()
