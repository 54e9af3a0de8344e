"""What operations do to rows and repositories together."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyond.git import branches, snapshots
from anyond.model.bodies import NewProject, NewTask
from anyond.model.errors import Conflict
from anyond.model.ids import new_id, now, timestamp
from anyond.model.rows import TaskAttempt
from anyond.operations import naming, removal, subject, unfinished, worktree
from anyond.operations.rooms import Rooms
from anyond.store import attempts, expiries, intents, projects, tasks
from anyond.store.expiries import Expiry
from anyond.store.intents import Intent
from anyond.store.transaction import Tx


async def attempt(rooms: Rooms, repository: Path, branch: str = "anyon/x") -> subject.Subject:
    """An attempt with its worktree, at which nobody works."""

    def work(tx: Tx) -> TaskAttempt:
        new = NewProject(name="P", git_repo_path=str(repository), use_existing_repo=True)
        project = projects.by_path(tx, str(repository)) or projects.insert(tx, new, new_id(), now())
        task = tasks.insert(tx, NewTask(project_id=project.id, title="T"), new_id(), now())
        return attempts.insert(
            tx,
            id=new_id(),
            task_id=task.id,
            branch=branch,
            target_branch="main",
            executor="DEMO",
            now=now(),
        )

    row = await rooms.store.write(work)
    return await worktree.prepare(rooms, await subject.read(rooms, row.id))


async def test_an_open_pull_request_keeps_the_branch_its_name(
    rooms: Rooms, repository: Path
) -> None:
    about = await attempt(rooms, repository)
    insert = (
        "INSERT INTO merges (id, task_attempt_id, merge_type, target_branch_name, pr_number,"
        " pr_url, pr_status, created_at) VALUES (?, ?, 'pr', 'main', 7, 'https://pr/7', ?, ?)"
    )

    def pull_request(status: str, tx: Tx) -> None:
        tx.execute(insert, (new_id(), about.attempt.id, status, now()))

    await rooms.store.write(lambda tx: pull_request("open", tx))
    await rooms.store.write(lambda tx: pull_request("closed", tx))
    with pytest.raises(Conflict) as refusal:
        await naming.rename_branch(rooms, about, "better")
    assert refusal.value.type == "pull_request_open"
    assert "https://pr/7" in str(refusal.value)
    assert await branches.exists(repository, "anyon/x")
    await rooms.store.write(lambda tx: tx.execute("DELETE FROM merges WHERE pr_status = 'open'"))
    assert await naming.rename_branch(rooms, about, "better") == "better"


async def test_the_name_of_an_attempt_that_has_no_branch_yet_is_taken(
    rooms: Rooms, repository: Path
) -> None:
    about = await attempt(rooms, repository)
    await attempt(rooms, repository, "anyon/y")
    await rooms.store.write(
        lambda tx: tx.execute("UPDATE task_attempts SET branch = 'z' WHERE branch = 'anyon/y'")
    )
    with pytest.raises(Conflict) as refusal:
        await naming.rename_branch(rooms, about, "z")
    assert refusal.value.type == "name_taken"
    assert await rooms.store.read(intents.all) == []


@pytest.mark.parametrize("done", [True, False])
async def test_a_renaming_that_a_crash_cut_short_is_settled(
    rooms: Rooms, repository: Path, done: bool
) -> None:
    about = await attempt(rooms, repository)
    tip = await branches.commit(repository, "anyon/x")
    intent = Intent(
        attempt_id=about.attempt.id, kind="rename", name="better", tip=tip, created_at=now()
    )
    await rooms.store.write(lambda tx: intents.put(tx, intent))
    if done:
        (repository / ".git/refs/heads/anyon/x").rename(repository / ".git/refs/heads/better")
    settled = await unfinished.settled(rooms, about.attempt.id)
    assert settled.attempt.branch == ("better" if done else "anyon/x")
    assert await branches.commit(about.worktree, "HEAD") == tip
    assert await rooms.store.read(intents.all) == []


async def test_snapshots_go_thirty_days_after_their_attempt_and_others_stay(
    rooms: Rooms, repository: Path
) -> None:
    about, other = await attempt(rooms, repository), await attempt(rooms, repository, "o")
    for one in (about, other):
        await snapshots.take(repository, one.worktree, one.attempt.id, "rebase")
    gone = about.attempt.id
    await removal.delete_task(rooms, about.task.id)
    await removal.clean_up(rooms)
    assert len(await snapshots.list(repository, gone)) == 2  # it was taken once more at the end
    long_ago = Expiry(attempt_id=gone, repo_path=str(repository), due_at=timestamp(0))
    await rooms.store.write(lambda tx: expiries.put(tx, long_ago))
    await removal.clean_up(rooms)
    assert await snapshots.list(repository, gone) == []
    assert len(await snapshots.list(repository)) == 1
    assert await rooms.store.read(lambda r: expiries.due(r, "9999")) == []
