"""Rows of tasks, what their attempts say about them, and what followers are told."""

from __future__ import annotations

import random

import msgspec
import pytest

from anyond.model.http.bodies import NewTask, TaskPatch
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.model.refusals.runs import Busy
from anyond.model.rows import ProcessStatus, RunReason, TaskStatus, TaskWithAttemptStatus
from anyond.store.board import attempts, tasks
from anyond.store.board.tasks import _STATUS_OF_ONE, _STATUS_OF_PROJECT
from anyond.store.engine.transaction import Tx
from anyond.store.runs import merges, processes
from tests.support.store.seeds import (
    add_attempt,
    add_family,
    add_process,
    add_project,
    add_task,
    at,
    emitted,
    end_process,
    sent,
)


def test_a_new_task_is_todo_and_is_told_whole(tx: Tx) -> None:
    add_project(tx)
    new = NewTask(project_id="p", title="Title", description="Text")
    task = tasks.insert(tx, new, "t", at(1))
    assert task == TaskWithAttemptStatus(
        id="t",
        project_id="p",
        title="Title",
        description="Text",
        status=TaskStatus.TODO,
        parent_task_attempt=None,
        created_at=at(1),
        updated_at=at(1),
        has_in_progress_attempt=False,
        has_merged_attempt=False,
        last_attempt_failed=False,
        executor="",
    )
    assert msgspec.json.decode(tx.facts[0].data, type=TaskWithAttemptStatus) == task
    assert tx.facts[0].project_id == "p"
    assert emitted(tx) == [("task_created", "t")]
    assert tasks.get(tx, "t").title == "Title"


def test_a_task_needs_a_title_a_project_and_a_parent_that_exists(tx: Tx) -> None:
    add_project(tx)
    with pytest.raises(Invalid, match="title"):
        tasks.insert(tx, NewTask(project_id="p", title=" "), "t", at(1))
    with pytest.raises(NotFound, match="no project q"):
        tasks.insert(tx, NewTask(project_id="q", title="T"), "t", at(1))
    with pytest.raises(NotFound, match="no task attempt a"):
        add_task(tx, parent="a")
    assert emitted(tx) == []


def test_tasks_of_a_project_are_listed_newest_first_and_ties_by_insertion(tx: Tx) -> None:
    add_project(tx)
    add_project(tx, "q")
    for id, second in (("a", 5), ("b", 9), ("c", 5)):
        add_task(tx, id, now=at(second))
    add_task(tx, "d", "q")
    assert [task.id for task in tasks.all_with_status(tx, "p")] == ["b", "c", "a"]
    assert tasks.all_with_status(tx, "nowhere") == []


def test_a_patch_keeps_what_is_absent_and_clears_what_is_empty(tx: Tx) -> None:
    add_family(tx)
    full = TaskPatch(title="New", description="D", status=TaskStatus.DONE, parent_task_attempt="a")
    task = tasks.patch(tx, "t", full, at(3))
    assert (task.title, task.description, task.status) == ("New", "D", TaskStatus.DONE)
    assert (task.parent_task_attempt, task.updated_at) == ("a", at(3))
    assert sent(tx)["title"] == "New"
    assert emitted(tx) == [("task_updated", "t")]
    assert tasks.patch(tx, "t", TaskPatch(), at(4)).description == "D"
    task = tasks.patch(tx, "t", TaskPatch(description="", parent_task_attempt=""), at(5))
    assert (task.title, task.description, task.parent_task_attempt) == ("New", None, None)
    with pytest.raises(Invalid, match="title"):
        tasks.patch(tx, "t", TaskPatch(title=""), at(6))
    with pytest.raises(NotFound, match="task attempt b"):
        tasks.patch(tx, "t", TaskPatch(parent_task_attempt="b"), at(6))


def test_a_status_is_told_only_if_it_is_another(tx: Tx) -> None:
    add_family(tx)
    assert tasks.set_status(tx, "t", TaskStatus.IN_REVIEW, at(1)).updated_at == at(1)
    assert emitted(tx) == [("task_updated", "t")]
    assert tasks.set_status(tx, "t", TaskStatus.IN_REVIEW, at(2)).updated_at == at(1)
    assert emitted(tx) == []


def test_a_deleted_task_is_told_as_it_was_and_leaves_its_children(tx: Tx) -> None:
    add_family(tx)
    add_process(tx)
    add_task(tx, "child", parent="a")
    tasks.patch(tx, "t", TaskPatch(parent_task_attempt="a"), at(1))
    emitted(tx)
    last = tasks.delete(tx, "t", at(2))
    assert last.has_in_progress_attempt
    assert sent(tx)["executor"] == "CLAUDE_CODE"
    assert emitted(tx) == [("task_updated", "child"), ("task_deleted", "t")]
    child = tasks.get(tx, "child")
    assert (child.parent_task_attempt, child.updated_at) == (None, at(2))
    with pytest.raises(NotFound, match="no task t"):
        tasks.get(tx, "t")
    with pytest.raises(NotFound, match="no task t"):
        tasks.delete(tx, "t", at(2))


def test_only_the_newest_run_of_the_newest_attempt_can_have_failed(tx: Tx) -> None:
    add_family(tx)
    add_process(tx, "x")
    end_process(tx, "x", ProcessStatus.FAILED)
    assert tasks.with_status(tx, "t").last_attempt_failed
    add_process(tx, "y", reason=RunReason.DEV_SERVER, now=at(5))
    end_process(tx, "y")
    assert tasks.with_status(tx, "t").last_attempt_failed, "a dev server is no run"
    add_attempt(tx, "b", now=at(6), executor="CODEX")
    task = tasks.with_status(tx, "t")
    assert (task.last_attempt_failed, task.executor) == (False, "CODEX")
    add_process(tx, "z", "b", now=at(7))
    end_process(tx, "z", ProcessStatus.KILLED)
    assert tasks.with_status(tx, "t").last_attempt_failed
    processes.drop_from(tx, "b", "z", at(8))
    assert not tasks.with_status(tx, "t").last_attempt_failed, "a dropped run does not count"


def test_a_merged_pull_request_counts_and_an_open_one_does_not(tx: Tx) -> None:
    add_family(tx)
    tx.execute(
        "INSERT INTO merges (id, task_attempt_id, merge_type, target_branch_name, pr_number,"
        " pr_url, pr_status, created_at) VALUES ('m', 'a', 'pr', 'main', 7, 'u', 'open', '')"
    )
    assert not tasks.with_status(tx, "t").has_merged_attempt
    tx.execute("UPDATE merges SET pr_status = 'merged'")
    assert tasks.with_status(tx, "t").has_merged_attempt


@pytest.mark.parametrize("seed", range(5))
def test_whatever_happens_followers_know_the_true_state_of_every_task(tx: Tx, seed: int) -> None:
    """Folding what was emitted gives what the database says, one by one and as a list."""
    chance = random.Random(seed)
    add_project(tx)
    for number in range(4):
        add_task(tx, f"t{number}", now=at(number))
    known: list[list[str]] = [[], []]

    for step in range(120):
        now, id = at(step // 3 + 10), f"n{step}"
        match chance.randrange(8):
            case 0:
                add_attempt(tx, id, f"t{chance.randrange(4)}", now, chance.choice(["A", "B"]))
                known[0].append(id)
            case 1 | 2 if known[0]:
                try:
                    add_process(
                        tx, id, chance.choice(known[0]), chance.choice(list(RunReason)), now
                    )
                    known[1].append(id)
                except Busy:
                    continue
            case 3 | 4 if known[1]:
                status = chance.choice(list(ProcessStatus)[1:])
                end_process(tx, chance.choice(known[1]), status, now)
            case 5 if known[1]:
                process = processes.get(tx, chance.choice(known[1]))
                processes.drop_from(tx, process.task_attempt_id, process.id, now)
            case 6 if known[0] and step > 60:
                merges.insert_direct(
                    tx,
                    id=id,
                    attempt_id=chance.choice(known[0]),
                    merge_commit="c",
                    target_branch_name="main",
                    now=now,
                )
            case 7 if known[0] and step > 90:
                gone = known[0].pop(chance.randrange(len(known[0])))
                known[1] = [p for p in known[1] if processes.get(tx, p).task_attempt_id != gone]
                attempts.delete(tx, gone, now)

    listed = {task.id: task for task in tasks.all_with_status(tx, "p")}
    reported: dict[str, TaskWithAttemptStatus] = {}
    for fact in tx.facts:
        if fact.kind.startswith("task_"):
            task = msgspec.json.decode(fact.data, type=TaskWithAttemptStatus)
            assert reported.get(task.id) != task, "told again although nothing has changed"
            reported[task.id] = task
    assert reported == listed == {id: tasks.with_status(tx, id) for id in listed}
    for task in listed.values():
        assert task == _by_hand(tx, task)


def _by_hand(tx: Tx, task: TaskWithAttemptStatus) -> TaskWithAttemptStatus:
    mine = attempts.fetch_all(tx, task.id)
    runs = {
        attempt.id: [
            process
            for process in processes.of_attempt(tx, attempt.id, show_dropped=True)
            if process.run_reason is not RunReason.DEV_SERVER
        ]
        for attempt in mine
    }
    last = [run for run in runs[mine[0].id] if not run.dropped][:1] if mine else []
    return msgspec.structs.replace(
        task,
        executor=mine[0].executor if mine else "",
        has_in_progress_attempt=any(
            run.status is ProcessStatus.RUNNING for found in runs.values() for run in found
        ),
        last_attempt_failed=any(
            run.status in (ProcessStatus.FAILED, ProcessStatus.KILLED) for run in last
        ),
        has_merged_attempt=any(merges.of_attempt(tx, attempt.id) for attempt in mine),
    )


@pytest.mark.parametrize("statement", [_STATUS_OF_ONE, _STATUS_OF_PROJECT])
def test_the_state_of_tasks_is_found_by_indexes_alone(tx: Tx, statement: str) -> None:
    plan = [row[3] for row in tx.execute(f"EXPLAIN QUERY PLAN {statement}", ("p",))]
    assert any(step.startswith("SEARCH t USING") for step in plan)
    assert [step for step in plan if step.startswith("SCAN")] == []
