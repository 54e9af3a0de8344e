"""A yes that reaches further than one question: what it answers, and what it never does."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from anyond.model.http.bodies import ApprovalAnswer
from anyond.model.http.rules import ApprovalScope, RuleMatch
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.model.rows import Approval, ApprovalStatus
from anyond.operations.turn import questions
from anyond.store.board import preferences
from anyond.store.engine.transaction import Tx
from anyond.store.runs import approval_rules, approvals
from tests.support.store.seeds import (
    add_attempt,
    add_family,
    add_process,
    add_project,
    add_task,
    at,
    end_process,
    question,
)


def asked(tx: Tx, id: str, process: str = "x", attempt: str = "a", **more: Any) -> ApprovalStatus:
    row = replace(question(id, process, id, attempt), **more)
    return questions.ask(tx, row).status


def yes(tx: Tx, id: str, scope: ApprovalScope, match: RuleMatch | None = None) -> list[Approval]:
    given = ApprovalAnswer(status=ApprovalStatus.APPROVED, scope=scope, match=match)
    return questions.answer_and_allow(tx, id, given, at(3))[1]


def two_runs(tx: Tx) -> None:
    """The runs x and y of the attempts a and b of one project, z of another project."""
    add_family(tx)
    add_process(tx)
    add_attempt(tx, "b")
    add_process(tx, "y", "b")
    add_project(tx, "q")
    add_task(tx, "u", "q")
    add_attempt(tx, "c", "u")
    add_process(tx, "z", "c")


OTHER = {"command": "rm -rf /"}


def test_a_command_is_allowed_as_it_is_and_only_where_it_was(tx: Tx) -> None:
    two_runs(tx)
    assert asked(tx, "1") is ApprovalStatus.PENDING
    (decided,) = yes(tx, "1", ApprovalScope.ATTEMPT)
    assert decided.status is ApprovalStatus.APPROVED
    again = {"command": "rm -rf ü", "description": "in other words"}
    assert asked(tx, "2", tool_input=again) is ApprovalStatus.APPROVED
    assert asked(tx, "3", tool_input=OTHER) is ApprovalStatus.PENDING
    assert asked(tx, "4", tool_name="Write") is ApprovalStatus.PENDING
    assert asked(tx, "5", "y", "b") is ApprovalStatus.PENDING
    wider = {"command": "rm -rf ü", "dangerouslyDisableSandbox": True}
    assert asked(tx, "6", tool_input=wider) is ApprovalStatus.PENDING
    (rule,) = approval_rules.fetch_all(tx)
    assert (rule.scope, rule.match, rule.uses) == (ApprovalScope.ATTEMPT, RuleMatch.SAME, 1)
    approval_rules.delete(tx, rule.id)
    assert asked(tx, "7") is ApprovalStatus.PENDING
    with pytest.raises(NotFound):
        approval_rules.delete(tx, rule.id)


def test_other_open_questions_of_the_reach_are_answered_too(tx: Tx) -> None:
    two_runs(tx)
    for id, process, attempt in (
        ("1", "x", "a"),
        ("2", "x", "a"),
        ("3", "y", "b"),
        ("4", "z", "c"),
    ):
        asked(tx, id, process, attempt)
    asked(tx, "5", "y", "b", tool_input=OTHER)
    assert sorted(one.id for one in yes(tx, "1", ApprovalScope.PROJECT)) == ["1", "2", "3"]
    assert sorted(one.id for one in approvals.pending(tx)) == ["4", "5"]


def test_any_use_of_a_tool_that_is_no_command_is_the_same(tx: Tx) -> None:
    two_runs(tx)
    asked(tx, "1", tool_name="Write", tool_input={"file_path": "a"})
    yes(tx, "1", ApprovalScope.TURN)
    assert asked(tx, "2", tool_name="Write", tool_input={"file_path": "b"}) == "approved"
    asked(tx, "3")
    yes(tx, "3", ApprovalScope.TURN, RuleMatch.TOOL)
    assert asked(tx, "4", tool_input=OTHER) is ApprovalStatus.APPROVED
    end_process(tx, "x")
    assert approval_rules.fetch_all(tx) == [], "the turn is over"
    add_process(tx, "x2", now=at(5))
    assert asked(tx, "5", "x2") is ApprovalStatus.PENDING


def test_a_no_and_a_choice_reach_no_further(tx: Tx) -> None:
    two_runs(tx)
    asked(tx, "1")
    no = ApprovalAnswer(status=ApprovalStatus.DENIED, scope=ApprovalScope.ATTEMPT)
    with pytest.raises(Invalid, match="scope"):
        questions.answer_and_allow(tx, "1", no, at(3))
    asked(tx, "2", tool_name="Ask", tool_input={"questions": [{"question": "Which?"}]})
    with pytest.raises(Invalid, match="scope"):
        yes(tx, "2", ApprovalScope.ATTEMPT)
    assert approval_rules.fetch_all(tx) == []
    assert len(approvals.pending(tx)) == 2


def test_preferences_are_merged_and_bounded(tx: Tx) -> None:
    assert preferences.update(tx, {"a": [1, "ü"], "b": {"c": True}}).values["a"] == [1, "ü"]
    assert preferences.update(tx, {"b": None, "c": 0}).values == {"a": [1, "ü"], "c": 0}
    for wrong in ({"": 1}, {"x" * 101: 1}, {"large": "x" * 70_000}):
        with pytest.raises(Invalid, match="values"):
            preferences.update(tx, wrong)
