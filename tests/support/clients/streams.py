"""Streams over WebSockets and server-sent events, followed and folded."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from trio_websocket import ConnectionClosed, WebSocketConnection

from tests.support.daemon import Daemon

Frame = dict[str, Any]

FINISHED = {"finished": True}


async def websocket(daemon: Daemon, path: str) -> AsyncIterator[Frame]:
    """The frames of one connection."""
    async with daemon.socket(path) as connection:
        async for frame in reported(connection):
            yield frame


async def reported(connection: WebSocketConnection) -> AsyncIterator[Frame]:
    """The frames that come from now on; a stream that ends must end as promised."""
    last: Any = None
    while True:
        try:
            last = json.loads(await connection.get_message())
        except ConnectionClosed as closed:
            why = closed.reason
            break
        if last != FINISHED:
            for frame in last if isinstance(last, list) else [last]:
                yield frame
    assert why is not None
    assert (why.code, last) == (1000, FINISHED)


async def events(daemon: Daemon, path: str) -> AsyncIterator[Frame]:
    """The events of one connection, shaped like frames."""
    assert daemon._http is not None
    frame: Frame = {}
    async with daemon._http.stream("GET", path) as stream:
        async for line in stream.aiter_lines():
            name, _, rest = line.partition(": ")
            if name == "event":
                frame["type"] = rest
            elif name == "data":
                frame["data"] = json.loads(rest)
            elif name == "id":
                frame["seq"] = int(rest)
            elif not line and frame.get("type"):
                yield frame
                frame = {}


def rows(frames: list[Frame]) -> dict[str, Frame]:
    """What a client of a record stream knows after `frames`."""
    known: dict[str, Frame] = {}
    for frame in frames:
        match frame["type"]:
            case "snapshot":
                known = {row["id"]: row for row in frame["data"]}
            case "task_deleted":
                known.pop(frame["data"]["id"], None)
            case _:
                known[frame["data"]["id"]] = frame["data"]
    return known
