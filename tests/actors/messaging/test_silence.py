"""When a silence of an agent is told."""

from __future__ import annotations

from collections.abc import Callable

import trio
import trio.testing

from anyond.actors.messaging.silence import Silence
from anyond.agents.common.core import ApprovalAnswered, ApprovalAsked, EntryPut, Outcome, TurnEnded
from anyond.logs import notes
from anyond.logs.conversation import Conversation
from anyond.model.entries import CommandRun, NormalizedEntry, ToolUse
from anyond.model.records import Record, Stream


class Parrot:
    """A dialogue of single words."""

    def receive(self, stream: Stream, data: bytes, at: int = 0) -> list[object]:
        match data:
            case b"ask":
                use = ToolUse(tool_name="x", action_type=CommandRun(command="x"))
                entry = NormalizedEntry(entry_type=use, content="x")
                return [EntryPut("x", entry), ApprovalAsked("c", "x", {}, "x")]
            case b"answer":
                return [ApprovalAnswered("c")]
            case b"end":
                return [TurnEnded(Outcome.COMPLETED)]
        return []

    def finish(self) -> list[object]:
        return []

    def send(self, command: object) -> None:
        return

    def outgoing(self) -> list[bytes]:
        return []


def clock() -> float:
    """Unix seconds of the virtual time."""
    return trio.current_time() + 1.7e9


class Room:
    """An agent that only says what it is told to say, at the virtual time."""

    def __init__(self, after: float = 60) -> None:
        self.after = after
        self.conversation = Conversation("p", Parrot(), 3600)  # type: ignore[arg-type]
        self.reported: list[tuple[float, int]] = []
        self.start = trio.current_time()
        self.watch = self.watched()

    def watched(self) -> Silence:
        return Silence(self.conversation, lambda: self.after, self.note, clock)

    async def note(self, seconds: int) -> None:
        self.reported.append((trio.current_time() - self.start, seconds))
        # It is read back a moment later, as from a log.
        self.record(Stream.NOTE, notes.encode(notes.Quiet(seconds=seconds)))

    def record(self, stream: Stream, data: bytes) -> None:
        at = int(clock() * 1e9)
        self.conversation.feed(Record(at, stream, data))

    def hears(self, word: bytes) -> None:
        self.record(Stream.STDOUT, word)
        self.watch.look()

    @property
    def texts(self) -> list[str]:
        frames = self.conversation.frames()
        return [f.entry.decode() for f in frames if b"No output" in f.entry]


async def during(seconds: float, *watched: Callable[[], object]) -> None:
    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            for run in watched:
                nursery.start_soon(run)  # type: ignore[arg-type]


async def test_it_is_told_less_and_less_often_in_one_entry(
    autojump_clock: trio.testing.MockClock,
) -> None:
    room = Room()
    room.hears(b"hello")
    await during(500, room.watch.run)
    assert room.reported == [(60, 60), (120, 120), (240, 240), (480, 480)]
    [text] = room.texts
    assert "for 480 s" in text


async def test_an_output_begins_it_anew(autojump_clock: trio.testing.MockClock) -> None:
    room = Room()
    room.hears(b"hello")

    async def talk() -> None:
        await trio.sleep(50)
        room.hears(b"more")
        await trio.sleep(80)
        room.hears(b"more")

    await during(199, room.watch.run, talk)
    assert room.reported == [(110, 60), (190, 60)]
    assert len(room.texts) == 2


async def test_nothing_is_told_while_a_question_is_open_or_the_turn_is_over(
    autojump_clock: trio.testing.MockClock,
) -> None:
    room = Room()
    room.hears(b"ask")

    async def answer() -> None:
        await trio.sleep(1000)
        assert room.reported == []
        room.hears(b"answer")
        await trio.sleep(61)
        room.hears(b"end")

    await during(5000, room.watch.run, answer)
    assert room.reported == [(1060, 60)]


async def test_zero_means_never(autojump_clock: trio.testing.MockClock) -> None:
    room = Room(after=0)
    room.hears(b"hello")
    await during(5000, room.watch.run)
    assert room.reported == []


async def test_whoever_follows_the_log_later_does_not_tell_it_again(
    autojump_clock: trio.testing.MockClock,
) -> None:
    room = Room()
    room.hears(b"hello")
    await during(130, room.watch.run)
    assert len(room.reported) == 2
    room.watch = room.watched()
    await during(109, room.watch.run)
    assert len(room.reported) == 2
    await during(2, room.watch.run)
    assert room.reported[2:] == [(240, 240)]
