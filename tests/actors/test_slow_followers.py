"""Who takes nothing of a conversation keeps a batch of it, and not all that a run has said."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence
from contextlib import aclosing

from anyond.agents.common.core import AgentEvent, EntryPut
from anyond.logs.conversation import Conversation
from anyond.model.entries import AssistantMessage, NormalizedEntry
from anyond.model.records import Record, Stream
from anyond.model.rows import ExecutionProcess
from anyond.operations.resources import Resources
from anyond.watchers.logs import BATCH_BYTES, Logs

MESSAGES = 60
MESSAGE_BYTES = 20_000


class Talkative:
    """A dialogue in which each record is a long message."""

    def receive(self, stream: Stream, data: bytes, at: int = 0) -> Sequence[AgentEvent]:
        entry = NormalizedEntry(entry_type=AssistantMessage(), content=data.decode())
        return [EntryPut(f"message {at}", entry)]

    def finish(self) -> Sequence[AgentEvent]:
        return []

    def send(self, command: object) -> None: ...

    def outgoing(self) -> list[bytes]:
        return []


def long_conversation(process_id: str) -> Conversation:
    made = Conversation(process_id, Talkative(), 3600)
    for at in range(1, MESSAGES + 1):
        made.feed(Record(at, Stream.STDOUT, b"x" * MESSAGE_BYTES))
    return made


async def test_a_batch_is_small_though_messages_are_large(
    resources: Resources, poisoned: ExecutionProcess
) -> None:
    logs = Logs(resources.store, resources.launcher)
    logs.begin(poisoned.id).conversation = long_conversation(poisoned.id)
    seen = 0
    async with aclosing(logs.entries(poisoned.id)) as follower:  # type: ignore[type-var]
        async for batch in follower:
            assert sum(len(frame.entry) for frame in batch) < BATCH_BYTES + 2 * MESSAGE_BYTES
            assert batch[0].seq == seen + 1
            seen = batch[-1].seq
            if seen == MESSAGES:
                break


async def test_who_takes_nothing_holds_no_conversation_that_is_over(
    resources: Resources, poisoned: ExecutionProcess
) -> None:
    logs = Logs(resources.store, resources.launcher)
    live = logs.begin(poisoned.id)
    live.conversation = long_conversation(poisoned.id)
    known = weakref.ref(live.conversation)
    async with aclosing(logs.entries(poisoned.id)) as follower:  # type: ignore[type-var]
        batch = await anext(follower)
        logs.finish(poisoned.id)
        gc.collect()
        assert known() is None
        assert batch
