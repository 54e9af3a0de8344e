"""What operations do to rows and repositories together."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from anyond.git.commits import commit
from anyond.git.disk import scratch
from anyond.git.program.command import git
from anyond.git.repo import branches
from anyond.git.repo.repository import git_dir
from anyond.git.snapshots import snapshot_refs, snapshots
from anyond.git.worktree import worktrees
from anyond.model.errors import Conflict
from anyond.model.http.bodies import NewProject, Rebasing
from anyond.model.ids import new_id, now, seconds, timestamp
from anyond.model.refusals.requests import Invalid
from anyond.operations import projects as project_operations
from anyond.operations import subject
from anyond.operations.branch import branch_naming, intent_outcomes, rebasing
from anyond.operations.resources import Resources
from anyond.operations.workspace import removal, worktree
from anyond.store.board import attempts
from anyond.store.engine.transaction import Tx
from anyond.store.runs import intents
from anyond.store.runs.intents import Intent
from anyond.store.upkeep import expiries
from anyond.store.upkeep.expiries import Expiry
from tests.support.operations.attempts import attempt


async def test_an_open_pull_request_keeps_the_branch_its_name(
    resources: Resources, repository: Path
) -> None:
    attempt_subject = await attempt(resources, repository)
    insert = (
        "INSERT INTO merges (id, task_attempt_id, merge_type, target_branch_name, pr_number,"
        " pr_url, pr_status, created_at) VALUES (?, ?, 'pr', 'main', 7, 'https://pr/7', ?, ?)"
    )

    def pull_request(status: str, tx: Tx) -> None:
        tx.execute(insert, (new_id(), attempt_subject.attempt.id, status, now()))

    await resources.store.write(lambda tx: pull_request("open", tx))
    await resources.store.write(lambda tx: pull_request("closed", tx))
    with pytest.raises(Conflict) as refusal:
        await branch_naming.rename_branch(resources, attempt_subject, "better")
    assert refusal.value.type == "pull_request_open"
    assert "https://pr/7" in str(refusal.value)
    assert await branches.exists(repository, "anyon/x")
    await resources.store.write(
        lambda tx: tx.execute("DELETE FROM merges WHERE pr_status = 'open'")
    )
    assert await branch_naming.rename_branch(resources, attempt_subject, "better") == "better"


async def test_the_name_of_an_attempt_that_has_no_branch_yet_is_taken(
    resources: Resources, repository: Path
) -> None:
    attempt_subject = await attempt(resources, repository)
    await attempt(resources, repository, "anyon/y")
    await resources.store.write(
        lambda tx: tx.execute("UPDATE task_attempts SET branch = 'z' WHERE branch = 'anyon/y'")
    )
    with pytest.raises(Conflict) as refusal:
        await branch_naming.rename_branch(resources, attempt_subject, "z")
    assert refusal.value.type == "name_taken"
    assert await resources.store.read(intents.fetch_all) == []


@pytest.mark.parametrize("done", [True, False])
async def test_a_renaming_that_a_crash_cut_short_is_settled(
    resources: Resources, repository: Path, done: bool
) -> None:
    attempt_subject = await attempt(resources, repository)
    tip = await branches.commit(repository, "anyon/x")
    intent = Intent(
        attempt_id=attempt_subject.attempt.id,
        kind="rename",
        name="better",
        tip=tip,
        created_at=now(),
    )
    await resources.store.write(lambda tx: intents.put(tx, intent))
    if done:
        (repository / ".git/refs/heads/anyon/x").rename(repository / ".git/refs/heads/better")
    settled = await intent_outcomes.settled(resources, attempt_subject.attempt.id)
    assert settled.attempt.branch == ("better" if done else "anyon/x")
    assert await branches.commit(attempt_subject.worktree, "HEAD") == tip
    assert await resources.store.read(intents.fetch_all) == []


async def test_where_an_attempt_left_its_target_is_remembered_and_followed(
    resources: Resources, repository: Path
) -> None:
    attempt_subject = await attempt(resources, repository)
    id = attempt_subject.attempt.id

    async def left() -> str | None:
        return await resources.store.read(lambda r: attempts.base_commit(r, id))

    assert await left() == await branches.commit(repository, "main")
    await commit.commit_all(attempt_subject.worktree, "nothing")
    (attempt_subject.worktree / "own.txt").write_text("own\n")
    await commit.commit_all(attempt_subject.worktree, "own")
    (repository / "their.txt").write_text("theirs\n")
    theirs = await commit.commit_all(repository, "theirs")
    await rebasing.rebase_attempt(resources, attempt_subject, Rebasing())
    assert await left() == theirs
    await git("branch", "other", cwd=repository)
    attempt_subject = await subject.read(resources, id)
    await branch_naming.change_target(resources, attempt_subject, "other")
    assert await left() is None


async def test_a_worktree_that_git_had_made_before_a_crash_knows_where_it_began(
    resources: Resources, repository: Path
) -> None:
    await git("branch", "anyon/x", "main", cwd=repository)
    (repository / "their.txt").write_text("theirs\n")
    begun = await branches.commit(repository, "main")
    await commit.commit_all(repository, "theirs")
    id = (await attempt(resources, repository)).attempt.id
    assert await resources.store.read(lambda r: attempts.base_commit(r, id)) == begun


async def test_what_was_copied_before_a_crash_gets_into_no_commit(
    resources: Resources, repository: Path
) -> None:
    attempt_subject = await attempt(resources, repository)
    (repository / ".env").write_text("SECRET=1\n")
    (attempt_subject.worktree / ".env").write_text("SECRET=1\n")

    def as_it_was(tx: Tx) -> None:
        tx.execute("UPDATE projects SET copy_files = '.env'")
        tx.execute("UPDATE task_attempts SET container_ref = NULL")

    await resources.store.write(as_it_was)
    attempt_subject = await worktree.prepare(
        resources, await subject.read(resources, attempt_subject.attempt.id)
    )
    assert await commit.commit_all(attempt_subject.worktree, "everything") is None


async def test_a_changed_copy_of_a_secret_outlives_its_worktree(
    resources: Resources, repository: Path
) -> None:
    for name in (".env", "same.env"):
        (repository / name).write_text("SECRET=1\n")
    attempt_subject = await attempt(resources, repository)

    def as_new(tx: Tx) -> None:
        tx.execute("UPDATE projects SET copy_files = '*.env'")
        tx.execute("UPDATE task_attempts SET container_ref = NULL")

    await resources.store.write(as_new)
    attempt_subject = await worktree.prepare(
        resources, await subject.read(resources, attempt_subject.attempt.id)
    )
    (attempt_subject.worktree / ".env").write_text("SECRET=of the agent\n")
    await removal.delete_task(resources, attempt_subject.task.id)
    await removal.clean_up(resources)
    assert not attempt_subject.worktree.exists()
    (saved,) = await snapshot_refs.list_snapshots(repository, attempt_subject.attempt.id)
    assert (await git("show", f"{saved.ref}:.env", cwd=repository)).text == "SECRET=of the agent"
    names = await git("ls-tree", "--name-only", saved.ref, cwd=repository)
    assert b"same.env" not in names.out


async def test_what_a_killed_daemon_had_put_aside_is_swept_and_what_is_in_use_stays(
    resources: Resources, repository: Path
) -> None:
    attempt_subject = await attempt(resources, repository)
    own = git_dir(attempt_subject.worktree)
    assert own is not None
    old = own / "anyon" / "old"
    old.mkdir(parents=True)
    (old / "index").write_text("half of an index")
    os.utime(old, (1000, 1000))
    with scratch.scratch(own) as used:
        await removal.sweep(resources, before=2000)
        assert list((own / "anyon").iterdir()) == [used]
    await snapshots.take(repository, attempt_subject.worktree, attempt_subject.attempt.id, "merge")
    assert list((own / "anyon").iterdir()) == []


async def test_no_age_of_an_attempt_takes_its_worktree_away(
    resources: Resources, repository: Path
) -> None:
    attempt_subject = await attempt(resources, repository)
    (attempt_subject.worktree / "draft.txt").write_text("not committed\n")
    await resources.store.write(
        lambda tx: tx.execute("UPDATE task_attempts SET created_at = ?", (timestamp(0),))
    )
    for file in (
        attempt_subject.worktree,
        attempt_subject.worktree / "draft.txt",
        attempt_subject.worktree / ".git",
    ):
        os.utime(file, (0, 0))
    await removal.sweep(resources, before=seconds(now()))
    await removal.clean_up(resources)
    assert (attempt_subject.worktree / "draft.txt").read_text() == "not committed\n"
    assert not (await subject.read(resources, attempt_subject.attempt.id)).attempt.worktree_deleted


async def test_a_worktree_that_was_taken_away_comes_back_and_can_go_again(
    resources: Resources, repository: Path
) -> None:
    attempt_subject = await attempt(resources, repository)
    id = attempt_subject.attempt.id
    for _ in range(2):
        (attempt_subject.worktree / "draft.txt").write_text("not committed\n")
        await worktrees.remove(resources.repositories, repository, attempt_subject.worktree)
        await resources.store.write(lambda tx: attempts.set_worktree_deleted(tx, id, True, now()))
        attempt_subject = await worktree.prepare(resources, await subject.read(resources, id))
        assert attempt_subject.worktree.is_dir()
        assert not (await subject.read(resources, id)).attempt.worktree_deleted
    (attempt_subject.worktree / "draft.txt").write_text("not committed\n")
    await removal.delete_task(resources, attempt_subject.task.id)
    await removal.clean_up(resources)
    assert not attempt_subject.worktree.exists()
    saved = (await snapshot_refs.list_snapshots(repository, id))[-1]
    assert (await git("show", f"{saved.ref}:draft.txt", cwd=repository)).text == "not committed"
    assert await branches.exists(repository, "anyon/x")


async def test_snapshots_go_thirty_days_after_their_attempt_and_others_stay(
    resources: Resources, repository: Path
) -> None:
    attempt_subject, other = (
        await attempt(resources, repository),
        await attempt(resources, repository, "o"),
    )
    for one in (attempt_subject, other):
        await snapshots.take(repository, one.worktree, one.attempt.id, "rebase")
    gone = attempt_subject.attempt.id
    await removal.delete_task(resources, attempt_subject.task.id)
    await removal.clean_up(resources)
    assert (
        len(await snapshot_refs.list_snapshots(repository, gone)) == 2
    )  # it was taken once more at the end
    long_ago = Expiry(attempt_id=gone, repo_path=str(repository), due_at=timestamp(0))
    await resources.store.write(lambda tx: expiries.put(tx, long_ago))
    await removal.clean_up(resources)
    assert await snapshot_refs.list_snapshots(repository, gone) == []
    assert len(await snapshot_refs.list_snapshots(repository)) == 1
    assert await resources.store.read(lambda r: expiries.due(r, "9999")) == []


async def test_a_worktree_whose_repository_is_away_goes_when_that_is_back(
    resources: Resources, repository: Path, tmp_path: Path
) -> None:
    attempt_subject = await attempt(resources, repository)
    (attempt_subject.worktree / "draft.txt").write_text("not committed\n")
    repository.rename(tmp_path / "away")
    await removal.delete_task(resources, attempt_subject.task.id)
    await removal.clean_up(resources)
    assert (attempt_subject.worktree / "draft.txt").exists()
    (tmp_path / "away").rename(repository)
    await removal.clean_up(resources)
    assert not attempt_subject.worktree.exists()
    (saved,) = await snapshot_refs.list_snapshots(repository, attempt_subject.attempt.id)
    assert (await git("show", f"{saved.ref}:draft.txt", cwd=repository)).text == "not committed"


@pytest.mark.parametrize("cut", ["link", "record"])
async def test_a_worktree_that_git_has_lost_can_go_and_is_kept_first(
    resources: Resources, repository: Path, cut: str
) -> None:
    attempt_subject = await attempt(resources, repository)
    (attempt_subject.worktree / "draft.txt").write_text("not committed\n")
    if cut == "link":
        (attempt_subject.worktree / ".git").unlink()
    else:
        shutil.rmtree(repository / ".git" / "worktrees")
    await removal.delete_task(resources, attempt_subject.task.id)
    await removal.clean_up(resources)
    assert not attempt_subject.worktree.exists()
    (saved,) = await snapshot_refs.list_snapshots(repository, attempt_subject.attempt.id)
    assert (await git("show", f"{saved.ref}:draft.txt", cwd=repository)).text == "not committed"


async def test_a_path_of_which_git_can_make_no_worktrees_is_refused(
    resources: Resources, tmp_path: Path
) -> None:
    odd = tmp_path / "two\nlines"
    await git("init", "-q", "--", odd, cwd=tmp_path)
    new = NewProject(name="P", git_repo_path=str(odd), use_existing_repo=True)
    with pytest.raises(Invalid, match="line break"):
        await project_operations.create(resources, new)
