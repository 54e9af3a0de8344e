"""Rows of approvals: asked once, answered once."""

from __future__ import annotations

import msgspec
import pytest

from anyond.model.errors import Conflict
from anyond.model.http.bodies import ApprovalAnswer
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.model.rows import Approval, ApprovalStatus
from anyond.store.engine.transaction import Tx
from anyond.store.runs import approvals
from tests.support.store.seeds import add_family, add_process, at, emitted, question

YES = ApprovalAnswer(status=ApprovalStatus.APPROVED)
NO = ApprovalAnswer(status=ApprovalStatus.DENIED, reason="Too risky")


@pytest.fixture
def tx(tx: Tx) -> Tx:
    add_family(tx)
    add_process(tx)
    tx.facts.clear()
    return tx


def test_a_question_is_written_once_however_often_it_is_asked(tx: Tx) -> None:
    assert approvals.insert_if_absent(tx, question()) == (question(), True)
    fact = tx.facts[0]
    assert msgspec.json.decode(fact.data, type=Approval) == question()
    assert (fact.project_id, fact.attempt_id) == ("p", "a")
    assert emitted(tx) == [("approval_requested", "q")]
    approvals.decide(tx, "q", YES, at(3))
    emitted(tx)
    saved, new = approvals.insert_if_absent(tx, question("another id"))
    assert (saved.id, saved.status, new) == ("q", ApprovalStatus.APPROVED, False)
    assert emitted(tx) == []


def test_the_first_answer_wins(tx: Tx) -> None:
    approvals.insert_if_absent(tx, question())
    emitted(tx)
    decided, changed = approvals.decide(tx, "q", NO, at(3))
    assert changed
    assert decided == msgspec.structs.replace(
        question(), status=ApprovalStatus.DENIED, reason="Too risky", responded_at=at(3)
    )
    assert emitted(tx) == [("approval_resolved", "q")]
    assert approvals.decide(tx, "q", NO, at(4)) == (decided, False)
    for other in (YES, ApprovalAnswer(status=ApprovalStatus.DENIED, reason="Other")):
        with pytest.raises(Conflict, match="already answered: denied") as refused:
            approvals.decide(tx, "q", other, at(4))
        assert refused.value.type == "already_decided"
    assert approvals.get(tx, "q") == decided
    assert emitted(tx) == []


def test_answers_to_the_questions_of_an_agent_are_kept(tx: Tx) -> None:
    approvals.insert_if_absent(tx, question())
    answer = ApprovalAnswer(status=ApprovalStatus.APPROVED, answers={"Which?": ["a", "b"]})
    approvals.decide(tx, "q", answer, at(3))
    assert approvals.get(tx, "q").answers == {"Which?": ["a", "b"]}
    assert not approvals.decide(tx, "q", answer, at(4))[1]
    with pytest.raises(Conflict):
        approvals.decide(tx, "q", YES, at(4))


def test_pending_is_no_answer(tx: Tx) -> None:
    approvals.insert_if_absent(tx, question())
    with pytest.raises(Invalid, match="status"):
        approvals.decide(tx, "q", ApprovalAnswer(status=ApprovalStatus.PENDING), at(3))


def test_approvals_are_listed_newest_first_by_status_and_by_process(tx: Tx) -> None:
    for number in range(3):
        approvals.insert_if_absent(tx, question(f"q{number}", call=f"c{number}"))
    approvals.decide(tx, "q1", YES, at(3))
    assert [found.id for found in approvals.pending(tx)] == ["q2", "q0"]
    assert [found.id for found in approvals.fetch_all(tx)] == ["q2", "q1", "q0"]
    assert [found.id for found in approvals.fetch_all(tx, ApprovalStatus.APPROVED)] == ["q1"]
    assert [found.id for found in approvals.of_process(tx, "x")] == ["q2", "q1", "q0"]
    assert approvals.of_process(tx, "y") == []


def test_what_a_process_still_asks_can_be_denied_at_once(tx: Tx) -> None:
    for number in range(3):
        approvals.insert_if_absent(tx, question(f"q{number}", call=f"c{number}"))
    approvals.decide(tx, "q1", YES, at(3))
    emitted(tx)
    assert approvals.any_pending_in(tx, "a")
    denied = approvals.deny_pending(tx, "x", "Over.", at(4))
    assert [(found.id, found.reason) for found in denied] == [("q0", "Over."), ("q2", "Over.")]
    assert emitted(tx) == [("approval_resolved", "q0"), ("approval_resolved", "q2")]
    assert approvals.pending(tx) == []
    assert not approvals.any_pending_in(tx, "a")


def test_an_unknown_approval_or_its_owner_is_not_found(tx: Tx) -> None:
    with pytest.raises(NotFound, match="no approval q"):
        approvals.get(tx, "q")
    with pytest.raises(NotFound, match="no approval q"):
        approvals.decide(tx, "q", YES, at(3))
    with pytest.raises(NotFound, match="no execution process y"):
        approvals.insert_if_absent(tx, question(process="y"))
    with pytest.raises(NotFound, match="no task attempt b"):
        approvals.insert_if_absent(tx, question(attempt="b"))
