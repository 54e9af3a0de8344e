"""A client of the event stream that goes on where it was, whatever becomes of the daemon."""

from __future__ import annotations

import json
from typing import Any

import httpx
import trio

from campaigns.chaos.world import World


async def follow(world: World) -> None:
    """Keep `world.events` and `world.records` up to date until cancelled."""
    position = 0
    timeout = httpx.Timeout(60.0, read=60.0)
    while True:
        headers = {"Last-Event-ID": str(position)}
        try:
            async with world.client.stream(
                "GET", world.url + "/api/events", headers=headers, timeout=timeout
            ) as stream:
                number, name, data = 0, "", ""
                async for line in stream.aiter_lines():
                    word, _, rest = line.partition(": ")
                    if word == "id":
                        number = int(rest)
                    elif word == "event":
                        name = rest
                    elif word == "data":
                        data = rest
                    elif not line and name:
                        _take(world, number, name, json.loads(data))
                        position, name = number, ""
        except (httpx.HTTPError, RuntimeError):
            await trio.sleep(0.1)  # the daemon is gone; the next one will be there soon


def _take(world: World, number: int, name: str, record: dict[str, Any]) -> None:
    if name == "resync":
        world.faults.lost.append(f"events: {record}")
    if world.events and number <= world.events[-1][0]:
        world.faults.doubled.append(f"event {number} ({name}) came after {world.events[-1][0]}")
    world.events.append((number, name))
    if "id" in record:
        world.records[record["id"]] = record
    world.notify()
