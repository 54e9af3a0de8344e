"""What a git that was killed, or outlived its daemon, means for the attempt it was at work in."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import psutil
import pytest
import trio

from anyond.git.disk import locks, survivors
from anyond.git.program.command import git
from anyond.git.repo import branches
from anyond.git.snapshots import snapshot_refs, snapshots
from anyond.git.worktree import worktrees
from anyond.model.errors import Conflict
from anyond.model.http.bodies import Rebasing
from anyond.model.ids import new_id, now
from anyond.model.refusals.merging import MergeConflicts
from anyond.model.refusals.requests import NotFound
from anyond.model.rows import TaskStatus
from anyond.operations import subject
from anyond.operations.branch import rebasing
from anyond.operations.branch.intent_outcomes import settled
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.workspace import removal
from anyond.store.board import tasks
from anyond.store.runs import intents
from anyond.store.upkeep import cleanups
from anyond.store.upkeep.cleanups import Cleanup
from tests.support.git.repository import WHO, commit, intend, run, status
from tests.support.operations.attempts import attempt


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "ABANDONED_S", 0.1)


def outlive(cwd: Path, *args: str) -> None:
    """Start git as a daemon does that is killed right after: in a session of its own, and left."""
    script = 'setsid git "$@" </dev/null >/dev/null 2>&1 &'
    subprocess.run(["sh", "-c", script, "sh", *WHO, *args], cwd=cwd, check=True)


def hook(repo: Path, name: str, script: str) -> None:
    file = repo / ".git" / "hooks" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def deadly(repo: Path) -> None:
    """Files called `*.deadly` kill the git that is about to write them."""
    (repo / ".git" / "info").mkdir(exist_ok=True)
    (repo / ".git" / "info" / "attributes").write_text("*.deadly filter=deadly\n")
    run(repo, "config", "filter.deadly.smudge", "kill -9 $PPID")


def harmless(repo: Path) -> None:
    run(repo, "config", "--unset", "filter.deadly.smudge")


async def begin_rebase(
    resources: Resources, attempt_subject: Subject, onto: str
) -> tuple[str, ...]:
    """Write a rebase down as it is before git is asked; returns what git is asked."""
    path = attempt_subject.worktree
    tip = run(path, "rev-parse", "HEAD")
    ref = await snapshots.take(
        attempt_subject.repository, path, attempt_subject.attempt.id, "rebase"
    )
    await intend(
        resources, attempt_subject, "rebase", name="main", tip=tip, onto=onto, snapshot=ref
    )
    since = run(path, "merge-base", onto, tip)
    return ("rebase", "--merge", "--onto", onto, since)


@pytest.mark.parametrize("moment", ["before it moved anything", "in the checkout", "in a pick"])
async def test_a_rebase_that_was_cut_short_is_undone(
    resources: Resources, repository: Path, moment: str
) -> None:
    attempt_subject = await attempt(resources, repository)
    path = attempt_subject.worktree
    tip = commit(path, {"mine/a.txt": "mine\n", "mine.deadly": "mine\n"})
    (path / "untracked.txt").write_text("not committed\n")
    onto = commit(repository, {"base.txt": "base\n", "z/in.deadly": "base\n"})
    ask = await begin_rebase(resources, attempt_subject, onto)
    if moment == "before it moved anything":
        hook(repository, "pre-rebase", "exit 0")
        own = Path(run(path, "rev-parse", "--absolute-git-dir"))
        (own / "rebase-merge").mkdir()
        (own / "rebase-merge" / "interactive").touch()
    elif moment == "in the checkout":
        deadly(repository)
        run(path, *ask, code=-9)
        assert (path / "base.txt").exists()
        harmless(repository)
    else:
        hook(repository, "post-checkout", "kill -9 $PPID")
        run(path, *ask, code=-9)
        (repository / ".git" / "hooks" / "post-checkout").unlink()
    await settled(resources, attempt_subject.attempt.id)
    assert run(path, "symbolic-ref", "HEAD") == "refs/heads/anyon/x"
    assert run(path, "rev-parse", "HEAD") == tip
    assert status(path) == ["?? untracked.txt"]
    assert not (path / "base.txt").exists()
    assert not (path / "z").exists()
    assert (path / "mine" / "a.txt").read_text() == "mine\n"
    assert await resources.store.read(lambda r: intents.get(r, attempt_subject.attempt.id)) is None
    # And it can be asked for again.
    await rebasing.rebase_attempt(resources, attempt_subject, Rebasing())
    assert run(path, "merge-base", "HEAD", "main") == onto


async def test_a_rebase_that_outlives_its_daemon_is_waited_for(
    resources: Resources, repository: Path
) -> None:
    attempt_subject = await attempt(resources, repository)
    path = attempt_subject.worktree
    commit(path, {"mine.txt": "mine\n"})
    onto = commit(repository, {"base.txt": "base\n"})
    ask = await begin_rebase(resources, attempt_subject, onto)
    hook(repository, "post-checkout", f"touch {repository}/begun; sleep 1")
    outlive(path, *ask)
    with trio.fail_after(30):
        while not (repository / "begun").exists():
            await trio.sleep(0.01)
    await settled(resources, attempt_subject.attempt.id)
    assert run(path, "symbolic-ref", "HEAD") == "refs/heads/anyon/x"
    assert run(path, "merge-base", "HEAD", "main") == onto
    assert status(path) == []


async def test_a_rebase_whose_hook_never_ends_is_ended_and_undone(
    resources: Resources, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survivors, "FINISH_S", 0.5)
    attempt_subject = await attempt(resources, repository)
    path = attempt_subject.worktree
    tip = commit(path, {"mine.txt": "mine\n"})
    onto = commit(repository, {"base.txt": "base\n"})
    ask = await begin_rebase(resources, attempt_subject, onto)
    pid = repository / "pid"
    hook(repository, "post-checkout", f"echo $$ > {pid}.half; mv {pid}.half {pid}; exec sleep 1000")
    outlive(path, *ask)
    with trio.fail_after(30):
        while not pid.exists():
            await trio.sleep(0.01)
    (repository / ".git" / "hooks" / "post-checkout").unlink()
    await settled(resources, attempt_subject.attempt.id)
    with trio.fail_after(30):
        while psutil.pid_exists(int(pid.read_text())):
            await trio.sleep(0.01)
    assert run(path, "symbolic-ref", "HEAD") == "refs/heads/anyon/x"
    assert run(path, "rev-parse", "HEAD") == tip


@pytest.mark.parametrize("known", [True, False])
async def test_a_rebase_that_waits_for_somebody_is_not_undone(
    resources: Resources, repository: Path, known: bool
) -> None:
    attempt_subject = await attempt(resources, repository)
    path = attempt_subject.worktree
    commit(path, {"same.txt": "mine\n"})
    commit(repository, {"same.txt": "theirs\n"})
    with pytest.raises(MergeConflicts):
        await rebasing.rebase_attempt(resources, attempt_subject, Rebasing())
    if not known:  # the daemon was killed in the moment between
        await resources.store.write(lambda tx: tx.execute("UPDATE intents SET waits = 0"))
    (path / "same.txt").write_text("both\n")
    run(path, "add", "same.txt")
    await settled(resources, attempt_subject.attempt.id)
    assert (path / "same.txt").read_text() == "both\n"
    assert run(path, "symbolic-ref", "HEAD", code=None) == ""
    run(path, "-c", "core.editor=true", "rebase", "--continue")
    await settled(resources, attempt_subject.attempt.id)
    assert await resources.store.read(lambda r: intents.get(r, attempt_subject.attempt.id)) is None
    assert run(path, "merge-base", "HEAD", "main") == run(repository, "rev-parse", "main")


async def test_a_retry_that_was_cut_short_in_git_is_undone(
    resources: Resources, repository: Path
) -> None:
    commit(repository, {"old.txt": "old\n", "y/gone.deadly": "old\n"})
    attempt_subject = await attempt(resources, repository)
    path = attempt_subject.worktree
    goal = run(path, "rev-parse", "HEAD")
    (path / "y" / "gone.deadly").unlink()
    (path / "old.txt").unlink()
    tip = commit(path, {"new.txt": "new\n"})
    (path / "new.txt").write_text("edited\n")
    (path / "staged.txt").write_text("staged\n")
    run(path, "add", "staged.txt")
    (path / "untracked.txt").write_text("untracked\n")
    before = status(path)
    ref = await snapshots.take(repository, path, attempt_subject.attempt.id, "retry")
    await intend(
        resources, attempt_subject, "reset", name="anyon/x", tip=tip, onto=goal, snapshot=ref
    )
    deadly(repository)
    run(path, "reset", "--hard", "--quiet", goal, "--", code=-9)
    harmless(repository)
    assert (path / "old.txt").exists()
    await settled(resources, attempt_subject.attempt.id)
    assert run(path, "symbolic-ref", "HEAD") == "refs/heads/anyon/x"
    assert run(path, "rev-parse", "HEAD") == tip
    assert status(path) == before
    assert (path / "new.txt").read_text() == "edited\n"
    assert not (path / "old.txt").exists()
    assert await resources.store.read(lambda r: intents.get(r, attempt_subject.attempt.id)) is None


async def test_a_retry_that_git_had_finished_without_rows_is_undone(
    resources: Resources, repository: Path
) -> None:
    attempt_subject = await attempt(resources, repository)
    path = attempt_subject.worktree
    goal = run(path, "rev-parse", "HEAD")
    tip = commit(path, {"new.txt": "new\n"})
    inner = path / "inner"
    inner.mkdir()
    run(inner, "init", "-q")
    commit(inner, {"theirs.txt": "theirs\n"})
    run(path, "switch", "-qc", "elsewhere")
    commit(path, {"elsewhere.txt": "elsewhere\n"})
    ref = await snapshots.take(repository, path, attempt_subject.attempt.id, "retry")
    await intend(
        resources, attempt_subject, "reset", name="anyon/x", tip=tip, onto=goal, snapshot=ref
    )
    run(path, "symbolic-ref", "HEAD", "refs/heads/anyon/x")
    run(path, "reset", "--hard", "--quiet", goal, "--")
    await settled(resources, attempt_subject.attempt.id)
    assert run(path, "symbolic-ref", "HEAD") == "refs/heads/elsewhere"
    assert run(path, "rev-parse", "anyon/x") == tip
    assert (path / "elsewhere.txt").exists()
    assert (inner / "theirs.txt").read_text() == "theirs\n"
    assert status(inner) == []


@pytest.mark.parametrize("committed", [True, False])
async def test_a_deletion_that_was_cut_short_is_over_or_undone(
    resources: Resources, repository: Path, committed: bool
) -> None:
    commit(repository, {"file [1].txt": "precious\n"})
    attempt_subject = await attempt(resources, repository)
    path, name = attempt_subject.worktree, "file [1].txt"
    (path / name).write_text("edited\n")
    tip = run(path, "rev-parse", "HEAD")
    ref = await snapshots.take(repository, path, attempt_subject.attempt.id, "delete-file")
    await intend(resources, attempt_subject, "delete_file", name=name, tip=tip, snapshot=ref)
    (path / name).unlink()
    if committed:
        run(path, "commit", "-qam", "Delete")
    await settled(resources, attempt_subject.attempt.id)
    assert (path / name).exists() is not committed
    if not committed:
        assert (path / name).read_text() == "edited\n"
    assert await resources.store.read(lambda r: intents.get(r, attempt_subject.attempt.id)) is None


async def half_merged(resources: Resources, repository: Path) -> tuple[Subject, str]:
    """A merge whose git was killed while it wrote the files of the target's checkout."""
    commit(repository, {"a.txt": "old\n", "b.txt": "old\n", "gone.txt": "old\n"})
    attempt_subject = await attempt(resources, repository)
    path = attempt_subject.worktree
    (path / "gone.txt").unlink()
    new = commit(path, {"a.txt": "new\n", "n/new.txt": "new\n", "z.deadly": "new\n"})
    before = run(repository, "rev-parse", "main")
    await intend(resources, attempt_subject, "merge", name="main", tip=before, onto=new)
    deadly(repository)
    run(repository, "merge", "--ff-only", "--quiet", new, code=-9)
    harmless(repository)
    assert run(repository, "rev-parse", "main") == before
    assert (repository / "a.txt").read_text() == "new\n"
    return attempt_subject, new


async def test_a_merge_that_was_cut_short_in_the_checkout_of_a_person_is_finished(
    resources: Resources, repository: Path
) -> None:
    attempt_subject, new = await half_merged(resources, repository)
    (repository / "b.txt").write_text("of the person\n")
    await settled(
        resources, attempt_subject.attempt.id
    )  # the lock that the git left was made since the intent
    assert run(repository, "rev-parse", "main") == new
    assert status(repository) == ["M b.txt"] or status(repository) == [" M b.txt"]
    assert (repository / "n" / "new.txt").read_text() == "new\n"
    assert not (repository / "gone.txt").exists()
    assert (
        await subject.read(resources, attempt_subject.attempt.id)
    ).task.status is TaskStatus.DONE


async def test_a_lock_that_was_there_before_the_merge_is_the_persons_to_remove(
    resources: Resources, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "LOCK_TIMEOUT_S", 0.1)
    attempt_subject, new = await half_merged(resources, repository)
    lock = repository / ".git" / "index.lock"
    then = lock.stat().st_mtime - 3600
    os.utime(lock, (then, then))
    with pytest.raises(Conflict) as refusal:
        await settled(resources, attempt_subject.attempt.id)
    assert refusal.value.type == "locked"
    lock.unlink()
    await settled(resources, attempt_subject.attempt.id)
    assert run(repository, "rev-parse", "main") == new


async def test_a_merge_that_was_cut_short_leaves_what_a_person_has_edited_since(
    resources: Resources, repository: Path
) -> None:
    attempt_subject, _ = await half_merged(resources, repository)
    (repository / ".git" / "index.lock").unlink()
    (repository / "a.txt").write_text("of the person\n")
    before = run(repository, "rev-parse", "main")
    await settled(resources, attempt_subject.attempt.id)
    assert run(repository, "rev-parse", "main") == before
    assert (repository / "a.txt").read_text() == "of the person\n"
    task = await resources.store.read(lambda r: tasks.get(r, attempt_subject.task.id))
    assert task.status is not TaskStatus.DONE


async def test_a_merge_that_outlives_its_daemon_is_waited_for_and_known(
    resources: Resources, repository: Path
) -> None:
    attempt_subject = await attempt(resources, repository)
    new = commit(attempt_subject.worktree, {"a.slow": "new\n"})
    before = run(repository, "rev-parse", "main")
    await intend(resources, attempt_subject, "merge", name="main", tip=before, onto=new)
    (repository / ".git" / "info").mkdir(exist_ok=True)
    (repository / ".git" / "info" / "attributes").write_text("*.slow filter=slow\n")
    begun = repository / ".git" / "begun"
    run(repository, "config", "filter.slow.smudge", f"touch {begun}; sleep 1; cat")
    outlive(repository, "merge", "--ff-only", "--quiet", new)
    with trio.fail_after(30):
        while not begun.exists():
            await trio.sleep(0.01)
    await settled(resources, attempt_subject.attempt.id)
    assert run(repository, "rev-parse", "main") == new
    assert (
        await subject.read(resources, attempt_subject.attempt.id)
    ).task.status is TaskStatus.DONE


@pytest.mark.parametrize("gone", ["all", "half", "moved aside", "by hand", "nothing"])
async def test_a_removal_that_was_cut_short_is_finished_without_a_record_in_git(
    resources: Resources, repository: Path, gone: str
) -> None:
    attempt_subject = await attempt(resources, repository)
    path = attempt_subject.worktree
    (path / "draft.txt").write_text("not committed\n")
    await removal.delete_task(resources, attempt_subject.task.id)
    aside = path.with_name(f".{path.name}.removed")
    if gone != "by hand":
        await snapshots.take(repository, path, attempt_subject.attempt.id, "delete")
    if gone in {"all", "by hand"}:
        shutil.rmtree(path)
    elif gone != "nothing":
        path.rename(aside)
        if gone == "half":
            (aside / ".git").unlink()
    await removal.clean_up(resources)
    assert not path.exists()
    assert not aside.exists()
    assert len(await worktrees.list_checkouts(repository)) == 1
    assert await resources.store.read(cleanups.fetch_all) == []
    for saved in await snapshot_refs.list_snapshots(repository, attempt_subject.attempt.id):
        assert (await git("show", f"{saved.ref}:draft.txt", cwd=repository)).text == "not committed"
    with pytest.raises(NotFound):
        await worktrees.remove(resources.repositories, repository, path)


async def test_an_attempt_that_goes_while_its_worktree_is_half_made_leaves_none(
    resources: Resources, repository: Path
) -> None:
    attempt_subject = await attempt(resources, repository)
    path = attempt_subject.worktree
    await resources.store.write(
        lambda tx: tx.execute("UPDATE task_attempts SET container_ref = NULL")  # not written yet
    )
    await removal.delete_attempt(resources, attempt_subject.attempt.id)
    await removal.clean_up(resources)
    assert not path.exists()
    assert len(await worktrees.list_checkouts(repository)) == 1


async def test_a_removal_waits_for_a_git_that_still_makes_the_worktree(
    resources: Resources, repository: Path, tmp_path: Path
) -> None:
    path = tmp_path / "late"
    hook(repository, "post-checkout", f"touch {repository}/begun; sleep 1")
    outlive(repository, "worktree", "add", "-q", "-b", "late", str(path))
    with trio.fail_after(30):
        while not (repository / "begun").exists():
            await trio.sleep(0.01)
    job = Cleanup(
        id=new_id(),
        worktree_path=str(path),
        repo_path=str(repository),
        attempt_id=new_id(),
        branch="late",
        created_at=now(),
    )
    await resources.store.write(lambda tx: cleanups.insert(tx, job))
    await removal.clean_up(resources)
    assert not path.exists()
    assert len(await worktrees.list_checkouts(repository)) == 1
    assert await branches.exists(repository, "late")


async def test_what_is_at_work_in_other_places_is_nobodys_survivor(repository: Path) -> None:
    hook(repository, "post-checkout", "sleep 3")
    outlive(repository, "checkout", "-q", "--detach", "main")
    with trio.fail_after(2):
        await survivors.end(("rebase", "main"), repository)
        await survivors.end(("checkout", "main"), repository.parent)
