"""What Claude Code is told: prompts, approvals, refusals, answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from anyond.agents.common.core import (
    ApprovalAsked,
    ApprovalWithdrawn,
    Decide,
    Decision,
    Interrupt,
    Outcome,
    Prompt,
    TurnEnded,
)
from anyond.model.records import Stream
from tests.support.dialogues.claude_driver import (
    Story,
    came_back,
    fresh,
    output,
    permission,
    replay,
    sent,
)


def test_it_begins_with_a_handshake_and_the_whole_prompt() -> None:
    dialogue = fresh("Do it.", append_prompt=" Quickly.")
    first, second = sent(dialogue)
    assert first["request_id"] == "anyon-1"
    assert first["request"] == {"subtype": "initialize", "forwardSubagentText": True}
    assert second["message"]["content"] == [{"type": "text", "text": "Do it. Quickly."}]
    assert dialogue.outgoing() == []


def test_an_approval_gives_the_input_back_as_it_came() -> None:
    dialogue = fresh(approvals=True)
    dialogue.outgoing()
    story = replay(output(permission("Bash", {"command": "true", "n": 10**30})), dialogue)
    assert story.lines() == ["CommandRun created: true"]
    dialogue.send(Decide("r1", Decision.APPROVED))
    dialogue.send(Decide("r1", Decision.DENIED))
    dialogue.send(Decide("unknown", Decision.APPROVED))
    [answer] = sent(dialogue)
    assert answer["response"]["response"] == {
        "behavior": "allow",
        "updatedInput": {"command": "true", "n": 10**30},
    }


@pytest.mark.parametrize("decision", [Decision.DENIED, Decision.TIMED_OUT])
def test_a_refusal_is_shown_once_it_has_been_sent(decision: Decision) -> None:
    dialogue = fresh(approvals=True)
    dialogue.outgoing()
    story = Story()
    for stream, data in output(permission("Bash", {"command": "true"})):
        story.add(dialogue.receive(stream, data))
    dialogue.send(Decide("r1", decision, reason="No"))
    assert story.lines() == ["CommandRun created: true"]
    [answer] = dialogue.outgoing()
    story.add(dialogue.receive(Stream.STDIN, answer))
    for stream, data in output(came_back("No", is_error=True)):
        story.add(dialogue.receive(stream, data))
    name = {Decision.DENIED: "denied", Decision.TIMED_OUT: "statustimedout"}[decision]
    assert story.lines() == [f"CommandRun {name}: true"]


def test_a_withdrawn_question_cannot_be_answered() -> None:
    dialogue = fresh(approvals=True)
    dialogue.outgoing()
    cancel = {"type": "control_cancel_request", "request_id": "r1"}
    story = replay(output(permission("Bash", {"command": "true"}), cancel), dialogue)
    assert story.others[-1] == ApprovalWithdrawn("r1")
    dialogue.send(Decide("r1", Decision.APPROVED))
    assert dialogue.outgoing() == []


def test_an_automatic_answer_to_a_withdrawn_request_is_not_sent() -> None:
    dialogue = fresh(dangerously_skip_permissions=True)
    dialogue.outgoing()
    cancel = {"type": "control_cancel_request", "request_id": "r1"}
    story = replay(output(permission("Bash", {"command": "true"}), cancel), dialogue)
    assert dialogue.outgoing() == []
    assert story.others == []


def test_the_skipping_variant_answers_everything_but_questions() -> None:
    dialogue = fresh(dangerously_skip_permissions=True)
    dialogue.outgoing()
    story = replay(
        output(
            permission("Bash", {"command": "true"}, "r1", "t1"),
            permission("AskUserQuestion", {"questions": []}, "r2", "t2"),
        ),
        dialogue,
    )
    [answer] = sent(dialogue)
    assert answer["response"]["request_id"] == "r1"
    assert answer["response"]["response"]["behavior"] == "allow"
    assert [event.call for event in story.others if isinstance(event, ApprovalAsked)] == ["r2"]


def test_an_approved_plan_ends_the_asking_and_sets_no_mode_outside_the_session() -> None:
    dialogue = fresh(plan=True)
    dialogue.outgoing()
    story = Story()
    for stream, data in output(permission("ExitPlanMode", {"plan": "# Plan"})):
        story.add(dialogue.receive(stream, data))
    dialogue.send(Decide("r1", Decision.APPROVED))
    [answer] = dialogue.outgoing()
    assert json.loads(answer)["response"]["response"]["updatedPermissions"] == [
        {"type": "setMode", "mode": "acceptEdits", "destination": "session"}
    ]
    for stream, data in [
        (Stream.STDIN, answer),
        *output(permission("Bash", {"command": "true"}, "r2", "t2")),
    ]:
        story.add(dialogue.receive(stream, data))
    assert [one["response"]["request_id"] for one in sent(dialogue)] == ["r2"]
    assert story.lines()[0] == "PlanPresentation created: # Plan"


def test_before_the_plan_is_approved_tools_are_asked_for() -> None:
    dialogue = fresh(plan=True)
    dialogue.outgoing()
    story = replay(output(permission("Bash", {"command": "true"})), dialogue)
    assert isinstance(story.others[0], ApprovalAsked)
    assert dialogue.outgoing() == []


def test_answers_to_a_question_travel_with_its_input() -> None:
    dialogue = fresh()
    dialogue.outgoing()
    replay(output(permission("AskUserQuestion", {"questions": []})), dialogue)
    dialogue.send(Decide("r1", Decision.APPROVED, answers={"Which?": "Red"}))
    [answer] = sent(dialogue)
    assert answer["response"]["response"]["updatedInput"] == {
        "questions": [],
        "answers": {"Which?": "Red"},
    }


@pytest.mark.parametrize(
    "request_body", [{"subtype": "elicitation"}, {"subtype": "can_use_tool"}, {}, 7, None]
)
def test_a_request_that_cannot_be_answered_is_refused(request_body: Any) -> None:
    dialogue = fresh()
    dialogue.outgoing()
    replay(
        output({"type": "control_request", "request_id": "r1", "request": request_body}), dialogue
    )
    [answer] = sent(dialogue)
    assert answer["response"]["subtype"] == "error"
    assert answer["response"]["request_id"] == "r1"


def test_a_hook_gets_an_empty_answer() -> None:
    dialogue = fresh()
    dialogue.outgoing()
    hook = {"subtype": "hook_callback", "callback_id": "x", "input": {}}
    replay(output({"type": "control_request", "request_id": "r1", "request": hook}), dialogue)
    assert [one["response"]["response"] for one in sent(dialogue)] == [{}]


def test_a_turn_after_an_idle_interrupt_counts_as_completed() -> None:
    dialogue, story = fresh(), Story()
    dialogue.send(Interrupt())
    dialogue.send(Prompt("And now?"))
    handshake, prompt, interrupt, more = dialogue.outgoing()
    result = output({"type": "result", "subtype": "success", "is_error": False})
    for stream, data in [
        (Stream.STDIN, handshake + prompt),
        *result,
        (Stream.STDIN, interrupt + more),
        *result,
    ]:
        story.add(dialogue.receive(stream, data))
    assert story.ends() == [TurnEnded(Outcome.COMPLETED), TurnEnded(Outcome.COMPLETED)]
    assert story.lines() == ["UserMessage: SCN=basic please", "UserMessage: And now?"]


def test_request_ids_go_on_where_the_log_ends() -> None:
    dialogue = fresh()
    ours = {"type": "control_request", "request_id": "anyon-7", "request": {"subtype": "x"}}
    dialogue.receive(Stream.STDIN, json.dumps(ours).encode() + b"\n")
    dialogue.send(Interrupt())
    assert sent(dialogue)[-1]["request_id"] == "anyon-8"
