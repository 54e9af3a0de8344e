"""Another git at work is waited for, and one that was killed is in nobody's way for ever."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

from anyond.git.commits.commit import commit_all
from anyond.git.commits.deletion import delete_file
from anyond.git.disk import locks
from anyond.git.disk.dead_locks import sweep_refs
from anyond.git.disk.locations import remember
from anyond.git.disk.lock_holders import may_be_held
from anyond.git.merging.merge import merge
from anyond.git.merging.rebase import plan, rebase
from anyond.git.program.command import GitFailed, git
from anyond.git.repo import branches
from anyond.git.repo.excludes import exclude
from anyond.git.repo.repository import Repositories
from anyond.git.snapshots.reset import abort, reset
from anyond.git.snapshots.snapshots import take
from anyond.git.worktree.renaming import rename
from anyond.model.refusals.git import Locked
from tests.support.checkout import Checkout, until

ONE = "00000000-0000-4000-8000-000000000001"

Work = Callable[[Repositories, Checkout, Checkout], Awaitable[object]]


async def _commit(_: Repositories, __: Checkout, attempt: Checkout) -> None:
    attempt.write("new.txt")
    assert await commit_all(attempt.path, "message") == attempt.oid("work")


async def _rebase(repos: Repositories, repo: Checkout, attempt: Checkout) -> None:
    main = await branches.resolve(repo.path, "main")
    await rebase(repos, attempt.path, await plan(attempt.path, "work", main, main))
    assert attempt.git("merge-base", "work", "main") == repo.oid("main")


async def _reset(_: Repositories, __: Checkout, attempt: Checkout) -> None:
    await reset(attempt.path, "HEAD~1")
    assert not (attempt.path / "own.txt").exists()


async def _abort(_: Repositories, __: Checkout, attempt: Checkout) -> None:
    await abort(attempt.path)
    assert attempt.status() == []


async def _delete(_: Repositories, __: Checkout, attempt: Checkout) -> None:
    await delete_file(attempt.path, "own.txt", message="Delete it")
    assert not (attempt.path / "own.txt").exists()


async def _fast_forward(repos: Repositories, repo: Checkout, attempt: Checkout) -> None:
    """The locked one is the checkout of the target."""
    await merge(repos, repo.path, "main", "work", message="m")
    assert attempt.read("theirs.txt") == "theirs\n"


WORKS: dict[str, Work] = {
    "commit": _commit,
    "rebase": _rebase,
    "reset": _reset,
    "abort": _abort,
    "delete": _delete,
    "fast_forward": _fast_forward,
}


@pytest.fixture
def forked(repo: Checkout, attempt: Checkout) -> tuple[Checkout, Checkout]:
    attempt.commit({"own.txt": "own\n"})
    repo.commit({"theirs.txt": "theirs\n"})
    return repo, attempt


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The locks that somebody waits for, or has waited for."""
    found: list[Path] = []
    wait = locks.gone

    async def reported(held: Path, seconds: float) -> bool:
        found.append(held)
        return await wait(held, seconds)

    monkeypatch.setattr(locks, "gone", reported)
    return found


@contextmanager
def lock(file: Path, text: str = "") -> Iterator[Path]:
    held = file.with_name(f"{file.name}.lock")
    held.write_text(text)
    try:
        yield held
    finally:
        held.unlink(missing_ok=True)


def age(held: Path) -> None:
    """As if it had been left a day ago."""
    then = held.stat().st_mtime - 86400
    os.utime(held, (then, then))


@pytest.mark.parametrize("name", WORKS)
async def test_whatever_writes_waits_for_a_git_that_is_at_work(
    repos: Repositories, forked: tuple[Checkout, Checkout], name: str, waiting: list[Path]
) -> None:
    repo, attempt = forked
    if name == "abort":
        attempt.git("merge", "--no-commit", "--no-ff", "main")
    with lock(attempt.index()) as held:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(WORKS[name], repos, repo, attempt)
            await until(lambda: waiting == [held])
            held.unlink()
    attempt.git("fsck", "--connectivity-only", "--no-dangling")


@pytest.mark.parametrize("name", WORKS)
async def test_a_git_that_does_not_end_is_named_and_nothing_has_changed(
    repos: Repositories,
    forked: tuple[Checkout, Checkout],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(locks, "LOCK_TIMEOUT_S", 0.1)
    repo, attempt = forked
    if name == "abort":
        attempt.git("merge", "--no-commit", "--no-ff", "main")
    before = attempt.oid("work"), repo.oid("main"), attempt.status(), attempt.index_bytes()
    with lock(attempt.index()) as held, pytest.raises(Locked, match=r"index\.lock") as refusal:
        await WORKS[name](repos, repo, attempt)
    assert refusal.value.data is not None
    assert (refusal.value.type, refusal.value.data["lock"]) == ("locked", str(held))
    now = attempt.oid("work"), repo.oid("main"), attempt.status(), attempt.index_bytes()
    if name == "commit":
        assert now == (*before[:2], ["?? new.txt"], before[3])
    else:
        assert now == before
    assert attempt.read("own.txt") == "own\n"


@pytest.mark.parametrize("name", WORKS)
async def test_what_a_killed_git_left_in_a_worktree_is_in_nobodys_way(
    repos: Repositories, forked: tuple[Checkout, Checkout], name: str
) -> None:
    repo, attempt = forked
    if name == "abort":
        attempt.git("merge", "--no-commit", "--no-ff", "main")
    with lock(attempt.index()) as held:
        age(held)
        await WORKS[name](repos, repo, attempt)
        assert not held.exists()


@pytest.mark.parametrize("ref", ["refs/heads/work", "packed-refs"])
async def test_what_a_killed_git_left_of_a_reference_is_in_nobodys_way(
    repos: Repositories, repo: Checkout, attempt: Checkout, ref: str
) -> None:
    if ref == "packed-refs":
        repo.git("pack-refs", "--all")
    with lock(repo.path / ".git" / ref) as held:
        age(held)
        if ref == "packed-refs":
            await git("update-ref", "-d", "refs/heads/work", cwd=repo.path)
        else:
            attempt.write("new.txt")
            assert await commit_all(attempt.path, "message") == attempt.oid("work")
        assert not held.exists()


@pytest.mark.parametrize(
    ("hook", "words"),
    [
        ("pre-commit", ("commit", "-aqm", "x")),
        ("reference-transaction", ("update-ref", "refs/heads/more", "HEAD")),
    ],
)
async def test_a_git_of_ours_that_is_killed_leaves_no_lock(
    repo: Checkout, hook: str, words: tuple[str, ...]
) -> None:
    remember(repo.path, repo.path / ".git", repo.path / ".git")
    others = repo.path / ".git" / "refs" / "heads" / "others.lock"
    others.write_text("")
    age(others)
    repo.write("base.txt", "edited\n")
    repo.hook(hook, "ls .git/refs/heads/*.lock .git/*.lock > seen; kill -9 $PPID")
    with pytest.raises(GitFailed) as failure:
        await git(*words, cwd=repo.path)
    assert failure.value.code == -signal.SIGKILL
    assert "others.lock" in (repo.path / "seen").read_text()
    assert (repo.path / "seen").read_text().count(".lock") > 1
    assert [*repo.path.glob(".git/**/*.lock")] == [others]
    await sweep_refs(repo.path / ".git")
    assert not others.exists()


async def test_a_lock_whose_git_lives_stays_however_old_it_is(
    attempt: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "ABANDONED_S", 0.0)
    attempt.hook("pre-commit", "touch began; exec sleep 600")
    attempt.write("base.txt", "edited\n")
    command = ["git", "commit", "--all", "--quiet", "--message=slow"]
    slow = subprocess.Popen(command, cwd=attempt.path, start_new_session=True)
    held = attempt.index().with_name("index.lock")
    try:
        await until((attempt.path / "began").exists)
        assert held.exists()
        assert not locks.take_away(held)
        assert held.exists()
    finally:
        os.killpg(slow.pid, signal.SIGKILL)
        slow.wait()
    age(held)
    assert locks.take_away(held)
    assert not held.exists()


async def test_a_git_that_waits_for_ever_somewhere_else_keeps_no_lock_alive(
    attempt: Checkout, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    subprocess.run(["git", "init", "-q", elsewhere], check=True)
    waiting = subprocess.Popen(
        ["git", "-C", str(elsewhere), "hash-object", "--stdin"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    here = subprocess.Popen(
        ["git", "-C", str(attempt.path), "hash-object", "--stdin"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    try:
        held = attempt.index().with_name("index.lock")
        held.touch()
        made = time.time()
        assert may_be_held(held, made), "it may be the one that is at work here"
        here.kill()
        here.wait()
        assert not may_be_held(held, made)
    finally:
        for process in (waiting, here):
            process.kill()
            process.wait()


async def test_a_lock_in_the_checkout_of_a_person_is_theirs_to_remove(
    repo: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "LOCK_TIMEOUT_S", 0.1)
    repo.write("new.txt")
    with lock(repo.index()) as held:
        age(held)
        with pytest.raises(Locked):
            await commit_all(repo.path, "message")
        assert held.exists()


async def test_locks_of_refs_and_settings_are_waited_for_as_well(
    repos: Repositories, repo: Checkout, attempt: Checkout, waiting: list[Path]
) -> None:
    ref, config = repo.path / ".git/refs/heads/new", repo.path / ".git/config"

    async def name() -> None:
        await git("update-ref", "refs/heads/new", "main", cwd=repo.path)

    async def set_up() -> None:
        await git("config", "some.key", "value", cwd=attempt.path)

    with lock(ref) as first, lock(config) as second:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(name)
            nursery.start_soon(set_up)
            await until(lambda: sorted(waiting) == [second, first])
            first.unlink()
            second.unlink()
    assert repo.oid("new") == repo.oid("main")
    assert repo.git("config", "some.key") == "value"
    await exclude(repos, attempt.path, ["x"])


async def test_a_renaming_that_meets_a_lock_is_not_tried_twice(
    repos: Repositories, repo: Checkout, attempt: Checkout
) -> None:
    with lock(repo.path / ".git/refs/heads/work"), pytest.raises(Locked):
        await rename(repos, repo.path, "work", "better")
    assert repo.git("branch", "--list", "better") == ""
    await rename(repos, repo.path, "work", "better")
    assert attempt.git("symbolic-ref", "--short", "HEAD") == "better"


async def test_a_snapshot_needs_no_lock(attempt: Checkout) -> None:
    attempt.write("new.txt", "new\n")
    with lock(attempt.index()):
        ref = await take(attempt.path, attempt.path, ONE, "retry")
    assert attempt.git("show", f"{ref}:new.txt") == "new"
