"""Pacing the messages to the page of vibe-kanban, since it looks at some of them once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import trio
from msgspec import Raw, Struct

from anyond.http.vk.frames import JsonPatch, Remove, frame
from anyond.model.http import frames
from anyond.model.ids import is_id, now, seconds
from anyond.model.refusals.requests import NotFound
from anyond.model.rows import ProcessStatus
from anyond.store.runs import processes

if TYPE_CHECKING:
    from anyond.http.application import Send
    from anyond.model.rows import ExecutionProcess
    from anyond.services.services import Services

STATUS_FIRST_SECONDS = 1.0
"""How long before a log ends its client must have heard that the process has.

A browser with much to do renders the news late; with less than this it misses it at times.
"""
RUNNING_FIRST_SECONDS = 1.0
"""How long a client must have known a process as running before it hears that it has ended.

It reads the log of a process that it sees running; one that it never saw so, it does not show.
"""
_AGAIN_SECONDS = (1.0, 2.0, 4.0)
_ON_THE_WAY_SECONDS = 0.5
_RECENTLY_SECONDS = 5.0
_FINISHED = frames.FINISHED.decode()
_LOOK_AGAIN = frame(()).decode()
"""Changes nothing; but with each frame a client draws the conversation anew."""
_GOING_AWAY = 1001
_ROOT = "/execution_processes"


class _Row(Struct):
    id: str
    status: ProcessStatus


_frame = msgspec.json.Decoder(JsonPatch[Raw])
_row = msgspec.json.Decoder(_Row)
_rows = msgspec.json.Decoder(dict[str, _Row])


def running_first(send: Send) -> Send:
    """`send` of a stream of processes; who hears of an end has known the run for a while."""
    known: dict[str, float] = {}

    async def wrapped(message: Any) -> None:
        text = message.get("text") if message["type"] == "websocket.send" else None
        for row in [] if text is None else _seen(text):
            if row.status is ProcessStatus.RUNNING:
                known.setdefault(row.id, trio.current_time())
            elif row.id in known:
                await trio.sleep_until(known.pop(row.id) + RUNNING_FIRST_SECONDS)
        await send(message)

    return wrapped


def _seen(text: str) -> Iterator[_Row]:
    for operation in _frame.decode(text).operations:
        if isinstance(operation, Remove):
            continue
        if operation.path == _ROOT:
            yield from _rows.decode(operation.value).values()
        else:
            yield _row.decode(operation.value)


def status_first(services: Services, process_id: str, send: Send) -> Send:
    """`send` of a log, but its end lets the news pass that its process has ended.

    Their clients look at the process whenever something comes from its log, and not after the end
    of that; the news comes on another socket, where `running_first` may hold it back. A client
    that is slow to draw has not taken it in yet, so it is made to look again, later and later.
    """
    opened = now()

    async def wrapped(message: Any) -> None:
        if message["type"] == "websocket.send" and message.get("text") == _FINISHED:
            for pause in await _pauses(services, process_id, opened):
                await trio.sleep(pause)
                await send({**message, "text": _LOOK_AGAIN})
        await send(message)

    return wrapped


async def _pauses(services: Services, process_id: str, opened: str) -> Sequence[float]:
    """The seconds before each time at which the client is made to look; none for an old log."""
    if not is_id(process_id):
        return ()
    try:
        row = await services.store.read(lambda r: processes.get(r, process_id))
    except NotFound:
        return ()  # it was deleted; there is no news of it
    ended = row.completed_at
    if ended is not None and abs(seconds(now()) - seconds(ended)) >= _RECENTLY_SECONDS:
        return ()
    held = _held_back(row)
    # Who came after the end was told wants the whole log at once, and waits for its end.
    follows = ended is None or seconds(opened) <= seconds(ended) + held + _ON_THE_WAY_SECONDS
    return (STATUS_FIRST_SECONDS + held, *(_AGAIN_SECONDS if follows else ()))


def _held_back(row: ExecutionProcess) -> float:
    """Return how long the end of `row` may have been held back, in seconds."""
    if row.completed_at is None:
        return 0.0
    ran = seconds(row.completed_at) - seconds(row.created_at)
    return min(max(RUNNING_FIRST_SECONDS - ran, 0.0), RUNNING_FIRST_SECONDS)


def parting_last(part_later: Callable[[], bool] | None, send: Send) -> Send:
    """`send`, but that the daemon stops is told when all else has stopped, if that can be."""

    async def wrapped(message: Any) -> None:
        stops = message["type"] == "websocket.close" and message.get("code") == _GOING_AWAY
        if not (stops and part_later is not None and part_later()):
            await send(message)

    return wrapped
