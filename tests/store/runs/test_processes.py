"""Rows of execution processes and of the sessions of agents."""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec
import pytest

from anyond.model.refusals.requests import NotFound
from anyond.model.refusals.runs import Busy
from anyond.model.rows import ExecutionProcess, ProcessStatus, RunReason, Session
from anyond.store.board import tasks
from anyond.store.engine.transaction import Tx
from anyond.store.runs import approvals, processes, sessions
from tests.support.store.seeds import (
    ACTION,
    add_attempt,
    add_family,
    add_process,
    at,
    emitted,
    end_process,
    question,
    sent,
)


def test_a_started_process_is_told_and_so_is_its_task(tx: Tx) -> None:
    add_family(tx)
    process = add_process(tx, now=at(1))
    assert process == ExecutionProcess(
        id="x",
        task_attempt_id="a",
        run_reason=RunReason.CODING_AGENT,
        executor_action=ACTION,
        before_head_commit=None,
        after_head_commit=None,
        status=ProcessStatus.RUNNING,
        exit_code=None,
        dropped=False,
        started_at=at(1),
        completed_at=None,
        created_at=at(1),
        updated_at=at(1),
    )
    fact = tx.facts[0]
    assert msgspec.json.decode(fact.data, type=ExecutionProcess) == process
    assert (fact.project_id, fact.attempt_id, fact.dropped) == ("p", "a", False)
    assert emitted(tx) == [("process_started", "x"), ("task_updated", "t")]
    assert processes.get(tx, "x") == process


def test_one_writer_works_in_a_worktree_and_dev_servers_do_not_count(tx: Tx) -> None:
    add_family(tx)
    add_attempt(tx, "b")
    add_process(tx, "server", reason=RunReason.DEV_SERVER)
    add_process(tx, "x", reason=RunReason.SETUP_SCRIPT)
    emitted(tx)
    with pytest.raises(Busy, match="setupscript is still running"):
        add_process(tx, "y")
    assert emitted(tx) == []
    add_process(tx, "second server", reason=RunReason.DEV_SERVER)
    add_process(tx, "elsewhere", "b")
    end_process(tx, "x")
    add_process(tx, "y")


def test_the_database_itself_refuses_a_second_writer(tx: Tx) -> None:
    add_family(tx)
    add_process(tx, "x")
    add_process(tx, "server", reason=RunReason.DEV_SERVER)
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        tx.execute("UPDATE execution_processes SET run_reason = 'codingagent'")


def test_an_end_is_written_and_told_exactly_once(tx: Tx) -> None:
    add_family(tx)
    add_process(tx)
    emitted(tx)
    ended = processes.finish(
        tx, "x", ProcessStatus.FAILED, exit_code=3, after_head_commit="c", at=at(9)
    )
    assert ended
    process = processes.get(tx, "x")
    assert (process.status, process.exit_code) == (ProcessStatus.FAILED, 3)
    assert (process.after_head_commit, process.completed_at) == ("c", at(9))
    assert process.updated_at == at(9)
    assert sent(tx, 0)["status"] == "failed"
    assert emitted(tx) == [("process_completed", "x"), ("task_updated", "t")]
    assert not end_process(tx, now=at(10))
    assert processes.get(tx, "x") == process
    assert emitted(tx) == []
    with pytest.raises(ValueError, match="running"):
        end_process(tx, status=ProcessStatus.RUNNING)


def test_an_end_of_which_more_is_known_is_told_with_what_it_means_for_the_task(tx: Tx) -> None:
    add_family(tx)
    add_process(tx)
    known: dict[str, Any] = {"exit_code": 0, "after_head_commit": "b" * 40, "at": at(7)}
    processes.correct_end(tx, "x", ProcessStatus.COMPLETED, **known)
    assert processes.get(tx, "x").status is ProcessStatus.RUNNING, "it had no end yet"
    end_process(tx, "x", ProcessStatus.KILLED)
    assert list(processes.killed(tx)) == ["x"]
    assert processes.attempt_ids(tx) == {"x": "a"}
    emitted(tx)
    processes.correct_end(tx, "x", ProcessStatus.COMPLETED, **known)
    process = processes.get(tx, "x")
    assert (process.status, process.exit_code) == (ProcessStatus.COMPLETED, 0)
    assert (process.after_head_commit, process.completed_at) == ("b" * 40, at(7))
    assert emitted(tx) == [("process_updated", "x"), ("task_updated", "t")]
    assert processes.killed(tx) == {}


def test_the_end_of_a_process_denies_what_it_still_asks(tx: Tx) -> None:
    add_family(tx)
    add_process(tx)
    approvals.insert_if_absent(tx, question("q"))
    emitted(tx)
    end_process(tx, now=at(9))
    assert emitted(tx) == [
        ("approval_resolved", "q"),
        ("process_completed", "x"),
        ("task_updated", "t"),
    ]
    assert approvals.pending(tx) == []
    assert approvals.get(tx, "q").reason == "The process has ended."


def test_processes_are_listed_newest_first_and_dropped_ones_on_demand(tx: Tx) -> None:
    add_family(tx)
    for number in range(4):
        add_process(tx, f"x{number}", now=at(number // 2))
        end_process(tx, f"x{number}", now=at(5))
    emitted(tx)
    assert processes.drop_from(tx, "a", "x1", at(6)) == ["x1", "x2", "x3"]
    assert tx.facts[0].dropped
    assert sent(tx, 0)["dropped"] is True
    assert emitted(tx) == [("process_updated", f"x{n}") for n in (1, 2, 3)]
    assert processes.drop_from(tx, "a", "x0", at(7)) == ["x0"]
    assert processes.of_attempt(tx, "a") == []
    every = processes.of_attempt(tx, "a", show_dropped=True)
    assert [process.id for process in every] == ["x3", "x2", "x1", "x0"]
    assert [process.updated_at for process in every] == [at(6), at(6), at(6), at(7)]


def test_only_a_process_of_the_attempt_can_be_dropped(tx: Tx) -> None:
    add_family(tx)
    add_attempt(tx, "b")
    add_process(tx, "x", "b")
    with pytest.raises(NotFound, match="execution process x"):
        processes.drop_from(tx, "a", "x", at(1))


def test_what_runs_is_found_after_a_restart(tx: Tx) -> None:
    add_family(tx)
    add_attempt(tx, "b")
    add_process(tx, "x", now=at(1))
    add_process(tx, "y", "b", now=at(0))
    add_process(tx, "z", reason=RunReason.DEV_SERVER, now=at(2))
    assert [process.id for process in processes.running(tx)] == ["y", "x", "z"]
    assert [process.id for process in processes.running_of(tx, "a")] == ["x", "z"]
    assert [process.id for process in processes.running_of_task(tx, "t")] == ["y", "x", "z"]
    end_process(tx, "x")
    assert [process.id for process in processes.running_of(tx, "a")] == ["z"]
    assert processes.all_ids(tx) == {"x", "y", "z"}


def test_the_first_wish_to_stop_keeps_its_reason(tx: Tx) -> None:
    add_family(tx)
    add_process(tx)
    emitted(tx)
    assert processes.stop_reason(tx, "x") is None
    assert processes.request_stop(tx, "x", "by the user", at(3))
    assert not processes.request_stop(tx, "x", "another", at(4))
    assert processes.stop_reason(tx, "x") == "by the user"
    assert processes.get(tx, "x").updated_at == at(3)
    assert emitted(tx) == [("process_updated", "x")]


def test_who_has_ended_cannot_be_stopped(tx: Tx) -> None:
    add_family(tx)
    add_process(tx)
    end_process(tx)
    assert not processes.request_stop(tx, "x", "late", at(3))
    assert processes.stop_reason(tx, "x") is None


def test_the_commit_before_is_remembered(tx: Tx) -> None:
    add_family(tx)
    add_process(tx)
    emitted(tx)
    assert processes.set_before_commit(tx, "x", "abc", at(2)).before_head_commit == "abc"
    assert processes.get(tx, "x").updated_at == at(2)
    assert emitted(tx) == [("process_updated", "x")]


def test_an_unknown_process_is_not_found(tx: Tx) -> None:
    add_family(tx)
    for attempt in (
        lambda: processes.get(tx, "x"),
        lambda: end_process(tx, "x"),
        lambda: processes.request_stop(tx, "x", "r", at(1)),
        lambda: processes.stop_reason(tx, "x"),
        lambda: processes.set_before_commit(tx, "x", "c", at(1)),
    ):
        with pytest.raises(NotFound, match="no execution process x"):
            attempt()
    with pytest.raises(NotFound, match="no task attempt b"):
        add_process(tx, attempt="b")


def test_a_session_is_written_once_and_filled_in_later(tx: Tx) -> None:
    add_family(tx)
    add_process(tx)
    session = Session(
        execution_process_id="x", task_attempt_id="a", session_id=None, prompt="P", summary=None
    )
    sessions.upsert(tx, session)
    sessions.set_session_id(tx, "x", "s1")
    sessions.set_summary(tx, "x", "Done.")
    assert sessions.stored_turn(tx, "x") is None
    sessions.keep_turn(tx, "x", "turn")
    filled = msgspec.structs.replace(session, session_id="s1", summary="Done.")
    assert sessions.get(tx, "x") == filled
    again = msgspec.structs.replace(filled, prompt="Q")
    sessions.upsert(tx, again)
    assert sessions.get(tx, "x") == again
    assert sessions.stored_turn(tx, "x") == "turn", "it is written by nobody else"
    assert sessions.get(tx, "y") is None
    with pytest.raises(NotFound):
        sessions.set_session_id(tx, "y", "s")
    with pytest.raises(NotFound):
        sessions.set_summary(tx, "y", "s")


def add_conversations(tx: Tx, *names: str | None) -> None:
    add_family(tx)
    for number, name in enumerate(names):
        add_process(tx, f"x{number}", now=at(number))
        end_process(tx, f"x{number}")
        sessions.upsert(
            tx,
            Session(
                execution_process_id=f"x{number}",
                task_attempt_id="a",
                session_id=name,
                prompt="P",
                summary=None,
            ),
        )


def test_a_conversation_goes_on_where_the_last_run_that_counts_left_it(tx: Tx) -> None:
    add_conversations(tx, "s0", "s1", None)
    assert sessions.latest_session_id(tx, "a") == "s1"
    processes.drop_from(tx, "a", "x1", at(5))
    assert sessions.latest_session_id(tx, "a") == "s0"
    processes.drop_from(tx, "a", "x0", at(5))
    assert sessions.latest_session_id(tx, "a") is None


def test_the_newest_run_is_the_last_one_also_after_the_clock_was_set_back(tx: Tx) -> None:
    add_conversations(tx, "s0", "s1")
    for second in (0, 0):
        id = f"x{len(processes.of_attempt(tx, 'a'))}"
        add_process(tx, id, now=at(second))
        end_process(tx, id, ProcessStatus.FAILED)
    listed = processes.of_attempt(tx, "a")
    assert [process.id for process in listed] == ["x3", "x2", "x1", "x0"]
    moments = [process.created_at for process in listed]
    assert moments == ["2025-01-08T00:00:01.002Z", "2025-01-08T00:00:01.001Z", at(1), at(0)]
    assert [process.started_at for process in listed] == [at(0), at(0), at(1), at(0)]
    assert tasks.with_status(tx, "t").last_attempt_failed
    assert processes.drop_from(tx, "a", "x2", at(5)) == ["x2", "x3"]
    assert sessions.latest_session_id(tx, "a") == "s1"
    assert not tasks.with_status(tx, "t").last_attempt_failed


def test_a_conversation_that_knows_what_was_taken_back_is_not_gone_on_with(tx: Tx) -> None:
    add_conversations(tx, "s0", "s1", "s1")
    processes.drop_from(tx, "a", "x2", at(5))
    assert sessions.latest_session_id(tx, "a") is None
    add_process(tx, "x9", now=at(9))
    sessions.upsert(
        tx,
        Session(
            execution_process_id="x9",
            task_attempt_id="a",
            session_id="s9",
            prompt="P",
            summary=None,
        ),
    )
    assert sessions.latest_session_id(tx, "a") == "s9"
