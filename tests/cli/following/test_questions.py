"""Questions in words, and what is decided without a person."""

from __future__ import annotations

from typing import Any

import pytest

from anyond.cli.following.questions import (
    Rules,
    approved,
    choices,
    denied,
    picked,
    question_lines,
    whole_lines,
)
from anyond.model.rows import Approval, ApprovalStatus

ASKS = {
    "questions": [
        {
            "question": "Which \x1btea?",
            "options": [{"label": "Green"}, {"label": "Black"}],
            "multiSelect": False,
        }
    ]
}


def approval(tool: str = "Bash", given: Any = None) -> Approval:
    return Approval(
        id="q",
        execution_process_id="x",
        task_attempt_id="a",
        call="c",
        tool_name=tool,
        tool_input=given,
        status=ApprovalStatus.PENDING,
        created_at="",
        timeout_at="",
    )


def test_a_tool_is_named_with_what_it_is_given() -> None:
    given = {"command": "rm -rf \x1b[2J\nls", "timeout": 3}
    assert question_lines(approval(given=given)) == [
        "Bash",
        "  command: rm -rf ␛[2J",
        "           ls",
        "  timeout: 3",
    ]
    assert question_lines(approval("`ls`", {"command": "ls"})) == ["`ls`"]
    long = question_lines(approval(given={"plan": "\n".join("x" * 30)}))
    assert len(long) == 13
    assert "19 more lines" in long[-1]
    assert len(whole_lines(approval(given=given))) == 5


@pytest.mark.parametrize(
    "given", [None, 7, "text", [], {}, {"questions": 3}, {"questions": [1, {}]}]
)
def test_whatever_is_given_is_no_failure(given: Any) -> None:
    assert question_lines(approval(given=given))[0] == "Bash"
    assert choices(approval(given=given)) == []


def test_questions_have_options_to_pick() -> None:
    asked = approval("AskUserQuestion", ASKS)
    assert question_lines(asked) == ["Which ␛tea?", "  1. Green", "  2. Black"]
    (choice,) = choices(asked)
    assert [picked(choice, [text]) for text in ("2", "0", "3", "Oolong")] == [
        "Black",
        "0",
        "3",
        "Oolong",
    ]
    assert picked(choice, ["1", "2"]) == "Green, Black"


def test_rules_decide_by_the_name_of_the_tool() -> None:
    assert Rules().decision(approval()) is None
    assert Rules(("bash",)).decision(approval()) == approved()
    assert Rules(("edit*",)).decision(approval()) is None
    assert Rules(("*",)).decision(approval()) == approved()
    assert Rules((), True).decision(approval()) == denied("It was started with --deny.")
    assert Rules(("*",)).decision(approval("Ask", ASKS)) is None, "nobody chooses by a rule"
