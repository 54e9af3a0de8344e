"""Replacing a run: back to before it, its rows dropped, another one in its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyond.git.program.command import git
from anyond.model.http.bodies import Replacing
from anyond.model.ids import now
from anyond.model.refusals.requests import Impossible, Invalid, NotFound
from anyond.model.refusals.worktrees import Dirty
from anyond.model.rows import (
    CodingAgentFollowUpRequest,
    CodingAgentInitialRequest,
    ExecutionProcess,
)
from anyond.operations.resources import Resources
from anyond.operations.run.replacing import replace_process
from anyond.operations.subject import Subject
from anyond.store.runs import intents, processes
from tests.support.rows import add_attempt, add_project, add_run, asks, end_run


@pytest.fixture
async def subject(resources: Resources, repository: Path) -> Subject:
    return await add_attempt(resources, await add_project(resources, repository))


async def head(subject: Subject) -> str:
    return (await git("rev-parse", "HEAD", cwd=subject.worktree)).out.decode().strip()


async def run_of(
    resources: Resources, subject: Subject, prompt: str, file: str, session: str = "s"
) -> ExecutionProcess:
    """A run that is over, has told its session, and has committed a file."""
    row = await add_run(resources, subject, asks(prompt), session=session)
    before = await head(subject)
    await resources.store.write(lambda tx: processes.set_before_commit(tx, row.id, before, now()))
    (subject.worktree / file).write_text(prompt)
    await git("add", "-A", cwd=subject.worktree)
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@localhost")
    await git(*identity, "commit", "-q", "-m", prompt, cwd=subject.worktree)
    await end_run(resources, row)
    return await resources.store.read(lambda r: processes.get(r, row.id))


async def test_the_second_run_is_replaced_and_the_first_stays(
    resources: Resources, subject: Subject
) -> None:
    first = await run_of(resources, subject, "One", "one")
    second = await run_of(resources, subject, "Two", "two", "s2")
    third = await run_of(resources, subject, "Three", "three", "s3")
    answer, row = await replace_process(
        resources, subject, Replacing(process_id=second.id, prompt="Two, better")
    )
    assert (answer.deleted_count, answer.git_reset_needed, answer.git_reset_applied) == (
        2,
        True,
        True,
    )
    assert answer.target_before_oid == second.before_head_commit == await head(subject)
    assert answer.new_execution_id == row.id
    assert sorted(path.name for path in subject.worktree.iterdir()) == [".git", "one"]
    dropped = {
        id: (await resources.store.read(lambda r, id=id: processes.get(r, id))).dropped  # type: ignore[misc]
        for id in (first.id, second.id, third.id)
    }
    assert dropped == {first.id: False, second.id: True, third.id: True}
    request = row.executor_action.typ
    assert isinstance(request, CodingAgentFollowUpRequest)
    assert request.session_id == "s"
    assert await resources.store.read(lambda r: intents.get(r, subject.attempt.id)) is None


async def test_a_session_that_remembers_what_was_taken_back_is_not_gone_on_with(
    resources: Resources, subject: Subject
) -> None:
    await run_of(resources, subject, "One", "one", "s")
    second = await run_of(resources, subject, "Two", "two", "s")
    _, row = await replace_process(
        resources, subject, Replacing(process_id=second.id, prompt="Two, better")
    )
    assert isinstance(row.executor_action.typ, CodingAgentInitialRequest)


async def test_without_a_reset_the_files_stay_and_the_answer_says_that_one_is_needed(
    resources: Resources, subject: Subject
) -> None:
    first = await run_of(resources, subject, "One", "one")
    tip = await head(subject)
    answer, _ = await replace_process(
        resources,
        subject,
        Replacing(process_id=first.id, prompt="Better", perform_git_reset=False),
    )
    assert (answer.git_reset_needed, answer.git_reset_applied) == (True, False)
    assert await head(subject) == tip


async def test_uncommitted_changes_are_given_up_only_by_force_and_a_snapshot_has_them(
    resources: Resources, subject: Subject
) -> None:
    first = await run_of(resources, subject, "One", "one")
    (subject.worktree / "one").write_text("not committed")
    expected = Replacing(process_id=first.id, prompt="Better")
    with pytest.raises(Dirty):
        await replace_process(resources, subject, expected)
    assert (subject.worktree / "one").read_text() == "not committed"
    assert await resources.store.read(processes.running) == []
    forced = Replacing(process_id=first.id, prompt="Better", force_when_dirty=True)
    answer, _ = await replace_process(resources, subject, forced)
    assert answer.git_reset_applied
    listed = await git("for-each-ref", "--format=%(refname)", "refs/anyon", cwd=subject.repository)
    refs = listed.out.decode().split()
    contents = [(await git("show", f"{ref}:one", cwd=subject.repository)).out for ref in refs]
    assert b"not committed" in contents


async def test_what_cannot_be_replaced_is_refused_before_anything_changes(
    resources: Resources, subject: Subject
) -> None:
    first = await run_of(resources, subject, "One", "one")
    tip = await head(subject)
    for expected, refusal in (
        (Replacing(process_id=first.id, prompt="  "), Invalid),
        (Replacing(process_id="none", prompt="Better"), NotFound),
        (Replacing(process_id=first.id, prompt="Better", variant="NONE"), Impossible),
    ):
        with pytest.raises(refusal):
            await replace_process(resources, subject, expected)
    assert await head(subject) == tip
    assert not (await resources.store.read(lambda r: processes.get(r, first.id))).dropped
