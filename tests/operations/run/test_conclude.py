"""Concluding a run: what is committed, and what its row, its task and its log say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

from anyond.agents.common.core import (
    Outcome,
    TurnEnded,
)
from anyond.git.commits import saved_commits
from anyond.git.program.command import git
from anyond.model.ids import now
from anyond.model.records import Exit
from anyond.model.rows import (
    ExecutorAction,
    ProcessStatus,
    ScriptContext,
    TaskStatus,
)
from anyond.operations import remarks
from anyond.operations.run.conclude import NOT_COMMITTED, Following
from anyond.store.board import tasks
from anyond.store.runs import sessions
from tests.support.operations.concluding import BROKEN, DONE, FINISHED, Bench, heard, says
from tests.support.rows import (
    add_run,
    asks,
    end_run,
    runs_script,
)


@contextmanager
def cut_short() -> Iterator[trio.CancelScope]:
    """A scope that a stop has cancelled already."""
    with trio.CancelScope() as scope:
        scope.cancel()
        yield scope


@pytest.mark.parametrize(
    ("choice", "message"),
    [("summary", "Tea\n\nIt is ready.\n\n"), ("title", "Tea\n\n"), ("off", None)],
)
async def test_the_work_of_an_agent_that_has_finished_is_committed_as_configured(
    bench: Bench, choice: str, message: str | None
) -> None:
    bench.resources.config.patch({"commit_message": choice})
    row = await add_run(bench.resources, bench.about, asks())
    before = await bench.git("rev-parse", "HEAD")
    bench.write()
    following = await bench.conclude(row, heard(row, says("It is ready."), FINISHED))
    assert following == Following()
    head = await bench.git("rev-parse", "HEAD")
    if message is None:
        assert head == before
        assert await bench.git("status", "--porcelain") == "?? leaf"
    else:
        found = await bench.git("log", "-1", "--format=%B")
        assert found == f"{message}Anyon-Attempt: {bench.about.attempt.id}"
        assert await bench.git("rev-parse", "HEAD~1") == before
    ended = await bench.row(row)
    assert (ended.status, ended.exit_code) == (ProcessStatus.COMPLETED, 0)
    assert ended.after_head_commit == head
    assert await bench.task_status() is TaskStatus.IN_REVIEW
    session = await bench.resources.store.read(lambda r: sessions.get(r, row.id))
    assert session is not None
    assert session.summary == "It is ready."
    [command] = bench.notifier.commands
    assert "“Tea” completed successfully." in command[-1]


@pytest.mark.parametrize(
    ("outcome", "exit", "status", "told"),
    [
        (None, BROKEN, ProcessStatus.FAILED, "exited with code 3 before it had finished"),
        (Outcome.INTERRUPTED, DONE, ProcessStatus.FAILED, "broke off its work"),
    ],
)
async def test_what_an_agent_left_half_done_is_not_committed_and_its_log_says_why(
    bench: Bench, outcome: Outcome | None, exit: Exit, status: ProcessStatus, told: str
) -> None:
    row = await add_run(bench.resources, bench.about, asks())
    before = await bench.git("rev-parse", "HEAD")
    bench.write()
    events = [TurnEnded(outcome)] if outcome is not None else []
    assert await bench.conclude(row, heard(row, *events), exit) == Following()
    assert await bench.git("rev-parse", "HEAD") == before
    ended = await bench.row(row)
    assert (ended.status, ended.exit_code) == (status, exit.code)
    assert told in bench.log(row)
    assert await bench.task_status() is TaskStatus.IN_REVIEW
    assert "failed" in bench.notifier.commands[0][-1]


async def test_what_a_cleanup_script_leaves_is_committed_although_it_failed(bench: Bench) -> None:
    row = await add_run(bench.resources, bench.about, runs_script("x", ScriptContext.CLEANUP))
    bench.write()
    await bench.conclude(row, exit=BROKEN)
    assert await bench.git("show", "--format=%s", "--name-only", "HEAD") == "Tea\n\nleaf"
    assert (await bench.row(row)).status is ProcessStatus.FAILED
    assert "The script exited with code 3." in bench.log(row)


async def test_a_stop_ends_the_commit_and_the_rest_is_concluded(bench: Bench) -> None:
    row = await add_run(bench.resources, bench.about, asks())
    before = await bench.git("rev-parse", "HEAD")
    bench.write()
    await bench.conclude(row, heard(row, FINISHED), stoppable=cut_short)
    assert await bench.git("rev-parse", "HEAD") == before
    assert NOT_COMMITTED in bench.log(row)
    assert (await bench.row(row)).status is ProcessStatus.COMPLETED


async def test_a_branch_that_the_agent_has_left_is_told_and_nothing_is_committed(
    bench: Bench,
) -> None:
    row = await add_run(bench.resources, bench.about, asks())
    await bench.git("checkout", "-q", "--detach")
    before = await bench.git("rev-parse", "HEAD")
    bench.write()
    await bench.conclude(row, heard(row, FINISHED))
    assert await bench.git("rev-parse", "HEAD") == before
    assert "is not part of this attempt, and is left as it is." in bench.log(row)


@pytest.fixture
def refusing_hook(repository: Path) -> None:
    hook = repository / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\necho Tasteless. >&2\nexit 1\n")
    hook.chmod(0o755)


async def test_a_commit_that_is_refused_is_told_with_its_reason(
    refusing_hook: None, bench: Bench
) -> None:
    row = await add_run(bench.resources, bench.about, asks())
    before = await bench.git("rev-parse", "HEAD")
    bench.write()
    await bench.conclude(row, heard(row, FINISHED))
    assert await bench.git("rev-parse", "HEAD") == before
    assert "The changes could not be committed: " in bench.log(row)
    assert "Tasteless." in bench.log(row)
    assert (await bench.row(row)).status is ProcessStatus.COMPLETED


async def test_what_a_commit_leaves_out_is_named(bench: Bench) -> None:
    bench.write()
    await bench.git("add", "leaf")
    await bench.git("commit", "-q", "-m", "Leaf")
    row = await bench.begun(asks())
    await bench.git("update-index", "--assume-unchanged", "leaf")
    (bench.about.worktree / "leaf").write_text("black\n")
    await bench.conclude(row, heard(row, FINISHED))
    assert "leaf was changed, but is marked assume-unchanged" in bench.log(row)


async def test_the_end_of_a_dev_server_changes_nothing_but_its_row(bench: Bench) -> None:
    agent = await add_run(bench.resources, bench.about, asks())
    row = await add_run(bench.resources, bench.about, runs_script("x", ScriptContext.DEV_SERVER))
    await remarks.leave(bench.resources, bench.about.attempt.id, ["The kettle is cold."])
    await bench.queue("More")
    bench.write()
    assert await bench.conclude(row, exit=BROKEN) == Following()
    assert (await bench.row(row)).status is ProcessStatus.FAILED
    assert (await bench.row(agent)).status is ProcessStatus.RUNNING
    assert await bench.task_status() is TaskStatus.IN_PROGRESS
    assert await bench.draft() == ("More", True)
    assert await bench.git("status", "--porcelain") == "?? leaf"
    assert "kettle" not in bench.log(row)
    assert len(await remarks.read_waiting(bench.resources, bench.about.attempt.id)) == 1
    assert bench.notifier.commands == []


async def test_a_run_that_is_final_already_has_no_consequences_again(bench: Bench) -> None:
    cleanup = runs_script("make lint", ScriptContext.CLEANUP)
    row = await add_run(
        bench.resources, bench.about, ExecutorAction(typ=asks().typ, next_action=cleanup)
    )
    await end_run(bench.resources, row, ProcessStatus.FAILED)
    bench.write()
    assert await bench.conclude(row, heard(row, FINISHED)) == Following()
    assert (await bench.row(row)).status is ProcessStatus.FAILED
    assert bench.notifier.commands == []


async def test_a_task_that_is_done_stays_done(bench: Bench) -> None:
    row = await add_run(bench.resources, bench.about, asks())
    await bench.resources.store.write(
        lambda tx: tasks.set_status(tx, bench.about.task.id, TaskStatus.DONE, now())
    )
    await bench.conclude(row, heard(row, FINISHED))
    assert await bench.task_status() is TaskStatus.DONE


async def test_what_an_agent_has_left_running_is_told_and_that_of_a_script_is_not(
    bench: Bench,
) -> None:
    ended = Exit(code=0, ended_at=1, ended=["serve leaves"])
    row = await add_run(bench.resources, bench.about, asks())
    await bench.conclude(row, heard(row, FINISHED), ended)
    assert "serve leaves" in bench.log(row)
    other = await add_run(bench.resources, bench.about, runs_script("x", ScriptContext.CLEANUP))
    await bench.conclude(other, exit=ended)
    assert "serve leaves" not in bench.log(other)


async def test_what_waited_to_be_told_is_told_once_at_the_end(bench: Bench) -> None:
    row = await add_run(bench.resources, bench.about, runs_script("x", ScriptContext.CLEANUP))
    await remarks.leave(bench.resources, bench.about.attempt.id, ["The kettle is cold."])
    await bench.conclude(row)
    assert "The kettle is cold." in bench.log(row)
    assert await remarks.read_waiting(bench.resources, bench.about.attempt.id) == []


async def test_an_attempt_whose_worktree_is_gone_is_concluded_without_a_commit(
    bench: Bench, repository: Path
) -> None:
    row = await add_run(bench.resources, bench.about, runs_script("x", ScriptContext.DEV_SERVER))
    (repository / ".git").rename(repository / "elsewhere")
    await bench.conclude(row)
    ended = await bench.row(row)
    assert (ended.status, ended.after_head_commit) == (ProcessStatus.COMPLETED, None)


async def test_a_title_that_an_agents_own_rebase_has_lost_comes_back(
    bench: Bench, repository: Path
) -> None:
    bench.write()
    await bench.git("add", "leaf")
    await bench.git("commit", "-q", "--cleanup=verbatim", "-m", "#1 Leaf\n\nWhy.")
    row = await bench.begun(asks())
    (repository / "leaf").write_text("black\n")
    await git("add", "leaf", cwd=repository)
    await git("commit", "-q", "-m", "Theirs", cwd=repository)
    await git("rebase", "-q", "main", cwd=bench.about.worktree, check=False)
    bench.write()
    await bench.git("add", "leaf")
    await git("rebase", "--continue", cwd=bench.about.worktree, env={"GIT_EDITOR": "true"})
    assert await bench.git("log", "-1", "--format=%s") == "Why."
    await bench.conclude(row, heard(row, FINISHED))
    assert await bench.git("log", "-1", "--format=%s") == "#1 Leaf"
    assert await bench.git("log", "--format=%s", "main") == "Theirs\nFirst"


async def test_an_entry_of_the_stash_that_is_gone_is_told(bench: Bench, repository: Path) -> None:
    (repository / "kettle").write_text("on\n")
    await git("add", "kettle", cwd=repository)
    await git("stash", "-q", cwd=repository)
    row = await bench.begun(asks())
    await saved_commits.guard_stash(repository, bench.about.attempt.id)
    await bench.git("stash", "drop", "-q")
    await bench.conclude(row, heard(row, FINISHED))
    assert "stash" in bench.log(row)
