"""Summaries of attempts: their states, their order, and what a search finds."""

from __future__ import annotations

from anyond.model.http.bodies import NewTask, TaskPatch
from anyond.model.http.summaries import AttemptState, AttemptSummary
from anyond.model.rows import ProcessStatus, TaskStatus
from anyond.store.board import attempts, tasks
from anyond.store.engine.transaction import Tx
from anyond.store.runs import approvals, merges, summaries
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


def fetched(tx: Tx, search: str | None = None, closed: bool = False) -> list[AttemptSummary]:
    return summaries.fetch_summaries(tx, project_id=None, search=search, closed=closed, limit=10)


def state(tx: Tx) -> tuple[AttemptState, str]:
    (one,) = fetched(tx)
    return one.state, one.since


def test_the_state_follows_what_happens(tx: Tx) -> None:
    add_family(tx)
    assert state(tx) == (AttemptState.NEW, at(0))
    add_process(tx, now=at(1))
    assert state(tx) == (AttemptState.RUNNING, at(1))
    approvals.insert_if_absent(tx, question())
    assert state(tx) == (AttemptState.QUESTION, at(2))
    assert fetched(tx)[0].questions == 1
    tx.execute("UPDATE approvals SET status = 'denied', responded_at = ?", (at(3),))
    end_process(tx, status=ProcessStatus.FAILED, now=at(4))
    assert state(tx) == (AttemptState.FAILED, at(4))
    add_process(tx, "y", now=at(5))
    end_process(tx, "y", status=ProcessStatus.KILLED, now=at(6))
    assert state(tx) == (AttemptState.STOPPED, at(6))
    add_process(tx, "z", now=at(7))
    end_process(tx, "z", now=at(8))
    assert state(tx) == (AttemptState.FINISHED, at(8))
    merges.insert_direct(
        tx, id="m", attempt_id="a", merge_commit="c", target_branch_name="main", now=at(9)
    )
    assert state(tx) == (AttemptState.MERGED, at(9))
    add_process(tx, "w", now=at(10))
    end_process(tx, "w", now=at(11))
    assert state(tx) == (AttemptState.FINISHED, at(11)), "what came after is not merged"


def test_what_is_at_work_comes_first_and_what_is_done_only_if_asked_for(tx: Tx) -> None:
    add_family(tx)
    add_process(tx, now=at(1))
    for number, id in enumerate(("b", "c"), 2):
        add_attempt(tx, id, now=at(number))
    add_task(tx, "u")
    add_attempt(tx, "d", "u", now=at(9))
    assert [one.id for one in fetched(tx)] == ["a", "d", "c", "b"]
    tasks.patch(tx, "u", TaskPatch(status=TaskStatus.DONE), at(10))
    assert [one.id for one in fetched(tx)] == ["a", "c", "b"]
    assert [one.id for one in fetched(tx, closed=True)] == ["a", "d", "c", "b"]
    few = summaries.fetch_summaries(tx, project_id="p", search=None, closed=True, limit=1)
    assert [one.id for one in few] == ["a", "d"]
    none = summaries.fetch_summaries(tx, project_id="x", search=None, closed=True, limit=1)
    assert none == []


def test_numbers_are_never_given_twice(tx: Tx) -> None:
    add_family(tx)
    add_attempt(tx, "b", now=at(1))
    assert {one.id: one.number for one in fetched(tx)} == {"a": 1, "b": 2}
    attempts.delete(tx, "b", at(2))
    add_attempt(tx, "c", now=at(3))
    assert {one.id: one.number for one in fetched(tx)} == {"a": 1, "c": 3}


def test_a_search_takes_numbers_ids_branches_and_words(tx: Tx) -> None:
    add_project(tx)
    for id, title in (("t", "Describe the tea timer"), ("u", "All% of_it")):
        tasks.insert(tx, NewTask(project_id="p", title=title), id, at(0))
    add_attempt(tx, "a0ff", "t", now=at(1))
    add_attempt(tx, "b1", "u", now=at(2))

    def ids(search: str) -> list[str]:
        return [one.id for one in fetched(tx, search)]

    assert ids("1") == ["a0ff"], "a number is not a part of something"
    assert ids("A0F") == ["a0ff"]
    assert ids("anyon/b1") == ids("b1") == ids("u") == ["b1"]
    assert ids("TIMER describe") == ["a0ff"]
    assert ids("l%") == ids("f_i") == ["b1"]
    assert ids("%") == ["b1"]
    assert ids("timer coffee") == []


def test_nothing_that_is_at_work_is_cut_off_by_the_limit(tx: Tx) -> None:
    add_family(tx)
    for number, id in enumerate(("b", "c"), 2):
        add_attempt(tx, id, now=at(number))
    add_process(tx, now=at(5))
    add_process(tx, "y", "b", now=at(6))
    few = summaries.fetch_summaries(tx, project_id=None, search=None, closed=False, limit=1)
    assert [one.id for one in few] == ["b", "a", "c"]
