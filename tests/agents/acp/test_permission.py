"""Questions for permission: each is answered once, withdrawn, or refused."""

from __future__ import annotations

from typing import Any

import pytest

from anyond.agents.common.core import (
    ApprovalAnswered,
    ApprovalAsked,
    Decide,
    Decision,
)
from tests.support.dialogues.acp_driver import reported
from tests.support.dialogues.acp_talk import ONCE, REJECT, working

ALWAYS = {"optionId": "A", "kind": "allow_always"}

NEVER = {"optionId": "n", "kind": "reject_always"}


@pytest.mark.parametrize(
    ("options", "decision", "outcome"),
    [
        ([ALWAYS, REJECT, ONCE], Decision.APPROVED, "o"),
        ([REJECT, ALWAYS], Decision.APPROVED, "A"),
        ([{"optionId": "x", "kind": "allow_for_ever"}], Decision.APPROVED, "x"),
        ([NEVER, ONCE, REJECT], Decision.DENIED, "r"),
        ([NEVER, ONCE], Decision.TIMED_OUT, "n"),
        ([ONCE], Decision.DENIED, None),
        ([], Decision.APPROVED, None),
        (["nonsense", {"kind": "allow_once", "optionId": 3}], Decision.APPROVED, None),
    ],
)
def test_an_option_is_chosen_by_its_kind(
    options: list[Any], decision: Decision, outcome: str | None
) -> None:
    talk = working()
    assert talk.ask("q", options) == []
    [asked] = talk.only(ApprovalAsked)
    talk.dialogue.send(Decide(asked.call, decision))
    assert talk.only(ApprovalAnswered) == []
    assert talk.pump() == ["answer q"]
    chosen = talk.printed[-1]["result"]["outcome"]
    expected: dict[str, Any] = {"outcome": "cancelled"}
    if outcome is not None:
        expected = {"outcome": "selected", "optionId": outcome}
    assert chosen == expected
    assert talk.only(ApprovalAnswered) == [ApprovalAnswered(asked.call)]


def test_a_question_is_answered_once() -> None:
    talk = working()
    talk.ask(0, [ONCE, REJECT])
    [asked] = talk.only(ApprovalAsked)
    talk.dialogue.send(Decide(asked.call, Decision.APPROVED))
    talk.dialogue.send(Decide(asked.call, Decision.DENIED))
    assert talk.pump() == ["answer 0"]
    talk.dialogue.send(Decide(asked.call, Decision.DENIED))
    assert talk.pump() == []
    assert talk.printed[-1]["result"]["outcome"]["optionId"] == "o"


def test_parallel_questions_and_reused_ids_are_told_apart() -> None:
    talk = working()
    talk.ask(0, [ONCE], toolCallId="a")
    talk.ask("0", [ONCE], toolCallId="b")
    first, second = talk.only(ApprovalAsked)
    assert (first.entry_key, second.entry_key) == ("tool:a", "tool:b")
    for asked in (second, first):
        talk.dialogue.send(Decide(asked.call, Decision.APPROVED))
    talk.pump()
    assert [message["id"] for message in talk.printed[-2:]] == ["0", 0]
    talk.ask(0, [ONCE])
    assert len({asked.call for asked in talk.only(ApprovalAsked)}) == 3


def test_a_variant_can_allow_everything_and_asking_wins() -> None:
    talk = working(auto_approve=True)
    assert talk.ask(0, [ALWAYS, ONCE]) == ["answer 0"]
    assert talk.printed[-1]["result"]["outcome"]["optionId"] == "o"
    assert talk.only(ApprovalAsked) == []
    assert working(auto_approve=True, approvals=True).ask(0, [ONCE]) == []


def test_what_we_do_not_offer_is_refused() -> None:
    talk = working()
    assert talk.hear(id=9, method="fs/read_text_file", params={"path": "/x"}) == ["answer 9"]
    assert talk.printed[-1]["error"]["code"] == -32601


def test_a_question_is_withdrawn_when_the_turn_ends_without_an_answer() -> None:
    talk = working()
    talk.ask(0, [ONCE], title="Danger", kind="execute", rawInput={"command": "rm x"})
    talk.reply({"stopReason": "end_turn"})
    assert reported(talk.events)[1:] == [
        "command_run failed: rm x [False] ''",
        "> session",
        "> asked: Danger",
        "> withdrawn",
        "> completed",
    ]
