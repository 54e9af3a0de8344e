"""Rebasing an attempt: its commits move, its rows follow, and a refusal has changed nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from anyond.model.http.bodies import Rebasing
from anyond.model.refusals.merging import MergeConflicts
from anyond.model.refusals.requests import Impossible
from anyond.model.refusals.worktrees import Dirty
from anyond.operations import subject
from anyond.operations.branch.rebasing import abort_conflicts, rebase_attempt
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.store.board import attempts
from anyond.store.runs import intents
from tests.support.git.repository import commit, run, status
from tests.support.operations.attempts import attempt, new_attempt


async def base_commit(resources: Resources, attempt_subject: Subject) -> str | None:
    return await resources.store.read(lambda r: attempts.base_commit(r, attempt_subject.attempt.id))


async def target(resources: Resources, attempt_subject: Subject) -> str:
    return (await subject.read(resources, attempt_subject.attempt.id)).attempt.target_branch


def snapshots(repository: Path, attempt_subject: Subject) -> list[str]:
    listed = run(repository, "for-each-ref", "--format=%(refname)", "refs/anyon/snapshots")
    return [ref for ref in listed.split() if attempt_subject.attempt.id in ref]


async def test_without_a_new_base_an_attempt_moves_to_the_tip_of_its_target(
    resources: Resources, repository: Path
) -> None:
    attempt_subject = await attempt(resources, repository)
    commit(attempt_subject.worktree, {"mine.txt": "mine\n"}, "Mine")
    tip = commit(repository, {"base.txt": "base\n"})
    (attempt_subject.worktree / "loose.txt").write_text("loose\n")
    await rebase_attempt(resources, attempt_subject, Rebasing())
    assert run(attempt_subject.worktree, "log", "--format=%s", "main..HEAD") == "Mine"
    assert run(attempt_subject.worktree, "merge-base", "HEAD", "main") == tip
    assert status(attempt_subject.worktree) == ["?? loose.txt"]
    assert await target(resources, attempt_subject) == "main"
    assert await base_commit(resources, attempt_subject) == tip
    assert await resources.store.read(lambda r: intents.get(r, attempt_subject.attempt.id)) is None
    [saved] = snapshots(repository, attempt_subject)
    assert run(repository, "show", f"{saved}:loose.txt") == "loose"


async def test_only_its_own_commits_move_from_an_old_base_to_a_new_one(
    resources: Resources, repository: Path
) -> None:
    run(repository, "branch", "develop")
    attempt_subject = await attempt(resources, repository)
    run(repository, "checkout", "-q", "-b", "feature")
    commit(repository, {"feature.txt": "feature\n"}, "Feature")
    run(repository, "checkout", "-q", "main")
    run(attempt_subject.worktree, "reset", "-q", "--hard", "feature")
    commit(attempt_subject.worktree, {"mine.txt": "mine\n"}, "Mine")
    rebase_request = Rebasing(old_base_branch="feature", new_base_branch="develop")
    await rebase_attempt(resources, attempt_subject, rebase_request)
    assert run(attempt_subject.worktree, "log", "--format=%s", "develop..HEAD") == "Mine"
    assert await target(resources, attempt_subject) == "develop"


async def test_where_the_attempt_began_is_remembered_when_its_target_was_rewritten(
    resources: Resources, repository: Path
) -> None:
    commit(repository, {"old.txt": "old\n"}, "Old")
    attempt_subject = await attempt(resources, repository)
    commit(attempt_subject.worktree, {"mine.txt": "mine\n"}, "Mine")
    run(repository, "reset", "-q", "--hard", "HEAD~1")
    commit(repository, {"new.txt": "new\n"}, "New")
    run(repository, "reflog", "expire", "--expire=now", "--all")
    await rebase_attempt(resources, attempt_subject, Rebasing())
    assert run(attempt_subject.worktree, "log", "--format=%s", "main..HEAD") == "Mine"


@pytest.mark.parametrize(
    ("rebase_request", "field"),
    [
        (Rebasing(new_base_branch="anyon/x"), "new_base_branch"),
        (Rebasing(new_base_branch="nowhere"), "new_base_branch"),
        (Rebasing(old_base_branch="nowhere"), "old_base_branch"),
    ],
)
async def test_a_base_that_is_none_is_refused_by_its_field(
    resources: Resources, repository: Path, rebase_request: Rebasing, field: str
) -> None:
    attempt_subject = await attempt(resources, repository)
    before = run(attempt_subject.worktree, "rev-parse", "HEAD")
    with pytest.raises(Impossible) as refused:
        await rebase_attempt(resources, attempt_subject, rebase_request)
    assert field in str(refused.value.data) + str(refused.value)
    assert run(attempt_subject.worktree, "rev-parse", "HEAD") == before
    assert snapshots(repository, attempt_subject) == []


async def test_a_target_that_is_gone_is_no_reason_not_to_move_to_another(
    resources: Resources, repository: Path
) -> None:
    attempt_subject = await attempt(resources, repository)
    commit(attempt_subject.worktree, {"mine.txt": "mine\n"}, "Mine")
    run(repository, "checkout", "-q", "-b", "develop")
    tip = commit(repository, {"base.txt": "base\n"})
    run(repository, "branch", "-q", "-D", "main")
    await rebase_attempt(resources, attempt_subject, Rebasing(new_base_branch="develop"))
    assert run(attempt_subject.worktree, "merge-base", "HEAD", "develop") == tip
    assert await target(resources, attempt_subject) == "develop"


async def test_what_is_not_committed_refuses_it_and_nothing_is_written_down(
    resources: Resources, repository: Path
) -> None:
    commit(repository, {"a.txt": "a\n"})
    attempt_subject = await attempt(resources, repository)
    (attempt_subject.worktree / "a.txt").write_text("mine\n")
    run(repository, "branch", "develop")
    with pytest.raises(Dirty):
        await rebase_attempt(resources, attempt_subject, Rebasing(new_base_branch="develop"))
    assert await target(resources, attempt_subject) == "main"
    assert await resources.store.read(lambda r: intents.get(r, attempt_subject.attempt.id)) is None
    assert (attempt_subject.worktree / "a.txt").read_text() == "mine\n"


async def test_a_conflict_waits_with_its_intent_and_aborting_goes_back_to_before(
    resources: Resources, repository: Path
) -> None:
    commit(repository, {"a.txt": "old\n"})
    attempt_subject = await attempt(resources, repository)
    mine = commit(attempt_subject.worktree, {"a.txt": "mine\n"}, "Mine")
    run(repository, "branch", "develop")
    run(repository, "checkout", "-q", "develop")
    commit(repository, {"a.txt": "theirs\n"})
    with pytest.raises(MergeConflicts):
        await rebase_attempt(resources, attempt_subject, Rebasing(new_base_branch="develop"))
    intent = await resources.store.read(lambda r: intents.get(r, attempt_subject.attempt.id))
    assert intent is not None
    assert (intent.kind, intent.name, intent.tip) == ("rebase", "develop", mine)
    assert intent.waits
    assert await target(resources, attempt_subject) == "main"
    (attempt_subject.worktree / "loose.txt").write_text("loose\n")
    await abort_conflicts(resources, attempt_subject)
    assert run(attempt_subject.worktree, "rev-parse", "anyon/x") == mine
    assert run(attempt_subject.worktree, "symbolic-ref", "--short", "HEAD") == "anyon/x"
    assert status(attempt_subject.worktree) == ["?? loose.txt"]
    assert await resources.store.read(lambda r: intents.get(r, attempt_subject.attempt.id)) is None
    assert await target(resources, attempt_subject) == "main"
    # Before the rebase, and before the abort.
    assert len(snapshots(repository, attempt_subject)) == 2


async def test_aborting_where_nothing_is_in_progress_changes_nothing(
    resources: Resources, repository: Path
) -> None:
    attempt_subject = await attempt(resources, repository)
    (attempt_subject.worktree / "loose.txt").write_text("loose\n")
    await abort_conflicts(resources, attempt_subject)
    assert status(attempt_subject.worktree) == ["?? loose.txt"]
    assert snapshots(repository, attempt_subject) == []
    await abort_conflicts(resources, await new_attempt(resources, repository, "anyon/y"))


async def test_a_worktree_that_is_gone_is_made_again_for_a_rebase(
    resources: Resources, repository: Path
) -> None:
    attempt_subject = await attempt(resources, repository)
    commit(attempt_subject.worktree, {"mine.txt": "mine\n"}, "Mine")
    tip = commit(repository, {"base.txt": "base\n"})
    shutil.rmtree(attempt_subject.worktree)
    await rebase_attempt(resources, attempt_subject, Rebasing())
    assert run(repository, "merge-base", "anyon/x", "main") == tip
