"""Entries, numbers and questions are a fold of the log: the same log, the same conversation."""

from __future__ import annotations

import itertools
import json
import sys
import tracemalloc
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyond.agents.common.core import (
    AgentEvent,
    ApprovalAnswered,
    ApprovalAsked,
    ApprovalWithdrawn,
    Decision,
    EntryPut,
    Noise,
    Outcome,
    SessionStarted,
    TurnEnded,
)
from anyond.logs import archive, notes
from anyond.logs.bounds import OPEN_MOST, Bounds
from anyond.logs.conversation import NOISE_MOST, Conversation
from anyond.model.entries import (
    AssistantMessage,
    CommandRun,
    Denied,
    Failed,
    NormalizedEntry,
    PendingApproval,
    StatusTimedOut,
    Succeeded,
    ToolStatus,
    ToolUse,
    UserMessage,
)
from anyond.model.http.frames import EntryFrame
from anyond.model.records import Record, Stream


class Scripted:
    """A dialogue whose lines name events: the simplest agent there is."""

    def receive(self, stream: Stream, data: bytes, at: int = 0) -> Sequence[AgentEvent]:
        return [event for line in data.decode().splitlines() for event in self._event(line)]

    def _event(self, line: str) -> list[AgentEvent]:
        word, _, rest = line.partition(" ")
        match word:
            case "say":
                key, _, text = rest.partition(" ")
                return [EntryPut(key, emit(text))]
            case "tool":
                return [EntryPut("tool", tool())]
            case "done":
                return [EntryPut("tool", tool(Succeeded()))]
            case "fail":
                return [EntryPut("tool", tool(Failed()))]
            case "ask":
                return [ApprovalAsked("q", "Bash", {"command": "ls"}, "tool")]
            case "told":
                return [ApprovalAnswered("q")]
            case "withdraw":
                return [ApprovalWithdrawn("q")]
            case "call":
                called = msgspec.structs.replace(tool(), metadata={"tool_call_id": "c1"})
                return [EntryPut("tool:c1", called)]
            case "sub":
                return [EntryPut("s", msgspec.structs.replace(emit("s"), parent="tool:c1"))]
            case "user":
                entry = NormalizedEntry(entry_type=UserMessage(), content=rest)
                return [EntryPut(f"user:{rest}", entry)]
            case "session":
                return [SessionStarted(rest)]
            case "end":
                return [TurnEnded(Outcome(rest))]
        return [Noise(line)]

    def finish(self) -> Sequence[AgentEvent]:
        return []

    def send(self, command: object) -> None: ...

    def outgoing(self) -> list[bytes]:
        return []


def emit(text: str) -> NormalizedEntry:
    return NormalizedEntry(entry_type=AssistantMessage(), content=text)


def tool(status: ToolStatus | None = None) -> NormalizedEntry:
    use = ToolUse(tool_name="Bash", action_type=CommandRun(command="ls"))
    if status is not None:
        use = ToolUse(tool_name="Bash", action_type=CommandRun(command="ls"), status=status)
    return NormalizedEntry(entry_type=use, content="ls")


def conversation(*lines: str | notes.Note) -> Conversation:
    made = Conversation("process", Scripted(), 3600)
    for at, line in enumerate(lines, start=1):
        if isinstance(line, str):
            made.feed(Record(at, Stream.STDOUT, f"{line}\n".encode()))
        else:
            made.feed(Record(at, Stream.NOTE, notes.encode(line)))
    return made


def status(made: Conversation, index: int = 0) -> str:
    frame = next(f for f in made.frames() if f.index == index)
    return str(json.loads(frame.entry)["entry_type"]["status"]["status"])


DENIED = notes.Decided(call="q", decision=Decision.DENIED, reason="no")
APPROVED = notes.Decided(call="q", decision=Decision.APPROVED)


def test_an_entry_that_grows_stays_one_entry_with_a_new_number() -> None:
    made = conversation("say a He", "say b other", "say a Hello")
    assert [(f.index, f.seq) for f in made.frames()] == [(1, 2), (0, 3)]
    assert json.loads(made.frames(2)[0].entry)["content"] == "Hello"
    assert made.frames(3) == []


def test_the_same_text_again_is_no_news() -> None:
    assert conversation("say a x", "say a x").end == 1


def test_a_question_shows_on_its_tool_and_names_a_stable_approval() -> None:
    made = conversation("tool", "ask")
    (question,) = made.questions
    assert status(made) == "pending_approval"
    assert question.approval_id == conversation("tool", "ask").questions[0].approval_id
    assert question.timeout_at - question.asked_at == 3600 * 10**9


def test_an_approved_tool_goes_on_and_ends_well() -> None:
    made = conversation("tool", "ask", APPROVED, "told")
    assert status(made) == "created"
    assert made.questions == []
    assert status(conversation("tool", "ask", APPROVED, "told", "done")) == "success"


def test_a_denied_tool_stays_denied_whatever_the_agent_calls_it() -> None:
    made = conversation("tool", "ask", DENIED, "told", "fail", "end completed")
    assert status(made) == "denied"
    feedback = json.loads(made.frames()[-1].entry)
    assert (feedback["entry_type"], feedback["content"]) == (
        {"type": "user_feedback", "denied_tool": "Bash"},
        "no",
    )


def test_a_question_nobody_answered_says_so() -> None:
    late = notes.Decided(call="q", decision=Decision.TIMED_OUT)
    assert status(conversation("tool", "ask", late, "told")) == "timed_out"


def test_a_decision_that_the_agent_has_not_heard_keeps_the_question_open() -> None:
    assert [q.call for q in conversation("tool", "ask", APPROVED).questions] == ["q"]


def test_a_withdrawn_question_is_closed() -> None:
    made = conversation("tool", "ask", "withdraw")
    assert made.questions == []
    assert status(made) == "denied"


def test_nothing_stays_created_when_the_turn_ends() -> None:
    assert status(conversation("tool", "end completed")) == "failed"


def test_nothing_stays_open_when_the_process_ends() -> None:
    made = conversation("tool", "ask")
    made.close(9, "The agent exited with code 1 before it had finished its turn.")
    assert status(made) == "denied"
    assert made.questions == []
    assert json.loads(made.frames()[-1].entry)["entry_type"]["type"] == "error_message"


def test_the_summary_is_what_was_said_last_cut_between_characters() -> None:
    assert conversation("say a first", "tool", "say b last").summary == "last"
    long = conversation("say a " + "🙂" * 2000).summary
    assert long is not None
    assert long.endswith("🙂...")
    assert len(long.encode()) <= 4096 + 3


def test_noise_is_shown_and_never_an_error() -> None:
    made = conversation("garbage")
    assert json.loads(made.frames()[0].entry)["content"] == "garbage"
    made = conversation("x" * 10_000_000)
    assert json.loads(made.frames()[0].entry)["content"] == "x" * NOISE_MOST + " […]"


def test_an_unknown_note_of_a_later_version_is_passed_over() -> None:
    made = conversation("say a x")
    made.feed(Record(9, Stream.NOTE, b'{"note":"from the future"}\n'))
    made.feed(Record(9, Stream.NOTE, b"\xff\x00"))
    assert made.end == 1


LINES = st.sampled_from(
    ["say a one", "say a two", "say b three", "tool", "ask", "told", "withdraw", "done", "fail"]
)


@given(st.lists(LINES, max_size=30), st.integers(0, 40))
def test_a_follower_who_resumes_anywhere_ends_with_the_same_entries(
    lines: list[str], cut: int
) -> None:
    made = Conversation("process", Scripted(), 1)
    held: dict[int, bytes] = {}
    position = 0
    for at, line in enumerate(lines):
        made.feed(Record(at, Stream.STDOUT, line.encode()))
        if at == cut:
            frames = made.frames(position, most=2)
            held.update({f.index: f.entry for f in frames})
            position = frames[-1].seq if frames else position
    made.close(99)
    held.update({f.index: f.entry for f in made.frames(position)})
    assert held == {f.index: f.entry for f in made.final_frames()}


@given(st.lists(LINES, max_size=30), st.integers(0, 60))
def test_the_archive_goes_on_where_the_live_conversation_was_left(
    lines: list[str], seen: int
) -> None:
    made = conversation(*lines)
    live = {f.index: f.entry for f in made.frames() if f.seq <= seen}
    final = made.final_frames()
    assert [f.index for f in final] == list(range(made.count))
    assert all(a.seq < b.seq for a, b in itertools.pairwise(final))
    live.update({f.index: f.entry for f in final if f.seq > seen})
    assert live == {f.index: f.entry for f in final}


@pytest.mark.thorough
@pytest.mark.thorough
def test_whoever_follows_a_text_that_grows_misses_nothing_and_the_past_is_swept() -> None:
    made = Conversation("process", Scripted(), 1)
    held: dict[int, bytes] = {}
    positions = [0]
    tracemalloc.start()
    try:
        for at in range(20_000):
            made.feed(Record(at, Stream.STDOUT, b"say %s %d\n" % (b"abc"[at % 3 :][:1], at)))
            if at % 700 == 0:
                held.update({f.index: f.entry for f in made.frames(positions[-1])})
                positions.append(made.end)
        saved, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    held.update({f.index: f.entry for f in made.frames(positions[-1])})
    now = made.final_frames()
    assert held == {f.index: f.entry for f in now}
    for position in positions:
        assert [f.index for f in made.frames(position)] == [2, 0, 1]
    assert saved < 200_000


def test_a_batch_costs_what_is_in_it_and_not_what_comes_behind() -> None:
    made = conversation(*(f"say {number} text" for number in range(20_000)))
    steps = 0

    def count(*_: object) -> Any:
        nonlocal steps
        steps += 1
        return count

    sys.settrace(count)
    try:
        frames = [*made.frames(0, most=10), *made.frames(10_000, most=10)]
    finally:
        sys.settrace(None)
    assert [f.index for f in frames] == [*range(10), *range(10_000, 10_010)]
    assert steps < 1_000


def test_an_archive_line_survives_the_round_trip_and_damage_is_not_an_entry() -> None:
    frame = EntryFrame(4, 2, b'{"content":"x"}')
    line, end = archive.lines([frame], "x")
    assert archive.decode(line.rstrip()) == frame
    assert archive.decode(end.rstrip()) is None
    assert archive.decode(b'{"seq":4,"ind') is None


def test_statuses_are_what_the_api_calls_them() -> None:
    pending = PendingApproval(approval_id="i", requested_at="r", timeout_at="t")
    kinds = [type(s).__struct_config__.tag for s in (Denied(), StatusTimedOut(), pending)]
    assert kinds == ["denied", "timed_out", "pending_approval"]


def test_what_a_sub_agent_does_names_the_call_that_started_it() -> None:
    made = conversation("call", "sub")
    frames = [json.loads(frame.entry) for frame in made.frames()]
    assert frames[1]["parent"] == frames[0]["metadata"]["tool_call_id"] == "c1"


def test_a_message_of_the_person_opens_the_turn_again() -> None:
    made = conversation("end completed")
    assert (made.outcome, made.messages_received) == (Outcome.COMPLETED, 0)
    for at, text in ((5, "user 1"), (6, "user 2")):
        made.feed(Record(at, Stream.STDIN, text.encode()))
    assert (made.outcome, made.messages_received) == (None, 2)
    made.feed(Record(7, Stream.STDIN, b"user 2"))
    assert made.messages_received == 2


def test_a_silence_is_one_entry_until_somebody_speaks() -> None:
    made = conversation("say a A", notes.Quiet(seconds=60), notes.Quiet(seconds=120))
    assert (made.quiet_since, made.quiet_reported, made.count) == (1, 120, 2)
    assert b"for 120 s" in made.frames()[-1].entry
    made.feed(Record(9, Stream.STDERR, b"say b B"))
    assert (made.quiet_since, made.quiet_reported) == (9, 0)
    made.feed(Record(10, Stream.NOTE, notes.encode(notes.Quiet(seconds=60))))
    assert made.count == 4


def test_a_run_without_end_fills_its_entries_and_says_so() -> None:
    made = conversation()
    made._bounds = Bounds(entries=10, weight=1 << 20)
    for number in range(50):
        made.feed(Record(number + 1, Stream.STDOUT, f"say k{number} text\n".encode()))
    made.feed(Record(60, Stream.STDOUT, b"say k3 changed\nuser more\n"))
    texts = [json.loads(frame.entry)["content"] for frame in made.final_frames()]
    assert len(texts) == 12
    assert texts[3] == "changed"
    assert texts[-1] == "more"
    assert sum("only in the raw log" in text for text in texts) == 1


def test_large_entries_fill_a_run_as_many_do() -> None:
    made = conversation()
    made._bounds = Bounds(entries=1000, weight=1 << 20)
    for number in range(50):
        made.feed(Record(number + 1, Stream.STDOUT, f"say k{number} {'x' * 100_000}\n".encode()))
    weight = sum(len(frame.entry) for frame in made.final_frames())
    assert weight < 1.2 * (1 << 20)
    made.feed(Record(60, Stream.STDOUT, b"say k0 short\nsay last word\n"))
    texts = [json.loads(frame.entry)["content"] for frame in made.final_frames()]
    assert texts[0] == "short"
    assert texts[-1] == "word"


def test_questions_without_end_are_refused_and_a_replay_knows_it() -> None:
    class Asking(Scripted):
        def _event(self, line: str) -> list[AgentEvent]:
            word, _, call = line.partition(" ")
            if word == "answered":
                return [ApprovalAnswered(call)]
            return [EntryPut("tool", tool()), ApprovalAsked(call, "Bash", {}, "tool")]

    def asked() -> Conversation:
        made = Conversation("process", Asking(), 3600)
        for number in range(OPEN_MOST + 3):
            made.feed(Record(number + 1, Stream.STDOUT, f"ask q{number}\n".encode()))
        return made

    made = asked()
    assert len(made.questions) == OPEN_MOST
    excess = [f"q{OPEN_MOST + n}" for n in range(3)]
    assert made.take_excess(2) == excess[:2]
    assert made.take_excess(2) == excess[2:]
    assert made.take_excess(2) == []
    texts = [json.loads(frame.entry)["content"] for frame in made.final_frames()]
    assert sum("too many questions" in text for text in texts) == 1
    again = asked()
    again.feed(Record(900, Stream.STDOUT, f"answered {excess[0]}\n".encode()))
    assert again.take_excess(99) == excess[1:]
    again.feed(Record(901, Stream.STDOUT, b"answered q0\nask new\n"))
    assert "new" in [question.call for question in again.questions]
