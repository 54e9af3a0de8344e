"""What holds for every agent of the roster and every dialogue that was ever recorded of one.

`ANYON_TEST_LINES=1000000` reads that many broken lines instead of a few seconds' worth.
"""

from __future__ import annotations

import gc
import json
import os
import random
import time
import weakref
from enum import Enum
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyond.agents.common.core import (
    AgentCommand,
    AgentEvent,
    ApprovalAsked,
    Decide,
    Decision,
    Dialogue,
    EntryPut,
    Interrupt,
    Prompt,
    Turn,
    TurnEnded,
)
from anyond.agents.roster import AGENTS
from anyond.logs.conversation import Conversation
from anyond.model.configuration.settings import Executor
from anyond.model.entries import (
    AssistantMessage,
    Created,
    ErrorMessage,
    NormalizedEntry,
    ToolUse,
)
from anyond.model.records import Record, Stream
from tests.support.dialogues.recordings import Recording, Records, fold, recordings

ALL = recordings()
SECONDS = 5.0
LINES = int(os.environ.get("ANYON_TEST_LINES", "0"))

every = pytest.mark.parametrize("recording", ALL, ids=[recording.name for recording in ALL])


def entries(events: list[AgentEvent]) -> dict[str, NormalizedEntry]:
    """The last state of every entry, in the order of their first appearance."""
    return {event.key: event.entry for event in events if isinstance(event, EntryPut)}


def others(events: list[AgentEvent]) -> list[AgentEvent]:
    return [event for event in events if not isinstance(event, EntryPut)]


def ordered(found: dict[str, NormalizedEntry]) -> list[tuple[str, NormalizedEntry]]:
    return list(found.items())


def test_every_agent_that_speaks_a_language_of_its_own_has_recordings() -> None:
    recorded = tuple({type(AGENTS[recording.executor]) for recording in ALL})
    for executor, agent in AGENTS.items():
        assert isinstance(agent, recorded), f"{executor} has no recorded dialogue"


# ---------------------------------------------------------------- cuts and stops


def cut(recording: Recording, places: list[int]) -> Records:
    """The same bytes of each stream in the same order, in other pieces."""
    pieces: Records = []
    for number, (stream, line) in enumerate(recording.records):
        place = places[number % len(places)] % (len(line) + 1)
        pieces += [(stream, part) for part in (line[:place], line[place:]) if part]
    return pieces


@every
@settings(max_examples=8, deadline=None)
@given(places=st.lists(st.integers(0, 5000), min_size=1, max_size=40))
def test_cuts_at_any_byte_change_nothing(recording: Recording, places: list[int]) -> None:
    whole = fold(recording.fresh(), recording.records)
    pieces = fold(recording.fresh(), cut(recording, places))
    assert ordered(entries(pieces)) == ordered(entries(whole))
    assert others(pieces) == others(whole)


def gathered(recording: Recording) -> Records:
    """Neighbours of the same stream as one record, as a fast agent is read."""
    blocks: Records = []
    for stream, line in recording.records:
        if blocks and blocks[-1][0] is stream:
            blocks[-1] = (stream, blocks[-1][1] + line)
        else:
            blocks.append((stream, line))
    return blocks


@every
def test_lines_that_come_together_change_nothing(recording: Recording) -> None:
    whole = fold(recording.fresh(), recording.records)
    together = fold(recording.fresh(), gathered(recording))
    assert ordered(entries(together)) == ordered(entries(whole))
    assert others(together) == others(whole)


# ---------------------------------------------------------------- what was said already


@every
def test_nothing_that_was_said_is_said_again_after_a_restart(recording: Recording) -> None:
    dialogue = recording.fresh()
    reported: list[bytes] = []
    for stream, line in recording.records:
        dialogue.receive(stream, line)
        if stream is Stream.STDIN:
            reported.append(line)
    for message in dialogue.outgoing():
        assert message not in reported


@every
def test_whether_messages_are_taken_does_not_change_the_conversation(recording: Recording) -> None:
    taken = recording.fresh()
    events: list[AgentEvent] = []
    for stream, line in recording.records:
        taken.outgoing()
        events += taken.receive(stream, line)
    assert [*events, *taken.finish()] == fold(recording.fresh(), recording.records)


# ---------------------------------------------------------------- as clients see it


def identity(entry: NormalizedEntry) -> tuple[type, Any, str | None]:
    """What an entry is about, which never changes."""
    kind = entry.entry_type
    call = None if kind_is_list(kind) else json.dumps(entry.metadata)
    words = isinstance(kind, AssistantMessage | ErrorMessage)  # may turn out to be an error
    return AssistantMessage if words else type(kind), call, entry.timestamp


def kind_is_list(kind: object) -> bool:
    """To-do lists are one entry of many calls."""
    return isinstance(kind, ToolUse) and "todo" in type(kind.action_type).__name__.lower()


@every
def test_an_index_is_always_about_the_same_thing_and_nothing_is_at_work_in_the_end(
    recording: Recording,
) -> None:
    conversation = Conversation("process", recording.fresh(), 60)
    known: dict[int, tuple[type, Any, str | None]] = {}
    seen = 0
    for number, (stream, line) in enumerate(recording.records):
        conversation.feed(Record(at=number, stream=stream, data=line, position=number))
        for frame in conversation.frames(seen):
            entry = msgspec.json.decode(frame.entry, type=NormalizedEntry)
            assert frame.index <= len(known)
            assert known.setdefault(frame.index, identity(entry)) == identity(entry)
            seen = frame.seq
    assert sorted(known) == list(range(len(known)))
    conversation.close(len(recording.records))
    for frame in conversation.frames():
        kind = msgspec.json.decode(frame.entry, type=NormalizedEntry).entry_type
        assert not (isinstance(kind, ToolUse) and isinstance(kind.status, Created))


@every
def test_a_failure_can_be_read(recording: Recording) -> None:
    events = fold(recording.fresh(), recording.records)
    displayed = [entry.content for entry in entries(events).values()]
    for event in events:
        if isinstance(event, TurnEnded) and event.error is not None:
            assert any(event.error.strip() in text for text in displayed)


@every
def test_a_dialogue_that_nobody_holds_is_gone_at_once(recording: Recording) -> None:
    # The daemon looks for garbage seldom; a dialogue that holds itself keeps all that it has read.
    gc.disable()
    try:
        dialogue = recording.fresh()
        for stream, line in recording.records:
            dialogue.receive(stream, line)
            dialogue.outgoing()
        dialogue.finish()
        held = weakref.ref(dialogue)
        parts = [weakref.ref(part) for part in vars(dialogue).values() if is_its_own(part)]
        del dialogue
        assert held() is None
        assert [part() for part in parts if part() is not None] == []
    finally:
        gc.enable()


def is_its_own(part: object) -> bool:
    ours = type(part).__module__.startswith("anyond.agents") and hasattr(part, "__weakref__")
    return ours and not isinstance(part, Turn | Enum)


@pytest.mark.thorough
@pytest.mark.parametrize("executor", AGENTS)
def test_of_stderr_without_end_a_bounded_part_is_kept_its_newest_lines_too(
    executor: Executor,
) -> None:
    conversation = Conversation("process", AGENTS[executor].dialogue(Turn("p", "/w")), 60)
    lines = [b"%d of many lines that nobody asked for\n" % number for number in range(15_000)]
    lines.insert(9, b"x" * 3_000_000 + b"\n")
    for at in range(0, len(lines), 100):
        conversation.feed(Record(at, Stream.STDERR, b"".join(lines[at : at + 100]), at))
    conversation.close(len(lines))
    displayed = [json.loads(frame.entry)["content"] for frame in conversation.final_frames()]
    assert sum(map(len, displayed)) < 300_000
    assert displayed[-1].endswith("14999 of many lines that nobody asked for")
    assert "in the raw log" in displayed[-1]


# ---------------------------------------------------------------- hostile input

_LEAVES: list[Any] = [
    None,
    True,
    -1,
    0,
    1.5,
    2**70,
    1e308,
    "",
    "x",
    "\ud83d",
    [],
    {},
    [[]],
    {"a": 1},
]


def broken(rng: random.Random, lines: list[bytes]) -> bytes:
    """A recorded line that something has happened to."""
    line = rng.choice(lines)
    match rng.randrange(6):
        case 0:
            return line[: rng.randrange(len(line) + 1)] + b"\n"
        case 1:
            place = rng.randrange(len(line))
            return line[:place] + rng.randbytes(rng.randrange(1, 4)) + line[place + 1 :]
        case 2:
            other = rng.choice(lines)
            return line[: rng.randrange(len(line) + 1)] + other[rng.randrange(len(other)) :]
        case 3:
            return rng.randbytes(rng.randrange(1, 200))
        case _:
            return mutated(rng, line)


def mutated(rng: random.Random, line: bytes) -> bytes:
    """The same line with a value of another type, or without one."""
    try:
        message = json.loads(line)
    except ValueError:
        return line
    node = message
    while isinstance(node, dict | list) and node:
        key = rng.choice(list(node)) if isinstance(node, dict) else rng.randrange(len(node))
        child = node[key]
        if not isinstance(child, dict | list) or not child or rng.random() < 0.3:
            if rng.random() < 0.2:
                del node[key]
            else:
                node[key] = rng.choice(_LEAVES)
            break
        node = child
    return json.dumps(message).encode() + b"\n"


def disturb(rng: random.Random, dialogue: Dialogue, lines: list[bytes], count: int) -> None:
    """Feed broken lines, and say things meanwhile; whatever comes out can be written down."""
    asked: list[str] = []
    for _ in range(count):
        stream = rng.choice([Stream.STDOUT] * 6 + [Stream.STDIN, Stream.STDERR])
        line = broken(rng, lines) if rng.random() < 0.8 else rng.choice(lines)
        for event in dialogue.receive(stream, line):
            if isinstance(event, EntryPut):
                msgspec.json.encode(event.entry)
            elif isinstance(event, ApprovalAsked):
                asked.append(event.call)
        if rng.random() < 0.02:
            call = rng.choice(asked or ["nobody"])
            output = Decide(call, rng.choice(list(Decision)), "why", {"a": "b"})
            commands: list[AgentCommand] = [output, Interrupt(), Prompt("more")]
            dialogue.send(rng.choice(commands))
        if rng.random() < 0.1:
            dialogue.outgoing()
    for event in dialogue.finish():
        if isinstance(event, EntryPut):
            msgspec.json.encode(event.entry)


@pytest.mark.parametrize("executor", sorted({recording.executor for recording in ALL}))
def test_no_broken_line_is_a_surprise(executor: Executor) -> None:
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    mine = [recording for recording in ALL if recording.executor is executor]
    lines = [line for recording in mine for _, line in recording.records]
    agents = len({recording.executor for recording in ALL})
    until = time.monotonic() + SECONDS / agents
    read = 0
    while read < LINES if LINES else (time.monotonic() < until or not read):
        try:
            disturb(rng, rng.choice(mine).fresh(), lines, 200)
        except Exception as error:
            raise AssertionError(f"seed {seed}, after {read} lines") from error
        read += 200
