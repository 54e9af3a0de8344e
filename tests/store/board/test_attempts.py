"""Rows of attempts, and of the merges that ended them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from anyond.model.refusals.requests import NotFound
from anyond.model.rows import (
    DirectMerge,
    ProcessStatus,
    PullRequestInfo,
    PullRequestMerge,
    TaskAttempt,
)
from anyond.store.board import attempts, tasks
from anyond.store.board.attempts import Place
from anyond.store.engine.transaction import Tx
from anyond.store.runs import merges
from anyond.store.upkeep import cleanups
from anyond.store.upkeep.cleanups import Cleanup
from tests.support.store.seeds import (
    add_attempt,
    add_family,
    add_process,
    add_project,
    add_task,
    at,
    emitted,
    end_process,
)


def test_a_new_attempt_is_told_and_so_is_its_task(tx: Tx) -> None:
    add_project(tx)
    add_task(tx)
    emitted(tx)
    attempt = add_attempt(tx, now=at(1))
    assert attempt == TaskAttempt(
        id="a",
        task_id="t",
        container_ref=None,
        branch="anyon/a",
        target_branch="main",
        executor="CLAUDE_CODE",
        worktree_deleted=False,
        setup_completed_at=None,
        created_at=at(1),
        updated_at=at(1),
    )
    fact = tx.facts[0]
    assert msgspec.json.decode(fact.data, type=TaskAttempt) == attempt
    assert (fact.project_id, fact.attempt_id) == ("p", "a")
    assert emitted(tx) == [("attempt_created", "a"), ("task_updated", "t")]
    add_attempt(tx, "b", now=at(2))
    assert emitted(tx) == [("attempt_created", "b")], "the task says the same as before"


def test_attempts_are_listed_newest_first(tx: Tx) -> None:
    add_family(tx)
    add_project(tx, "q")
    add_task(tx, "u", "q")
    add_attempt(tx, "b", now=at(5))
    add_attempt(tx, "c", "u", now=at(3))
    assert [attempt.id for attempt in attempts.fetch_all(tx)] == ["b", "c", "a"]
    assert [attempt.id for attempt in attempts.fetch_all(tx, "t")] == ["b", "a"]
    assert [attempt.id for attempt in attempts.of_project(tx, "q")] == ["c"]
    assert attempts.fetch_all(tx, "nothing") == []


def test_the_newest_attempt_is_the_last_one_also_after_the_clock_was_set_back(tx: Tx) -> None:
    add_project(tx)
    add_task(tx)
    add_attempt(tx, "a", now=at(9), executor="AMP")
    add_attempt(tx, "b", now=at(1), executor="CODEX")
    assert [attempt.id for attempt in attempts.fetch_all(tx, "t")] == ["b", "a"]
    assert tasks.with_status(tx, "t").executor == "CODEX"


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        (lambda tx: attempts.set_container(tx, "a", "/w", at(7)), "container_ref", "/w"),
        (lambda tx: attempts.set_branch(tx, "a", "new", at(7)), "branch", "new"),
        (lambda tx: attempts.set_target(tx, "a", "dev", at(7)), "target_branch", "dev"),
        (lambda tx: attempts.set_worktree_deleted(tx, "a", True, at(7)), "worktree_deleted", True),
        (
            lambda tx: attempts.set_setup_completed(tx, "a", at(6), at(7)),
            "setup_completed_at",
            at(6),
        ),
    ],
)
def test_a_changed_attempt_is_told(
    tx: Tx, change: Callable[[Tx], TaskAttempt], field: str, value: object
) -> None:
    add_family(tx)
    expected = msgspec.structs.replace(attempts.get(tx, "a"), updated_at=at(7), **{field: value})
    assert change(tx) == attempts.get(tx, "a") == expected
    assert emitted(tx) == [("attempt_updated", "a")]
    tx.execute("DELETE FROM task_attempts")
    with pytest.raises(NotFound, match="no task attempt a"):
        change(tx)


def test_the_base_commit_is_remembered(tx: Tx) -> None:
    add_family(tx)
    assert attempts.base_commit(tx, "a") is None
    attempts.set_base_commit(tx, "a", "abc")
    assert attempts.base_commit(tx, "a") == "abc"
    with pytest.raises(NotFound):
        attempts.base_commit(tx, "b")


def test_an_attempt_is_found_by_its_directory_and_knows_its_place(tx: Tx) -> None:
    add_family(tx)
    attempts.set_container(tx, "a", "/w/one", at(1))
    found = attempts.by_container(tx, "/w/one")
    assert found is not None
    assert attempts.place(tx, found.id) == Place("a", "t", "p")
    assert attempts.by_container(tx, "/w") is None
    with pytest.raises(NotFound):
        attempts.place(tx, "b")


def test_a_deleted_attempt_changes_its_task_and_its_children(tx: Tx) -> None:
    add_family(tx)
    add_process(tx)
    end_process(tx, status=ProcessStatus.FAILED)
    add_task(tx, "child", parent="a")
    emitted(tx)
    assert attempts.delete(tx, "a", at(3)).id == "a"
    assert emitted(tx) == [
        ("task_updated", "child"),
        ("task_updated", "t"),
        ("attempt_deleted", "a"),
    ]
    assert tasks.get(tx, "child").parent_task_attempt is None
    with pytest.raises(NotFound):
        attempts.delete(tx, "a", at(3))


def test_merges_of_both_kinds_are_listed_newest_first(tx: Tx) -> None:
    add_family(tx)
    direct = merges.insert_direct(
        tx, id="m", attempt_id="a", merge_commit="c", target_branch_name="main", now=at(1)
    )
    assert emitted(tx) == [("task_updated", "t")]
    tx.execute(
        "INSERT INTO merges (id, task_attempt_id, merge_type, target_branch_name, pr_number,"
        " pr_url, pr_status, pr_merged_at, pr_merge_commit_sha, created_at)"
        " VALUES ('n', 'a', 'pr', 'main', 7, 'u', 'merged', ?, 'd', ?)",
        (at(3), at(2)),
    )
    info = PullRequestInfo(
        number=7, url="u", status="merged", merged_at=at(3), merge_commit_sha="d"
    )
    request = PullRequestMerge(
        id="n", task_attempt_id="a", created_at=at(2), target_branch_name="main", pr_info=info
    )
    assert direct == DirectMerge(
        id="m",
        task_attempt_id="a",
        merge_commit="c",
        target_branch_name="main",
        created_at=at(1),
    )
    assert merges.of_attempt(tx, "a") == [request, direct]
    with pytest.raises(NotFound):
        merges.insert_direct(
            tx, id="o", attempt_id="b", merge_commit="c", target_branch_name="main", now=at(1)
        )


def test_a_cleanup_outlives_its_attempt(tx: Tx) -> None:
    add_family(tx)
    job = Cleanup(
        id="c",
        worktree_path="/w",
        repo_path="/r",
        attempt_id="a",
        branch="anyon/a",
        created_at=at(1),
    )
    cleanups.insert(tx, job)
    cleanups.insert(tx, msgspec.structs.replace(job, id="d", branch=None, created_at=at(0)))
    tasks.delete(tx, "t", at(2))
    assert [found.id for found in cleanups.fetch_all(tx)] == ["d", "c"]
    assert cleanups.fetch_all(tx)[1] == job
