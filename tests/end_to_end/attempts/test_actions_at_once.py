"""Whoever presses what, however many at once, whenever the daemon dies: all stays consistent."""

from __future__ import annotations

import hashlib
import os
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import trio

from tests.support.daemon import Daemon, Refused
from tests.support.worked_attempt import WorkedAttempt, worked_attempt

CLIENTS = 10
PRESSES = int(os.environ.get("ANYON_TEST_PRESSES", "6"))
CRASHES = int(os.environ.get("ANYON_TEST_CRASHES", "8"))
ROUNDS = int(os.environ.get("ANYON_TEST_ROUNDS", "1"))
"""How often an attempt is made and quarrelled about; by hand, some hundred."""

IMPATIENCE = 50
"""How often a client that is told "busy" presses again."""

Press = tuple[str, str, object]


def dice() -> random.Random:
    seed = int(os.environ.get("ANYON_TEST_SEED", "0")) or random.randrange(1 << 30)
    print(f"ANYON_TEST_SEED={seed}")
    return random.Random(seed)


async def quarrel(daemon: Daemon) -> WorkedAttempt:
    """An attempt that fits on `main`, is in conflict with `develop`, and can be pushed."""
    at = await worked_attempt(daemon, dev_script="exec sleep 600")
    daemon.git(at.repository, "branch", "develop")
    at.land("develop", own="theirs\n")
    at.land("main", other="other\n")
    daemon.git(at.repository, "clone", "-q", "--bare", ".", str(daemon.root / "remote.git"))
    daemon.git(at.repository, "remote", "add", "origin", str(daemon.root / "remote.git"))
    return at


async def again(daemon: Daemon, at: WorkedAttempt) -> WorkedAttempt:
    """The same with a new attempt."""
    project = (await daemon.ask("GET", "/api/projects"))[0]
    attempt = await daemon.attempt(
        project, f"write {at.attempt['id']}.txt mine\nwrite own.txt mine"
    )
    await daemon.over(attempt)
    return WorkedAttempt(daemon, at.repository, attempt)


def press(chance: random.Random, first: str) -> Press:
    """Some button of an attempt whose first process is `first`: method, path, body."""
    number = chance.randrange(1 << 16)
    base = chance.choice(["main", "develop"])
    back = {"perform_git_reset": True, "force_when_dirty": chance.random() < 0.7}
    work = f"write f{number}.txt x{number}\nsleep {chance.random() * 0.1}\nwrite own.txt {number}"
    presses: list[Press] = [
        ("POST", "rebase", {"new_base_branch": base}),
        ("POST", "conflicts/abort", None),
        ("POST", "change-target-branch", {"new_target_branch": base}),
        ("POST", "rename-branch", {"new_branch_name": chance.choice(["a", "a/b", "c"])}),
        ("POST", "delete-file?file_path=own.txt", None),
        ("POST", "merge", {"strategy": chance.choice(["merge", "squash", "rebase"])}),
        ("POST", "follow-up", {"prompt": work}),
        ("POST", "follow-up", {"prompt": work, "retry_process_id": first, **back}),
        ("POST", "replace-process", {"process_id": first, "prompt": "say no", **back}),
        ("POST", "start-dev-server", None),
        ("POST", "push", {"force": chance.random() < 0.5}),
        ("PUT", "draft", {"prompt": work}),
        ("POST", "draft/queue", {"queued": chance.random() < 0.8}),
        ("DELETE", "draft", None),
        ("POST", "stop", None),
        ("GET", "branch-status", None),
        ("GET", "commit-compare?sha=main", None),
        ("GET", "children", None),
    ]
    return chance.choice(presses)


async def all_at_once(at: WorkedAttempt, chance: random.Random) -> list[tuple[str, int, Any]]:
    """Ten clients at all buttons, and a person who puts new files into the worktree meanwhile.

    Returns:
        Which button was answered how.
    """
    first = (await at.daemon.processes(at.attempt))[0]["id"]
    answers: list[tuple[str, int, Any]] = []

    async def client(own: random.Random) -> None:
        for _ in range(PRESSES):
            method, button, body = press(own, first)
            for _ in range(IMPATIENCE):
                answer = await at.daemon.request(method, f"{at.path}/{button}", json=body)
                content = answer.json()
                answers.append((f"{method} {button}", answer.status_code, content))
                if (content["error_data"] or {}).get("type") != "busy":
                    break
                await trio.sleep(own.random() * 0.05)  # as impatient as a person can be

    async def person(done: trio.Event) -> None:
        number = 0
        while not done.is_set():
            (at.worktree / f"{at.attempt['id']}-{number}.txt").write_text(mine(at, number))
            number += 1
            with trio.move_on_after(0.1):
                await done.wait()
        at.drafts = number

    done = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(person, done)
        async with trio.open_nursery() as clients:
            for _ in range(CLIENTS):
                clients.start_soon(client, random.Random(chance.random()))
        done.set()
    for button, status, content in answers:
        assert status in {200, 404, 409, 422}, (button, status, content)
        assert content["success"] == (status == 200)
        assert (content["error_data"] or {}).get("type") != "locked", (button, content)
    return answers


def mine(at: WorkedAttempt, number: int) -> str:
    """What nobody else would write."""
    return f"{at.attempt['id']} {number}\n"


async def consistent(at: WorkedAttempt) -> None:
    """Nothing runs or waits, git and the rows agree, and every button works again."""
    await at.press("stop")
    row = await at.row()
    branch = row["branch"]
    status = await at.look("branch-status")
    if status["is_rebase_in_progress"]:
        own = Path(at.git("rev-parse", "--path-format=absolute", "--git-dir"))
        assert (own / "rebase-merge" / "head-name").read_text().strip() == f"refs/heads/{branch}"
        await at.press("conflicts/abort")
    assert at.git("symbolic-ref", "--short", "HEAD") == branch
    assert row["target_branch"] in {"main", "develop"}
    assert status["target_branch_name"] == row["target_branch"]
    for process in await at.daemon.processes(at.attempt):
        assert process["status"] != "running"
    await at.press("follow-up", {"prompt": "write last.txt x"})
    ended = await at.daemon.over(at.attempt)
    assert ended["status"] == "completed", await at.daemon.raw(ended)
    assert at.git("status", "--porcelain") == ""
    assert at.git("log", "-1", "--format=%H", branch) == ended["after_head_commit"]
    names = at.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split()
    rows = await at.daemon.ask("GET", "/api/task-attempts")
    assert sorted(names) == sorted(["main", "develop", *(row["branch"] for row in rows)])
    await nothing_lost(at)
    await whole(at.daemon, at.repository)


async def nothing_lost(at: WorkedAttempt) -> None:
    """Whatever an agent has committed or a person has written is under some name in git."""
    everything = set(at.git("rev-list", "--objects", "--no-object-names", "--all").split())
    for process in await at.daemon.processes(at.attempt):
        for oid in (process["before_head_commit"], process["after_head_commit"]):
            assert oid is None or oid in everything, process
    for number in range(at.drafts):
        data = mine(at, number).encode()
        oid = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        assert oid in everything, number
    numbers = [int(ref.rsplit("/", 1)[1]) for ref in at.git(*SNAPSHOTS, at.snapshot_refs).split()]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


SNAPSHOTS = ("for-each-ref", "--format=%(refname)")


async def whole(daemon: Daemon, repository: Path) -> None:
    """The repository is sound, its checkout is as its HEAD, and nobody has left anything behind."""

    async def at_rest() -> bool:
        # Git tidies up in the background now and then.
        try:
            return not [*repository.glob(".git/**/*.lock"), *repository.glob(".git/gc.pid")]
        except FileNotFoundError:
            return False  # git removes a directory at this moment: it is still at work

    await daemon.until(at_rest, "the end of all locks")
    daemon.git(repository, "fsck", "--no-dangling", "--no-progress")
    assert daemon.git(repository, "status", "--porcelain") == ""
    assert list(repository.glob(".git/worktrees/*/anyon/*")) == []
    assert "Traceback" not in daemon.log()


async def test_ten_clients_that_press_all_buttons_at_once_leave_an_attempt_consistent(
    daemon: Daemon,
) -> None:
    chance = dice()
    at = await quarrel(daemon)
    for number in range(ROUNDS):
        if number:
            at = await again(daemon, at)
        answers = await all_at_once(at, chance)
        assert len({button for button, status, _ in answers if status == 200}) > 5
        await consistent(at)


async def test_a_task_that_is_deleted_while_all_buttons_are_pressed_is_gone_as_a_whole(
    daemon: Daemon,
) -> None:
    chance = dice()
    at = await quarrel(daemon)
    task = f"/api/tasks/{at.attempt['task_id']}"
    expected = trio.Event()

    async def delete() -> None:
        await expected.wait()
        for _ in range(500):
            answer = await daemon.request("DELETE", task)
            assert answer.status_code in {202, 409}, answer.json()
            if answer.status_code == 202:
                return
            await daemon.request("POST", f"{at.path}/stop")
        raise AssertionError("there was always something else at work")

    async def client(own: random.Random) -> None:
        first = (await daemon.ask("GET", "/api/execution-processes" + only))[-1]["id"]
        for count in range(2 * PRESSES):
            method, button, body = press(own, first)
            answer = await daemon.request(method, f"{at.path}/{button}", json=body)
            assert answer.status_code in {200, 404, 409, 422}, (button, answer.json())
            if count == 1:
                expected.set()

    only = f"?task_attempt_id={at.attempt['id']}"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(delete)
        for _ in range(3):
            nursery.start_soon(client, random.Random(chance.random()))
    for path in (task, at.path):
        assert (await daemon.request("GET", path)).status_code == 404

    async def swept() -> bool:
        return (
            not at.worktree.exists()
            and "worktree"
            not in daemon.git(at.repository, "worktree", "list", "--porcelain")
            .split("\n\n", 1)[1]
            .strip()
        )

    await daemon.until(swept, "the end of the worktree")
    assert [p for p in descendants(daemon) if "acp_agent" in p or "sleep" in p] == []
    assert daemon.git(at.repository, *SNAPSHOTS, at.snapshot_refs) != ""
    await whole(daemon, at.repository)
    consistent_again = await again(daemon, at)
    assert (await consistent_again.row())["container_ref"]


def descendants(daemon: Daemon) -> list[str]:
    """The command lines of all that belongs to this daemon."""
    found = []
    for process in psutil.process_iter():
        # It ended in between, or it is somebody else's.
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if str(daemon.root) in "\0".join(process.environ().values()):
                found.append(" ".join(process.cmdline()))
    return found


async def test_attempts_in_conflict_that_merge_at_once_land_or_are_told_why(daemon: Daemon) -> None:
    chance = dice()
    at = await worked_attempt(daemon)
    project = (await daemon.ask("GET", "/api/projects"))[0]
    daemon.git(at.repository, "branch", "develop")
    desks = []
    for number in range(6):
        shared = f"\nwrite shared.txt {number}" if number % 2 else ""
        attempt = await daemon.attempt(project, f"write file{number}.txt x{shared}")
        await daemon.over(attempt)
        one = WorkedAttempt(daemon, at.repository, attempt)
        await one.press("change-target-branch", {"new_target_branch": chance.choice(TARGETS)})
        desks.append(one)
    merged_ones: list[WorkedAttempt] = []

    async def merge(one: WorkedAttempt) -> None:
        answer = await daemon.request("POST", f"{one.path}/merge")
        if answer.status_code == 200:
            merged_ones.append(one)
        else:
            reported = answer.json()["error_data"]
            assert (answer.status_code, reported["type"]) == (409, "merge_conflicts")
            assert reported["files"] == ["shared.txt"]

    chance.shuffle(desks)
    async with trio.open_nursery() as nursery:
        for one in desks:
            nursery.start_soon(merge, one)
    for one in desks:
        row = await one.row()
        merged = one.git("branch", "--list", "--contains", row["branch"], row["target_branch"])
        assert bool(merged) == (one in merged_ones)
        merges = (await one.look("branch-status"))["merges"]
        assert [m["target_branch_name"] for m in merges] == [row["target_branch"]] * bool(merged)
    # Of those that have changed the same file, the first one lands in each target.
    clashing = [one for one in merged_ones if (one.worktree / "shared.txt").exists()]
    assert len(merged_ones) == 3 + len(clashing)
    assert 1 <= len(clashing) <= 2
    await whole(daemon, at.repository)


TARGETS = ("main", "develop")


async def test_attempts_that_merge_into_one_branch_at_once_all_land(daemon: Daemon) -> None:
    at = await worked_attempt(daemon)
    project = (await daemon.ask("GET", "/api/projects"))[0]
    desks = [at]
    for number in range(3):
        attempt = await daemon.attempt(project, f"write file{number}.txt x")
        await daemon.over(attempt)
        desks.append(WorkedAttempt(daemon, at.repository, attempt))
    async with trio.open_nursery() as nursery:
        for one in desks:
            nursery.start_soon(one.press, "merge")
    files = daemon.git(at.repository, "ls-tree", "--name-only", "main").split()
    assert files == ["README.md", "file0.txt", "file1.txt", "file2.txt", "own.txt"]
    assert daemon.git(at.repository, "status", "--porcelain") == ""
    assert len(daemon.git(at.repository, "rev-list", "--merges", "main").split()) == 4


async def test_two_follow_ups_at_once_start_one_agent(daemon: Daemon) -> None:
    at = await worked_attempt(daemon)
    outcomes: list[str] = []

    async def ask(number: int) -> None:
        try:
            await at.press("follow-up", {"prompt": f"write f{number}.txt x\nsleep 0.5"})
            outcomes.append("started")
        except Refused as refusal:
            outcomes.append(f"{refusal.status} {refusal.type}")

    async with trio.open_nursery() as nursery:
        for number in range(2):
            nursery.start_soon(ask, number)
    assert sorted(outcomes) == ["409 busy", "started"]
    await daemon.over(at.attempt)
    assert len(await daemon.processes(at.attempt)) == 2


async def test_a_daemon_that_is_killed_at_any_button_leaves_git_and_rows_in_step(
    daemon: Daemon,
) -> None:
    chance = dice()
    at = await quarrel(daemon)

    async def go_on() -> None:
        buttons: list[tuple[str, object]] = [
            ("rename-branch", {"new_branch_name": chance.choice(["a", "a/b", "c"])}),
            ("rebase", {"new_base_branch": chance.choice(["main", "develop"])}),
            ("conflicts/abort", None),
            ("delete-file?file_path=own.txt", None),
        ]
        try:
            while True:
                button, body = chance.choice(buttons)
                answer = await daemon.request("POST", f"{at.path}/{button}", json=body)
                # A git of the daemon before, which may hold a lock still, is waited for.
                assert answer.status_code in {200, 404, 409}, answer.json()
                assert '"locked"' not in answer.text
        except (httpx.HTTPError, RuntimeError):
            return  # the daemon is gone, or the client that spoke to it is closed

    for _ in range(CRASHES // 2):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(go_on)
            await trio.sleep(chance.random() * 0.4)
            await daemon.kill()
        await daemon.start()
        row, status = await at.row(), await at.look("branch-status")
        if not status["is_rebase_in_progress"]:
            assert at.git("symbolic-ref", "--short", "HEAD") == row["branch"]
    await consistent(at)


async def test_a_daemon_that_is_killed_while_it_merges_knows_what_has_landed(
    daemon: Daemon,
) -> None:
    chance = dice()
    at = await quarrel(daemon)

    async def land(number: int) -> None:
        (at.worktree / f"{number}.txt").write_text("mine\n")
        with suppress(httpx.HTTPError, RuntimeError):  # the daemon is gone, or its client closed
            await daemon.request("POST", f"{at.path}/merge")

    for number in range(CRASHES):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(land, number)
            await trio.sleep(chance.random() * 0.15)
            await daemon.kill()
        await daemon.start()
        reported = {merge["merge_commit"] for merge in (await at.look("branch-status"))["merges"]}
        merged_ones = daemon.git(at.repository, "rev-list", "--merges", "main").split()
        assert reported == set(merged_ones)
        task = await daemon.ask("GET", f"/api/tasks/{at.attempt['task_id']}")
        assert (task["status"] == "done") == bool(merged_ones)
    assert daemon.git(at.repository, "status", "--porcelain") == ""
    await consistent(at)
