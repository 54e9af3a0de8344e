"""Turns of Codex, their ends, and its questions."""

from __future__ import annotations

from typing import Any

import pytest

from anyond.agents.codex.agent import Codex
from anyond.agents.common.core import (
    ApprovalAsked,
    ApprovalWithdrawn,
    Decide,
    Decision,
    Dialogue,
    EntryPut,
    Interrupt,
    Outcome,
    Prompt,
    Turn,
    TurnEnded,
)
from anyond.model.entries import (
    Denied,
    ErrorMessage,
    SetupRequired,
)
from tests.support.dialogues.acp_driver import entries, reported
from tests.support.dialogues.codex_driver import echo, hear, opened, tell
from tests.support.dialogues.codex_items import completed, ends, error, item


def test_a_late_message_is_not_lost_between_two_turns() -> None:
    dialogue = opened()
    dialogue.send(Prompt("wait"))
    [sent] = echo(dialogue)
    assert ends(completed(dialogue)) == []
    assert ends(hear(dialogue, id=sent["id"], result={"turn": {"id": "t2"}})) == []
    assert ends(completed(dialogue, "t2")) == [TurnEnded(Outcome.COMPLETED)]


def test_a_message_that_joined_the_turn_in_the_last_moment_does_not_hold_it_up() -> None:
    dialogue = opened()
    dialogue.send(Prompt("wait"))
    [sent] = echo(dialogue)
    assert ends(completed(dialogue)) == []
    answer = hear(dialogue, id=sent["id"], result={"turn": {"id": "t1"}})
    assert ends(answer) == [TurnEnded(Outcome.COMPLETED)]


def test_a_message_that_is_refused_is_told_and_the_turn_goes_on() -> None:
    dialogue = opened()
    dialogue.send(Prompt("wait"))
    [sent] = echo(dialogue)
    events = hear(dialogue, id=sent["id"], error={"code": -1, "message": "no"})
    assert reported(events) == ["error: no"]
    assert ends(completed(dialogue)) == [TurnEnded(Outcome.COMPLETED)]


@pytest.mark.parametrize(
    ("status", "failure", "words"),
    [
        ("completed", {"message": "out of money"}, "out of money"),
        ("failed", None, "'failed'"),
        ("odd", None, "'odd'"),
        ("failed", {"message": "x", "codexErrorInfo": "unauthorized"}, "codex login"),
        ("failed", {"message": "x", "codexErrorInfo": {"unauthorized": {}}}, "codex login"),
        ("failed", {"message": "unexpected status 401 Unauthorized"}, "codex login"),
        ("failed", {"message": "x", "additionalDetails": "invalid_api_key"}, "codex login"),
        ("failed", {"message": 'status 400: {"detail": "bad model"}, url'}, "400: bad model, url"),
        ("failed", {"message": "a", "additionalDetails": "b"}, "a: b"),
        ("failed", {}, "'failed'"),
    ],
)
def test_success_needs_all_the_evidence(status: str, failure: Any, words: str) -> None:
    events = completed(opened(), status=status, error=failure)
    [end] = ends(events)
    assert end.outcome is Outcome.FAILED
    assert words in str(end.error)
    [entry] = entries(events).values()
    assert entry.content == end.error
    setup = entry.entry_type == ErrorMessage(error_type=SetupRequired())
    assert setup is (words == "codex login")


def test_an_error_without_a_failed_turn_is_a_failure_unless_the_agent_went_on() -> None:
    dialogue = opened()
    error(dialogue, retry=False)
    assert ends(completed(dialogue)) == [TurnEnded(Outcome.FAILED, "broken")]
    dialogue = opened()
    error(dialogue, retry=False)
    item(dialogue, type="agentMessage", id="m", text="")
    assert ends(completed(dialogue)) == [TurnEnded(Outcome.COMPLETED)]


def test_retries_are_one_entry_that_changes() -> None:
    dialogue = opened()
    first = error(dialogue, retry=True, message="Reconnecting... 1/5")
    second = error(dialogue, retry=True, message="Reconnecting... 2/5")
    assert first[0].key == second[0].key
    assert second[0].entry.content == "Reconnecting... 2/5"


def test_an_interrupt_waits_until_the_turn_can_be_named() -> None:
    dialogue = Codex().dialogue(Turn(prompt="p", cwd="/w"))
    dialogue.send(Interrupt())
    echo(dialogue)
    hear(dialogue, id=1, result={})
    echo(dialogue)
    hear(dialogue, id=2, result={"thread": {"id": "main"}})
    assert [message["method"] for message in echo(dialogue)] == ["turn/start"]
    hear(dialogue, id=3, result={"turn": {"id": "t1"}})
    [asked] = echo(dialogue)
    assert (asked["method"], asked["params"]["turnId"]) == ("turn/interrupt", "t1")
    assert ends(completed(dialogue)) == [TurnEnded(Outcome.INTERRUPTED)]
    assert hear(dialogue, id=asked["id"], result={}) == []


def test_a_thread_that_cannot_be_opened_is_a_failure() -> None:
    dialogue = Codex().dialogue(Turn(prompt="p", cwd="/w"))
    echo(dialogue)
    hear(dialogue, id=1, result={})
    echo(dialogue)
    events = hear(dialogue, id=2, error={"code": -32600, "message": "failed to load configuration"})
    assert reported(events)[-1] == "> failed: failed to load configuration"
    dialogue = Codex().dialogue(Turn(prompt="p", cwd="/w"))
    echo(dialogue)
    events = hear(dialogue, id=1, error={"code": -32600, "message": "You are not logged in."})
    [error] = entries(events).values()
    assert error.entry_type == ErrorMessage(error_type=SetupRequired())
    assert "`codex login`" in error.content


def ask_command(dialogue: Dialogue, id: int = 0) -> ApprovalAsked:
    item(dialogue, type="commandExecution", id="c", command="make", status="inProgress")
    params = {"threadId": "main", "itemId": "c", "command": "/bin/bash -lc make"}
    method = "item/commandExecution/requestApproval"
    [asked] = hear(dialogue, id=id, method=method, params=params)[-1:]
    assert isinstance(asked, ApprovalAsked)
    return asked


def test_a_reason_is_told_before_the_answer_and_made_up_for_after_a_crash() -> None:
    decision = Decide("0", Decision.DENIED, reason="too slow")
    before = opened()
    asked = ask_command(before)
    assert (asked.call, asked.tool_input) == ("0", {"command": "make"})
    before.send(decision)
    before.send(decision)
    reason, answer = echo(before)
    assert reason["method"] == "turn/start"
    assert answer["result"] == {"decision": "decline"}

    after = opened()
    ask_command(after)
    tell(after, **reason)
    after.send(decision)
    [again] = after.outgoing()
    assert b'"decline"' in again
    [put, answered] = tell(after, **answer)
    assert put.entry.entry_type.status == Denied(reason="too slow")
    assert reported([answered]) == ["> answered"]


def test_the_free_variant_allows_what_is_asked_all_the_same_and_once() -> None:
    dialogue = opened(sandbox="danger-full-access", ask_for_approval=None)
    params = {"threadId": "main", "itemId": "c", "command": "make"}
    method = "item/commandExecution/requestApproval"
    events = hear(dialogue, id=0, method=method, params=params)
    assert [type(event) for event in events] == [EntryPut]
    tell(dialogue, id=0, result={"decision": "accept"})
    assert dialogue.outgoing() == []


def test_an_answered_question_is_not_withdrawn_and_its_number_may_come_again() -> None:
    dialogue = opened()
    ask_command(dialogue)
    dialogue.send(Decide("0", Decision.APPROVED))
    echo(dialogue)
    resolved = {"threadId": "main", "requestId": 0}
    assert hear(dialogue, method="serverRequest/resolved", params=resolved) == []
    assert ask_command(dialogue).call == "0#2"
    [gone] = hear(dialogue, method="serverRequest/resolved", params=resolved)
    assert gone == ApprovalWithdrawn("0#2")


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Decision.APPROVED, {"permissions": {"network": {"on": True}}, "scope": "turn"}),
        (Decision.DENIED, {"permissions": {}, "scope": "turn"}),
    ],
)
def test_permissions_are_granted_for_the_turn_or_not_at_all(
    verdict: Decision, expected: dict[str, Any]
) -> None:
    dialogue = opened()
    needed = {"network": {"on": True}, "fileSystem": None}
    params = {"threadId": "main", "itemId": "p", "reason": "to fetch", "permissions": needed}
    method = "item/permissions/requestApproval"
    put, asked = hear(dialogue, id=4, method=method, params=params)
    assert (put.entry.content, asked.tool_name) == ("to fetch", "request_permissions")
    dialogue.send(Decide(asked.call, verdict))
    [answer] = echo(dialogue)
    assert answer["result"] == expected


def test_a_form_of_an_mcp_server_is_for_a_person_even_in_the_free_variant() -> None:
    dialogue = opened(sandbox="danger-full-access", ask_for_approval=None)
    params = {"threadId": "main", "serverName": "s", "mode": "form", "message": "Your name?"}
    put, asked = hear(dialogue, id=0, method="mcpServer/elicitation/request", params=params)
    assert (put.entry.content, asked.tool_name) == ("Your name?", "mcp:s")
    dialogue.send(Decide(asked.call, Decision.APPROVED, answers={"name": "Ada"}))
    [answer] = echo(dialogue)
    assert answer["result"] == {"action": "accept", "content": {"name": "Ada"}}


def test_what_is_not_offered_is_refused() -> None:
    dialogue = opened()
    assert hear(dialogue, id=0, method="item/tool/call", params={"tool": "x"}) == []
    [answer] = echo(dialogue)
    assert answer["error"]["code"] == -32601
