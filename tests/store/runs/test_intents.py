"""Rows of intents and expiries, and what a renamed branch means to other rows."""

from __future__ import annotations

import pytest

from anyond.model.rows import RunReason
from anyond.store.board import attempts, tasks
from anyond.store.engine.transaction import Tx
from anyond.store.runs import intents, processes
from anyond.store.runs.intents import Intent
from anyond.store.upkeep import expiries
from anyond.store.upkeep.expiries import Expiry
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

REBASE = Intent(attempt_id="a", kind="rebase", name="develop", tip="1", onto="2", created_at=at(1))


def test_an_attempt_has_one_intent_at_most_and_none_after_it_is_gone(tx: Tx) -> None:
    add_family(tx)
    assert intents.get(tx, "a") is None
    intents.put(tx, REBASE)
    assert intents.get(tx, "a") == REBASE
    rename = Intent(attempt_id="a", kind="rename", name="new", tip="1", created_at=at(2))
    intents.put(tx, rename)
    assert intents.fetch_all(tx) == [rename]
    assert intents.delete(tx, "a")
    assert not intents.delete(tx, "a")
    intents.put(tx, REBASE)
    attempts.delete(tx, "a", at(3))
    assert intents.fetch_all(tx) == []


def test_whoever_targets_a_renamed_branch_follows_in_its_project_only(tx: Tx) -> None:
    add_family(tx)
    add_attempt(tx, "b")
    add_project(tx, "other")
    add_task(tx, "t2", "other")
    add_attempt(tx, "c", "t2")
    attempts.set_target(tx, "b", "develop", at(1))
    attempts.set_target(tx, "c", "develop", at(1))
    intents.put(tx, REBASE)
    emitted(tx)
    attempts.rename_targets(tx, "p", "develop", "new", at(2))
    intents.rename_targets(tx, "p", "develop", "new")
    assert emitted(tx) == [("attempt_updated", "b")]
    targets = {id: attempts.get(tx, id).target_branch for id in "abc"}
    assert targets == {"a": "main", "b": "new", "c": "develop"}
    moved = intents.get(tx, "a")
    assert moved is not None
    assert moved.name == "new"


def test_an_attempt_is_found_by_its_branch_in_its_project(tx: Tx) -> None:
    add_family(tx)
    found = attempts.by_branch(tx, "p", "anyon/a")
    assert found == attempts.get(tx, "a")
    assert attempts.by_branch(tx, "other", "anyon/a") is None


def test_children_are_listed_newest_first(tx: Tx) -> None:
    add_family(tx)
    add_task(tx, "c1", now=at(1), parent="a")
    add_task(tx, "c2", now=at(2), parent="a")
    assert tasks.children(tx, "a") == [tasks.get(tx, "c2"), tasks.get(tx, "c1")]
    assert tasks.children(tx, "b") == []


def test_dev_servers_are_found_in_all_attempts_of_their_project(tx: Tx) -> None:
    add_family(tx)
    add_attempt(tx, "b")
    add_process(tx, "agent")
    add_process(tx, "d1", reason=RunReason.DEV_SERVER, now=at(1))
    add_process(tx, "d2", "b", reason=RunReason.DEV_SERVER, now=at(2))
    found = processes.dev_servers_of_project(tx, "p")
    assert [process.id for process in found] == ["d1", "d2"]
    end_process(tx, "d1")
    assert [p.id for p in processes.dev_servers_of_project(tx, "p")] == ["d2"]
    assert processes.dev_servers_of_project(tx, "other") == []


@pytest.mark.parametrize(("now", "due"), [(at(4), []), (at(5), ["x"]), (at(9), ["x", "y"])])
def test_an_expiry_is_due_from_its_moment_on(tx: Tx, now: str, due: list[str]) -> None:
    for id, second in (("y", 9), ("x", 5)):
        expiries.put(tx, Expiry(attempt_id=id, repo_path="/r", due_at=at(second)))
    assert [expiry.attempt_id for expiry in expiries.due(tx, now)] == due
    expiries.delete(tx, "x")
    assert "x" not in [expiry.attempt_id for expiry in expiries.due(tx, now)]
