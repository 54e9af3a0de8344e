"""The places of tasks on the board: what is kept, in which order, and who is told."""

from __future__ import annotations

import pytest

from anyond.model.http.board import Placing, PlacingMany, Priority
from anyond.model.http.summaries import AttemptSummary
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.model.rows import TaskStatus
from anyond.store.board import placements, tasks
from anyond.store.engine.transaction import Tx
from anyond.store.runs import approvals, summaries
from tests.support.store.seeds import (
    add_attempt,
    add_family,
    add_process,
    add_task,
    at,
    emitted,
    question,
)


def listed(tx: Tx, *, closed: bool = False) -> list[AttemptSummary]:
    return summaries.fetch_summaries(tx, project_id=None, search=None, closed=closed, limit=10)


def test_what_is_named_changes_and_the_rest_stays(tx: Tx) -> None:
    add_family(tx)
    before = tasks.with_status(tx, "t")
    placed = placements.place(tx, "t", Placing(rank="m", priority=Priority.HIGH), at(5))
    assert (placed.rank, placed.priority, placed.labels) == ("m", Priority.HIGH, [])
    assert emitted(tx) == [("placement_updated", "t")]
    placed = placements.place(tx, "t", Placing(labels=["b", "a", "b"], archived=True), at(6))
    assert (placed.rank, placed.labels, placed.archived_at) == ("m", ["b", "a"], at(6))
    assert placements.place(tx, "t", Placing(archived=True), at(7)).archived_at == at(6)
    emitted(tx)
    placements.place(tx, "t", Placing(rank="m"), at(8))
    assert emitted(tx) == [], "nothing is different"
    assert tasks.with_status(tx, "t") == before, "who knows of no places sees no change"
    placements.place(tx, "t", Placing(status=TaskStatus.DONE, archived=False), at(9))
    assert emitted(tx) == [("task_updated", "t"), ("placement_updated", "t")]
    with pytest.raises(NotFound):
        placements.place(tx, "nobody", Placing(rank="m"), at(9))


def test_the_board_is_in_the_order_of_ranks_and_the_unranked_come_first(tx: Tx) -> None:
    add_family(tx)
    for number, name in enumerate("uvw", 1):
        add_task(tx, name, now=at(number))
    placements.place(tx, "t", Placing(rank="V"), at(5))
    placements.place(tx, "w", Placing(rank="Vm"), at(5))
    placements.place(tx, "v", Placing(archived=True), at(5))
    assert [task.id for task in placements.fetch_all(tx, archived=False)] == ["u", "t", "w"]
    assert [task.id for task in placements.fetch_all(tx)] == ["v", "u", "t", "w"]
    assert placements.fetch_all(tx, "nobody") == []


def test_labels_are_added_and_taken_away_one_by_one_up_to_a_limit(tx: Tx) -> None:
    add_family(tx)
    placements.place(tx, "t", Placing(labels=["old", "docs"]), at(5))
    action = PlacingMany(add_labels=["new", "docs"], remove_labels=["old"])
    assert placements.place_one_of_many(tx, "t", action, at(6)).labels == ["docs", "new"]
    many = PlacingMany(add_labels=[f"label {n}" for n in range(19)])
    with pytest.raises(Invalid, match="20 labels"):
        placements.place_one_of_many(tx, "t", many, at(6))


def test_what_is_archived_is_listed_only_if_asked_for_and_what_works_always(tx: Tx) -> None:
    add_family(tx)
    add_attempt(tx, "b", now=at(1))
    placements.archive_attempt(tx, "a", True, at(5))
    assert [one.id for one in listed(tx)] == ["b"]
    assert [(one.id, one.archived) for one in listed(tx, closed=True)] == [
        ("b", False),
        ("a", True),
    ]
    placements.place(tx, "t", Placing(archived=True), at(6))
    assert listed(tx) == []
    add_process(tx, now=at(7))
    assert [one.id for one in listed(tx)] == ["a"]
    placements.archive_attempt(tx, "a", False, at(8))
    with pytest.raises(NotFound):
        placements.archive_attempt(tx, "nobody", True, at(8))


def test_a_task_counts_the_questions_of_its_agents(tx: Tx) -> None:
    add_family(tx)
    add_process(tx)
    approvals.insert_if_absent(tx, question())
    assert placements.get(tx, "t").questions == 1
