"""One entry weighs only so much, and whoever reads it hears where the rest is."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from anyond.agents.common.core import AgentEvent, ApprovalAsked, EntryPut, Outcome, TurnEnded
from anyond.agents.common.entry import TEXT_MOST
from anyond.logs.bounds import ENTRY_MOST, TOO_LARGE
from anyond.logs.conversation import Conversation
from anyond.model.entries import (
    Action,
    AssistantMessage,
    CommandRun,
    CommandRunResult,
    Created,
    FileRead,
    NormalizedEntry,
    Succeeded,
    Tool,
    ToolUse,
    UserMessage,
)
from anyond.model.records import Record, Stream


class Saying:
    """A dialogue that says the same whatever is read."""

    def __init__(self, *events: AgentEvent) -> None:
        self.events = list(events)

    def receive(self, stream: Stream, data: bytes, at: int = 0) -> Sequence[AgentEvent]:
        return self.events

    def finish(self) -> Sequence[AgentEvent]:
        return []


def _conversation(*events: AgentEvent) -> Conversation:
    return Conversation("process", Saying(*events), 3600)  # type: ignore[arg-type]


def _displayed(conversation: Conversation) -> list[bytes]:
    conversation.feed(Record(1, Stream.STDOUT, b"x"))
    return [frame.entry for frame in conversation.final_frames()]


def _tool(action: Action) -> EntryPut:
    use = ToolUse(tool_name="n" * TEXT_MOST, action_type=action, status=Succeeded())
    metadata = {"tool_call_id": "t1"}
    return EntryPut("k", NormalizedEntry(entry_type=use, content="c", metadata=metadata))


LARGE = "w" * 2 * ENTRY_MOST


@pytest.mark.parametrize(
    "action",
    [
        FileRead(path=LARGE),
        CommandRun(command="c", result=CommandRunResult(output=LARGE)),
        Tool(tool_name="n", arguments={"a": [LARGE]}),
    ],
)
def test_a_tool_that_weighs_too_much_is_named_and_its_end_is_shown(action: Action) -> None:
    [entry] = _displayed(_conversation(_tool(action)))
    assert len(entry) < 10_000
    reported = json.loads(entry)
    assert reported["entry_type"]["action_type"]["description"] == TOO_LARGE
    assert reported["entry_type"]["status"] == {"status": "success"}
    assert reported["metadata"] == {"tool_call_id": "t1"}


def test_a_text_is_cut_and_a_message_of_a_person_is_not() -> None:
    long = "é" * 2 * TEXT_MOST
    model, person = _displayed(
        _conversation(
            EntryPut("a", NormalizedEntry(entry_type=AssistantMessage(), content=long)),
            EntryPut("b", NormalizedEntry(entry_type=UserMessage(), content=long)),
        )
    )
    assert len(model) < 2.1 * TEXT_MOST
    assert json.loads(model)["content"].endswith("is only in the raw log.")
    assert json.loads(person)["content"] == long


def test_a_question_about_too_much_is_asked_without_it() -> None:
    made = _conversation(ApprovalAsked("q", "Write", {"content": LARGE}, "k"))
    made.feed(Record(1, Stream.STDOUT, b"x"))
    assert [question.tool_input for question in made.questions] == [TOO_LARGE]


def test_the_end_of_a_turn_is_told_tool_by_tool() -> None:
    use = ToolUse(tool_name="n", action_type=FileRead(path="p"), status=Created())
    entry = NormalizedEntry(entry_type=use, content="c")
    events = [EntryPut(f"k{n}", entry) for n in range(500)]
    made = _conversation(*events, TurnEnded(Outcome.COMPLETED))
    most = 0
    steps, seen = 0, 0
    for _ in made.steps(Record(1, Stream.STDOUT, b"x")):
        steps += 1
        most, seen = max(most, made.end - seen), made.end
        assert made.outcome is None, "it is told when all of it is so"
    assert most == 1, "others see each change"
    assert steps > 1000
    assert made.outcome is Outcome.COMPLETED
    statuses = [json.loads(f.entry)["entry_type"]["status"] for f in made.final_frames()]
    assert statuses == [{"status": "failed"}] * 500
