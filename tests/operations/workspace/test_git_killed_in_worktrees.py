"""What is told, and left, if git is killed while a worktree is made or changed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from anyond.git.commits import commit as committing
from anyond.git.disk import locks
from anyond.git.disk.scratch import scratch
from anyond.git.worktree import repair
from anyond.model.errors import AnyondError
from anyond.model.http.bodies import ProjectPatch
from anyond.model.ids import new_id, now, seconds
from anyond.model.rows import ExecutionProcess
from anyond.operations import projects, subject
from anyond.operations.branch import branch_naming, rewind
from anyond.operations.branch.intent_outcomes import settled
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.workspace import removal, worktree
from anyond.operations.workspace.file_deletion import delete_file
from anyond.store.engine.transaction import Tx
from anyond.store.runs import processes
from anyond.store.upkeep import planned_worktrees
from tests.support.git.deadly_git import OLD, DeadlyGit, git_file, no_intent, outcome
from tests.support.git.repository import commit, intend, run, status
from tests.support.operations.attempts import attempt, new_attempt
from tests.support.store.seeds import add_process, end_process


@pytest.mark.parametrize("words", ["reset --quiet --mixed", "checkout-index --all"])
@pytest.mark.parametrize("done", [True, False])
async def test_a_worktree_whose_completion_was_killed_is_completed_by_the_next(
    resources: Resources,
    repository: Path,
    tmp_path: Path,
    deadly_git: DeadlyGit,
    words: str,
    done: bool,
) -> None:
    """An index without the files looked like a checkout in which somebody had deleted them all."""
    commit(repository, {"a.txt": "a\n", "d/b.txt": "b\n"})
    path = tmp_path / "half"
    run(repository, "worktree", "add", "-q", "--no-checkout", "-b", "work", str(path))
    armed = deadly_git(words, 'git "$@"' if done else "true")
    assert not await outcome(repair.ensure(resources.repositories, repository, path, "work"))
    assert not armed.exists()
    assert (
        await repair.ensure(resources.repositories, repository, path, "work")
    ).what == "repaired"
    assert status(path) == []
    assert (path / "d" / "b.txt").read_text() == "b\n"


async def test_an_emptied_worktree_whose_refilling_was_killed_is_refilled_by_the_next(
    resources: Resources, repository: Path, tmp_path: Path, deadly_git: DeadlyGit
) -> None:
    commit(repository, {"a.txt": "a\n", "d/b.txt": "b\n"})
    path = tmp_path / "emptied"
    run(repository, "worktree", "add", "-q", "-b", "work", str(path))
    (path / "a.txt").write_text("staged\n")
    run(path, "add", "a.txt")
    shutil.rmtree(path)
    path.mkdir()
    armed = deadly_git("checkout-index --all", "true")
    assert not await outcome(repair.ensure(resources.repositories, repository, path, "work"))
    assert not armed.exists()
    assert (
        await repair.ensure(resources.repositories, repository, path, "work")
    ).what == "repaired"
    assert (path / "a.txt").read_text() == "staged\n"
    assert (path / "d" / "b.txt").read_text() == "b\n"
    (path / "a.txt").unlink()
    assert (await repair.ensure(resources.repositories, repository, path, "work")).what == "present"
    assert not (path / "a.txt").exists()  # what somebody deletes later stays deleted


async def rename_attempt(resources: Resources, attempt_subject: Subject) -> None:
    await branch_naming.rename_branch(resources, attempt_subject, "renamed/y")


async def rename_project(resources: Resources, attempt_subject: Subject) -> None:
    await projects.update(resources, attempt_subject.project.id, ProjectPatch(name="Another"))


async def move_worktrees(resources: Resources, attempt_subject: Subject) -> None:
    place = resources.paths.data_dir / "elsewhere"
    place.mkdir()
    resources.config.patch({"workspace_dir": str(place)})


CHANGES = [rename_attempt, rename_project, move_worktrees]

Change = Callable[[Resources, Subject], Awaitable[None]]


def fsck(repository: Path) -> str:
    command = ["git", "fsck", "--no-progress"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


async def half_made(resources: Resources, repository: Path) -> tuple[Subject, Path]:
    """An attempt whose daemon was killed while git made its worktree, and where that is."""
    commit(repository, {"a.txt": "a\n"})
    attempt_subject = await new_attempt(resources, repository)
    path = worktree.planned_path(resources, attempt_subject.project, attempt_subject.attempt)
    await resources.store.write(
        lambda tx: planned_worktrees.put(tx, attempt_subject.attempt.id, str(path))
    )
    run(
        repository,
        "worktree",
        "add",
        "-q",
        "--no-checkout",
        "-b",
        attempt_subject.attempt.branch,
        path,
    )
    return attempt_subject, path


@pytest.mark.parametrize("change", CHANGES)
async def test_a_worktree_whose_making_was_killed_is_gone_on_with_where_it_was_begun(
    resources: Resources, repository: Path, change: Change
) -> None:
    """Else its branch would be checked out twice, which git refuses for ever."""
    attempt_subject, begun = await half_made(resources, repository)
    await change(resources, attempt_subject)
    attempt_subject = await worktree.prepare(
        resources, await subject.read(resources, attempt_subject.attempt.id)
    )
    assert attempt_subject.worktree == begun
    assert status(begun) == []
    assert (begun / "a.txt").read_text() == "a\n"
    listed = run(repository, "worktree", "list", "--porcelain").splitlines()
    assert sum(line.startswith("worktree ") for line in listed) == 2


@pytest.mark.parametrize("change", CHANGES)
async def test_a_worktree_whose_making_was_killed_is_removed_where_it_was_begun(
    resources: Resources, repository: Path, change: Change
) -> None:
    attempt_subject, begun = await half_made(resources, repository)
    await change(resources, attempt_subject)
    await removal.delete_attempt(resources, attempt_subject.attempt.id)
    await removal.clean_up(resources)
    assert not begun.exists()


async def test_a_worktree_that_is_half_made_is_completed_although_nobody_works_there(
    resources: Resources, repository: Path
) -> None:
    attempt_subject, begun = await half_made(resources, repository)
    # What `git worktree add` has there for a moment; after a power loss it stays.
    head = Path(run(begun, "rev-parse", "--absolute-git-dir")) / "HEAD"
    head.write_text("0" * 40 + "\n")
    head.with_name("locked").write_text("initializing")
    assert "points at nothing" in fsck(repository)
    await worktree.complete(resources, attempt_subject)
    assert (await subject.read(resources, attempt_subject.attempt.id)).worktree == begun
    assert status(begun) == []
    assert head.read_text() == f"ref: refs/heads/{attempt_subject.attempt.branch}\n"
    assert not head.with_name("locked").exists()
    assert fsck(repository) == ""


async def test_a_worktree_that_was_only_planned_is_not_made_at_a_start(
    resources: Resources, repository: Path
) -> None:
    attempt_subject = await new_attempt(resources, repository)
    await worktree.complete(resources, attempt_subject)
    assert not worktree.planned_path(
        resources, attempt_subject.project, attempt_subject.attempt
    ).exists()


async def test_a_worktree_is_planned_before_git_is_asked(
    resources: Resources, repository: Path, deadly_git: DeadlyGit
) -> None:
    attempt_subject = await new_attempt(resources, repository)
    deadly_git("worktree add", "true")
    assert not await outcome(worktree.prepare(resources, attempt_subject))
    path = worktree.planned_path(resources, attempt_subject.project, attempt_subject.attempt)
    assert await resources.store.read(planned_worktrees.paths) == [str(path)]
    attempt_subject = await worktree.prepare(
        resources, await subject.read(resources, attempt_subject.attempt.id)
    )
    assert attempt_subject.worktree == path
    assert await resources.store.read(planned_worktrees.paths) == []


async def test_what_a_killed_git_has_locked_in_a_worktree_is_swept(
    resources: Resources, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "ABANDONED_S", 0.0)
    attempt_subject = await attempt(resources, repository)
    own = Path(run(attempt_subject.worktree, "rev-parse", "--absolute-git-dir").strip())
    left = [own / "ORIG_HEAD.lock", own / "index.lock"]
    persons = repository / ".git" / "index.lock"
    for lock in (*left, persons):
        lock.touch()
        os.utime(lock, (0, 0))
    await removal.sweep_locks(resources)
    assert [lock for lock in (*left, persons) if lock.exists()] == [persons]


async def test_what_was_put_aside_in_a_worktree_that_is_half_made_is_swept(
    resources: Resources, repository: Path
) -> None:
    _, path = await half_made(resources, repository)
    own = Path(run(path, "rev-parse", "--absolute-git-dir"))
    with scratch(own) as private:
        left = private.with_name("tmpkilled")
        left.mkdir()
    await removal.sweep(resources, seconds(now()) + 60)
    assert not left.exists()


@pytest.mark.parametrize("step", ["nothing", "the commit", "all"])
@pytest.mark.parametrize("known", ["committed", "staged", "untracked"])
async def test_a_deletion_in_which_git_was_killed_is_answered_as_it_came_out(
    resources: Resources, repository: Path, deadly_git: DeadlyGit, step: str, known: str
) -> None:
    attempt_subject = await attempt(resources, repository)
    path, name = attempt_subject.worktree, "file [1].txt"
    (path / name).write_text("precious\n")
    if known != "untracked":
        run(path, "add", "-A")
    if known == "committed":
        run(path, "commit", "-qm", "change")
    words = "commit --quiet" if known == "committed" else "update-index --force-remove"
    script = {"nothing": "true", "all": 'git "$@"'}.get(
        step,
        'cp "$(git rev-parse --git-path index)" i; git "$@"; '
        'mv i "$(git rev-parse --git-path index)"',
    )
    if known != "committed" and step == "the commit":
        script = 'git "$@"'
    armed = deadly_git(words, script)
    happened = await outcome(delete_file(resources, attempt_subject, name))
    assert not armed.exists()
    # Nothing has to be done in git for a file that it does not know.
    assert happened is (step != "nothing" or known == "untracked")
    assert (path / name).exists() is not happened
    assert status(path) == ([f'A  "{name}"'] if known == "staged" and not happened else [])
    listed = run(path, "ls-tree", "--name-only", "HEAD").splitlines()
    assert (f'"{name}"' in listed or name in listed) is (known == "committed" and not happened)
    assert await no_intent(resources, attempt_subject)


async def test_a_deletion_in_which_the_daemon_was_killed_too_leaves_no_entry_in_the_index(
    resources: Resources, repository: Path
) -> None:
    attempt_subject = await attempt(resources, repository)
    path, tip = attempt_subject.worktree, commit(attempt_subject.worktree, {"a.txt": "precious\n"})
    await intend(resources, attempt_subject, "delete_file", name="a.txt", tip=tip, snapshot=OLD)
    (path / "a.txt").unlink()
    index = git_file(path, "index")
    saved = index.read_bytes()
    run(path, "commit", "-qam", "Delete")
    index.write_bytes(saved)
    await settled(resources, attempt_subject.attempt.id)
    assert status(path) == []


@pytest.mark.parametrize("done", [True, False])
async def test_a_commit_in_which_git_was_killed_is_answered_as_it_came_out(
    resources: Resources, repository: Path, deadly_git: DeadlyGit, done: bool
) -> None:
    attempt_subject = await attempt(resources, repository)
    before = run(attempt_subject.worktree, "rev-parse", "HEAD")
    (attempt_subject.worktree / "new.txt").write_text("new\n")
    armed = deadly_git("commit --quiet", 'git "$@"' if done else "true")
    happened = await outcome(committing.commit_all(attempt_subject.worktree, "All", "anyon/x"))
    assert not armed.exists()
    assert happened is done
    assert (run(attempt_subject.worktree, "rev-parse", "HEAD") != before) is done
    assert status(attempt_subject.worktree) == ([] if done else ["?? new.txt"])


@pytest.mark.parametrize("done", [True, False])
async def test_a_retry_in_which_git_was_killed_is_undone_before_it_is_refused(
    resources: Resources, repository: Path, deadly_git: DeadlyGit, done: bool
) -> None:
    attempt_subject = await attempt(resources, repository)
    goal = run(attempt_subject.worktree, "rev-parse", "HEAD")
    row = await resources.store.write(lambda tx: begun_at(tx, attempt_subject, goal))
    tip = commit(attempt_subject.worktree, {"new.txt": "new\n"})
    (attempt_subject.worktree / "new.txt").write_text("edited\n")
    armed = deadly_git("reset --hard", 'git "$@"' if done else "rm new.txt")
    with pytest.raises(AnyondError):
        await rewind.go_back(resources, attempt_subject, row, perform=True, force=True)
    assert not armed.exists()
    assert run(attempt_subject.worktree, "rev-parse", "HEAD") == tip
    assert (attempt_subject.worktree / "new.txt").read_text() == "edited\n"
    assert await no_intent(resources, attempt_subject)
    went = await rewind.go_back(resources, attempt_subject, row, perform=True, force=True)
    assert went.applied
    assert run(attempt_subject.worktree, "rev-parse", "HEAD") == goal


def begun_at(tx: Tx, attempt_subject: Subject, goal: str) -> ExecutionProcess:
    """A run of the agent that has found the worktree at `goal`, and is over."""
    row = add_process(tx, new_id(), attempt_subject.attempt.id)
    row = processes.set_before_commit(tx, row.id, goal, now())
    end_process(tx, row.id)
    return row
