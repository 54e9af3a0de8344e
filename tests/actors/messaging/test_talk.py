"""What is kept of the talk with an agent, and for how long."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
import trio

from anyond.actors.messaging.talk import Talk
from anyond.machines.process import Event
from anyond.model.rows import ExecutionProcess
from anyond.operations.resources import Resources
from anyond.operations.turn.turn_record import TurnRecord
from anyond.store.runs import sessions
from anyond.watchers.logs import Logs
from tests.support.store.running_rows import started

TURN = '{"executor": "DEMO", "prompt": "x", "cwd": "/"}'


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_garbage_collection")
async def test_what_was_said_goes_with_the_end_of_the_talk(
    resources: Resources, poisoned: ExecutionProcess
) -> None:
    events: list[Event] = []
    await resources.store.write(lambda tx: sessions.keep_turn(tx, poisoned.id, TURN))
    await started(resources, poisoned, "exec sleep 600", "k" * 64)
    running = await resources.launcher.attach(poisoned.id, "k" * 64)
    talk = Talk(
        poisoned,
        TurnRecord.decode(TURN).dialogue(),
        running=running,
        store=resources.store,
        approval_timeout=60,
        silence=lambda: 0,
        is_stopping=lambda: False,
        send=events.append,
    )
    reader = resources.launcher.spool(poisoned.id).records()
    async with trio.open_nursery() as nursery:
        live = Logs(resources.store, resources.launcher).begin(poisoned.id)
        await talk.open(reader, live, nursery)
        assert live.conversation is talk.conversation
        nursery.cancel_scope.cancel()
    live.conversation = None
    output = weakref.ref(talk.conversation)
    talk.close()
    try:
        assert output() is None
    finally:
        reader.close()
        await running.kill()
        while await running.news():
            pass
        await running.aclose()
