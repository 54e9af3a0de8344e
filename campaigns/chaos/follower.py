"""A client of the event stream that goes on where it was, whatever becomes of the daemon.

It is the one that everybody has: what it lost or took twice would be a fault that is found here.
"""

from __future__ import annotations

import msgspec
import trio

from anyond.api.events import FOLLOW_EVENTS, RESYNC, FollowedEvents
from anyond.client import Address, Client, Event, Unanswered
from campaigns.chaos.world import World


async def follow(world: World) -> None:
    """Keep `world.events` and `world.records` up to date until cancelled."""
    async with Client(Address(world.url)) as client:
        while True:
            params = FollowedEvents(after=world.events[-1][0] if world.events else 0)
            try:
                async with client.follow_events(FOLLOW_EVENTS, params) as events:
                    async for event in events:
                        _take(world, event)
            except Unanswered:
                await trio.sleep(0.1)  # killed before it could be followed; the next one comes


def _take(world: World, event: Event) -> None:
    name, number, record = event.name, event.position, msgspec.to_builtins(event.data)
    if name == RESYNC:
        world.faults.lost.append(f"events: {record}")
    if world.events and number <= world.events[-1][0]:
        world.faults.doubled.append(f"event {number} ({name}) came after {world.events[-1][0]}")
    world.events.append((number, name))
    if "id" in record:
        world.records[record["id"]] = record
    world.notify()
