"""A conversation takes in whatever an agent has written, and others run in between."""

from __future__ import annotations

import json
from collections.abc import Sequence

import trio

from anyond.agents.common.core import AgentEvent, EntryPut
from anyond.logs import notes
from anyond.logs.conversation import Conversation
from anyond.model.entries import NormalizedEntry, SystemMessage
from anyond.model.records import Record, Stream
from anyond.operations.turn import reading


class Lines:
    """A dialogue of whole lines, however they are cut."""

    def __init__(self) -> None:
        self.rest = b""
        self.calls: list[int] = []
        self.lines = 0

    def receive(self, stream: Stream, data: bytes, at: int = 0) -> Sequence[AgentEvent]:
        self.calls.append(len(data))
        *whole, self.rest = (self.rest + data).split(b"\n")
        self.lines += len(whole)
        return [
            EntryPut(
                "last",
                NormalizedEntry(entry_type=SystemMessage(), content=line.decode()),
            )
            for line in whole
        ]

    def finish(self) -> Sequence[AgentEvent]:
        return []


async def test_very_many_lines_in_one_record_hold_up_nobody_else() -> None:
    dialogue = Lines()
    conversation = Conversation("process", dialogue, 3600)  # type: ignore[arg-type]
    data = b"x\n" * 131_072
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(count)
        await reading.feed(conversation, [Record(at=1, stream=Stream.STDOUT, data=data)])
        nursery.cancel_scope.cancel()
    assert dialogue.lines == 131_072
    assert max(dialogue.calls) <= reading.SLICE
    assert turns > 2, "it must let go in the middle of a record, too"


async def test_what_is_cut_is_as_good_as_whole_and_notes_are_not_cut() -> None:
    text = "word " * 5_000
    line = f"{text}\n{text}end\n".encode()
    remark = notes.encode(notes.Remark(text="r" * 20_000))
    records = [
        Record(at=1, stream=Stream.STDOUT, data=line),
        Record(at=2, stream=Stream.NOTE, data=remark),
        Record(at=3, stream=Stream.STDOUT, data=b"last\n"),
    ]
    conversation = Conversation("process", Lines(), 3600)  # type: ignore[arg-type]
    await reading.feed(conversation, records)
    displayed = [json.loads(frame.entry)["content"] for frame in conversation.final_frames()]
    assert "last" in displayed
    assert "r" * 20_000 in displayed
