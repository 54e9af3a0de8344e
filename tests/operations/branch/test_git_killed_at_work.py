"""What is told, and left, if git is killed in a rename, a merge, a rebase, or a push."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from anyond.model.http.bodies import MergeStrategy, Rebasing
from anyond.model.rows import TaskStatus
from anyond.operations import subject
from anyond.operations.branch import branch_naming, merging, publish, rebasing
from anyond.operations.branch.intent_outcomes import settled
from anyond.operations.resources import Resources
from anyond.store.board import attempts
from anyond.store.runs import merges
from tests.support.git.deadly_git import NEW, OLD, DeadlyGit, git_file, no_intent, outcome
from tests.support.git.repository import commit, intend, run, status
from tests.support.operations.attempts import attempt

STEPS = {
    "nothing": "true",
    "the old name is gone": f"git update-ref -d {OLD}",
    "the new name is there": f'git update-ref {NEW} "$(git rev-parse {OLD})"; '
    f"git update-ref -d {OLD}",
    "all": 'git "$@"',
}


@pytest.mark.parametrize("step", STEPS)
async def test_a_rename_in_which_git_was_killed_is_answered_as_it_came_out(
    resources: Resources, repository: Path, deadly_git: DeadlyGit, step: str
) -> None:
    attempt_subject = await attempt(resources, repository)
    tip = commit(attempt_subject.worktree, {"mine.txt": "mine\n"})
    armed = deadly_git("branch -m", STEPS[step])
    happened = await outcome(branch_naming.rename_branch(resources, attempt_subject, "anyon/y"))
    assert not armed.exists()
    name = "anyon/y" if step != "nothing" else "anyon/x"
    assert happened is (step != "nothing")
    assert (await subject.read(resources, attempt_subject.attempt.id)).attempt.branch == name
    assert run(attempt_subject.worktree, "symbolic-ref", "--short", "HEAD") == name
    listed = run(repository, "for-each-ref", "--format=%(refname:short)", "refs/heads")
    assert listed.split() == [name, "main"]
    assert run(repository, "rev-parse", name) == tip
    assert status(attempt_subject.worktree) == []
    assert await no_intent(resources, attempt_subject)


@pytest.mark.parametrize("step", STEPS)
async def test_a_rename_in_which_the_daemon_was_killed_too_is_whole_or_never_was(
    resources: Resources, repository: Path, step: str
) -> None:
    attempt_subject = await attempt(resources, repository)
    tip = commit(attempt_subject.worktree, {"mine.txt": "mine\n"})
    await intend(resources, attempt_subject, "rename", name="anyon/y", tip=tip)
    script = STEPS[step].replace('git "$@"', "git branch -m anyon/x anyon/y")
    os.spawnlp(os.P_WAIT, "sh", "sh", "-c", f"cd '{repository}'; {script}")
    name = "anyon/y" if step != "nothing" else "anyon/x"
    assert (await settled(resources, attempt_subject.attempt.id)).attempt.branch == name
    assert run(attempt_subject.worktree, "symbolic-ref", "--short", "HEAD") == name
    assert run(repository, "rev-parse", name) == tip
    assert status(attempt_subject.worktree) == []
    assert await no_intent(resources, attempt_subject)


@pytest.mark.parametrize("checked_out", [True, False])
@pytest.mark.parametrize("done", [True, False])
async def test_a_merge_in_which_git_was_killed_is_answered_as_it_came_out(
    resources: Resources, repository: Path, deadly_git: DeadlyGit, checked_out: bool, done: bool
) -> None:
    run(repository, "branch", "develop")
    attempt_subject = await attempt(resources, repository)
    if not checked_out:
        await branch_naming.change_target(resources, attempt_subject, "develop")
        attempt_subject = await subject.read(resources, attempt_subject.attempt.id)
    target = "main" if checked_out else "develop"
    before = run(repository, "rev-parse", target)
    tip = commit(attempt_subject.worktree, {"mine.txt": "mine\n"})
    words = "merge --ff-only" if checked_out else "update-ref -m"
    armed = deadly_git(words, 'git "$@"' if done else "true")
    happened = await outcome(merging.merge_attempt(resources, attempt_subject, MergeStrategy.MERGE))
    assert not armed.exists()
    assert happened is done
    now_there = run(repository, "rev-parse", target)
    found = await resources.store.read(lambda r: merges.of_attempt(r, attempt_subject.attempt.id))
    after = (await subject.read(resources, attempt_subject.attempt.id)).task.status
    if happened:
        assert run(repository, "merge-base", tip, target) == tip
        assert [merge.merge_commit for merge in found] == [now_there]  # type: ignore[union-attr]
        assert after is TaskStatus.DONE
    else:
        assert now_there == before
        assert found == []
        assert after is not TaskStatus.DONE
    assert status(repository) == []
    assert await no_intent(resources, attempt_subject)


async def test_a_merge_that_is_half_in_the_checkout_is_answered_as_it_came_out(
    resources: Resources, repository: Path, deadly_git: DeadlyGit
) -> None:
    before = commit(repository, {"a.txt": "old\n", "b.txt": "old\n"})
    attempt_subject = await attempt(resources, repository)
    commit(attempt_subject.worktree, {"a.txt": "new\n", "b.txt": "new\n"})
    # Files are written before anything else.
    half = "echo new > a.txt; touch .git/index.lock"
    armed = deadly_git("merge --ff-only", half)
    happened = await outcome(
        merging.merge_attempt(resources, attempt_subject, MergeStrategy.SQUASH)
    )
    assert not armed.exists()
    there = "new\n" if happened else "old\n"
    assert [(repository / name).read_text() for name in ("a.txt", "b.txt")] == [there, there]
    assert (run(repository, "rev-parse", "main") != before) is happened
    assert status(repository) == []
    found = await resources.store.read(lambda r: merges.of_attempt(r, attempt_subject.attempt.id))
    assert len(found) == happened
    assert await no_intent(resources, attempt_subject)


@pytest.mark.parametrize("step", ["nothing", "all", "all but the end of its state"])
async def test_a_rebase_in_which_git_was_killed_is_answered_as_it_came_out(
    resources: Resources, repository: Path, deadly_git: DeadlyGit, step: str
) -> None:
    attempt_subject = await attempt(resources, repository)
    tip = commit(attempt_subject.worktree, {"mine.txt": "mine\n"})
    onto = commit(repository, {"base.txt": "base\n"})
    run(repository, "branch", "develop")
    script = {"nothing": "true", "all": 'git "$@"'}.get(
        step, 'git "$@"; d=$(git rev-parse --git-path rebase-merge); mkdir "$d"; touch "$d/onto"'
    )
    armed = deadly_git("rebase --merge", script)
    request = Rebasing(new_base_branch="develop")
    happened = await outcome(rebasing.rebase_attempt(resources, attempt_subject, request))
    assert not armed.exists()
    assert happened is (step != "nothing")
    there = await subject.read(resources, attempt_subject.attempt.id)
    base = await resources.store.read(lambda r: attempts.base_commit(r, attempt_subject.attempt.id))
    if happened:
        assert run(attempt_subject.worktree, "merge-base", "HEAD", "develop") == onto
        assert (there.attempt.target_branch, base) == ("develop", onto)
    else:
        assert run(attempt_subject.worktree, "rev-parse", "HEAD") == tip
        assert there.attempt.target_branch == "main"
    assert run(attempt_subject.worktree, "symbolic-ref", "HEAD") == OLD
    assert not (git_file(attempt_subject.worktree, "rebase-merge")).exists()
    assert status(attempt_subject.worktree) == []
    assert await no_intent(resources, attempt_subject)


@pytest.mark.parametrize("step", ["all", "half of its state is gone"])
async def test_an_abort_in_which_git_was_killed_leaves_nothing_in_progress(
    resources: Resources, repository: Path, deadly_git: DeadlyGit, step: str
) -> None:
    attempt_subject = await attempt(resources, repository)
    tip = commit(attempt_subject.worktree, {"same.txt": "mine\n"})
    commit(repository, {"same.txt": "theirs\n"})
    assert not await outcome(rebasing.rebase_attempt(resources, attempt_subject, Rebasing()))
    state = git_file(attempt_subject.worktree, "rebase-merge")
    script = 'git "$@"'
    if step != "all":
        script += f"; mkdir {state}; touch {state}/interactive"
    armed = deadly_git("rebase --abort", script)
    assert await outcome(rebasing.abort_conflicts(resources, attempt_subject))
    assert not armed.exists()
    assert not state.exists()
    assert run(attempt_subject.worktree, "symbolic-ref", "HEAD") == OLD
    assert run(attempt_subject.worktree, "rev-parse", "HEAD") == tip
    assert status(attempt_subject.worktree) == []


async def test_the_state_of_a_rebase_that_is_half_gone_can_be_aborted(
    resources: Resources, repository: Path
) -> None:
    attempt_subject = await attempt(resources, repository)
    state = git_file(attempt_subject.worktree, "rebase-merge")
    state.mkdir()
    (state / "interactive").touch()
    await rebasing.abort_conflicts(resources, attempt_subject)
    assert not state.exists()
    assert run(attempt_subject.worktree, "symbolic-ref", "HEAD") == OLD


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_push_in_which_git_was_killed_is_answered_as_it_came_out(
    resources: Resources, repository: Path, tmp_path: Path, deadly_git: DeadlyGit, arrived: bool
) -> None:
    remote = tmp_path / "remote.git"
    run(tmp_path, "clone", "-q", "--bare", str(repository), str(remote))
    run(repository, "remote", "add", "origin", str(remote))
    attempt_subject = await attempt(resources, repository)
    tip = commit(attempt_subject.worktree, {"mine.txt": "mine\n"})
    armed = deadly_git("push --porcelain", 'git "$@"' if arrived else "true")
    happened = await outcome(publish.push_attempt(resources, attempt_subject, force=False))
    assert not armed.exists()
    assert happened == arrived
    assert (run(remote, "for-each-ref", "--format=%(objectname)", OLD) == tip) == arrived
    # And the next one, which replaces it, knows what is there.
    run(
        attempt_subject.worktree,
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@b",
        "commit",
        "-q",
        "--amend",
        "-mx",
    )
    await publish.push_attempt(resources, attempt_subject, force=True)
    tip = run(attempt_subject.worktree, "rev-parse", "HEAD")
    assert run(remote, "for-each-ref", "--format=%(objectname)", OLD) == tip
