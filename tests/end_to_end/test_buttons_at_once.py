"""Whoever presses what, however many at once, whenever the daemon dies: all stays consistent."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import httpx
import trio

from tests.end_to_end.desk import Desk, desk
from tests.end_to_end.house import House, Refused

CLIENTS = 10
PRESSES = int(os.environ.get("ANYON_TEST_PRESSES", "6"))
CRASHES = int(os.environ.get("ANYON_TEST_CRASHES", "8"))


def dice() -> random.Random:
    seed = int(os.environ.get("ANYON_TEST_SEED", "0")) or random.randrange(1 << 30)
    print(f"ANYON_TEST_SEED={seed}")
    return random.Random(seed)


async def quarrel(house: House) -> Desk:
    """An attempt that fits on `main` and is in conflict with `develop`."""
    at = await desk(house, dev_script="exec sleep 600")
    house.git(at.repository, "branch", "develop")
    at.land("develop", own="theirs\n")
    at.land("main", other="other\n")
    return at


def press(chance: random.Random, first: str) -> tuple[str, str, object]:
    """Some button of an attempt whose first process is `first`: method, path, body."""
    number = chance.randrange(1 << 16)
    base = chance.choice(["main", "develop"])
    presses: list[tuple[str, str, object]] = [
        ("POST", "rebase", {"new_base_branch": base}),
        ("POST", "conflicts/abort", None),
        ("POST", "change-target-branch", {"new_target_branch": base}),
        ("POST", "rename-branch", {"new_branch_name": chance.choice(["a", "a/b", "c"])}),
        ("POST", "delete-file?file_path=own.txt", None),
        ("POST", "merge", {"strategy": chance.choice(["merge", "squash", "rebase"])}),
        ("POST", "follow-up", {"prompt": f"write f{number}.txt x"}),
        (
            "POST",
            "replace-process",
            {"process_id": first, "prompt": "say no", "force_when_dirty": True},
        ),
        ("POST", "start-dev-server", None),
        ("POST", "stop", None),
        ("GET", "branch-status", None),
        ("GET", "commit-compare?sha=main", None),
        ("GET", "children", None),
    ]
    return chance.choice(presses)


async def consistent(at: Desk) -> None:
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
    assert not list(at.repository.glob(".git/**/index.lock"))
    names = at.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split()
    assert sorted(names) == sorted(["main", "develop", branch])
    assert row["target_branch"] in {"main", "develop"}
    at.git("fsck", "--connectivity-only", "--no-dangling")
    assert at.house.git(at.repository, "status", "--porcelain") == ""
    for process in await at.house.processes(at.attempt):
        assert process["status"] != "running"
    await at.press("follow-up", {"prompt": "write last.txt x"})
    ended = await at.house.over(at.attempt)
    assert ended["status"] == "completed", await at.house.raw(ended)
    assert at.git("status", "--porcelain") == ""
    assert at.git("log", "-1", "--format=%H", branch) == ended["after_head_commit"]


async def test_ten_clients_that_press_all_buttons_at_once_leave_an_attempt_consistent(
    house: House,
) -> None:
    chance = dice()
    at = await quarrel(house)
    first = (await house.processes(at.attempt))[0]["id"]
    answers: list[tuple[str, int, Any]] = []

    async def client(own: random.Random) -> None:
        for _ in range(PRESSES):
            method, button, body = press(own, first)
            for _ in range(50):
                answer = await house.request(method, f"{at.path}/{button}", json=body)
                content = answer.json()
                answers.append((button, answer.status_code, content))
                if (content["error_data"] or {}).get("type") != "busy":
                    break
                await trio.sleep(own.random() * 0.05)  # as impatient as a person can be

    async with trio.open_nursery() as nursery:
        for _ in range(CLIENTS):
            nursery.start_soon(client, random.Random(chance.random()))
    for button, status, content in answers:
        assert status in {200, 404, 409, 422}, (button, status, content)
        assert content["success"] == (status == 200)
    assert len({button for button, status, _ in answers if status == 200}) > 5
    await consistent(at)


async def test_attempts_that_merge_into_one_branch_at_once_all_land(house: House) -> None:
    at = await desk(house)
    project = (await house.ask("GET", "/api/projects"))[0]
    desks = [at]
    for number in range(3):
        attempt = await house.attempt(project, f"write file{number}.txt x")
        await house.over(attempt)
        desks.append(Desk(house, at.repository, attempt))
    async with trio.open_nursery() as nursery:
        for one in desks:
            nursery.start_soon(one.press, "merge")
    files = house.git(at.repository, "ls-tree", "--name-only", "main").split()
    assert files == ["README.md", "file0.txt", "file1.txt", "file2.txt", "own.txt"]
    assert house.git(at.repository, "status", "--porcelain") == ""
    assert len(house.git(at.repository, "rev-list", "--merges", "main").split()) == 4


async def test_two_follow_ups_at_once_start_one_agent(house: House) -> None:
    at = await desk(house)
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
    await house.over(at.attempt)
    assert len(await house.processes(at.attempt)) == 2


async def test_a_daemon_that_is_killed_at_any_button_leaves_git_and_rows_in_step(
    house: House,
) -> None:
    chance = dice()
    at = await quarrel(house)

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
                answer = await house.request("POST", f"{at.path}/{button}", json=body)
                # A git of the daemon before may be at work for a moment still, and hold a lock.
                locked = ".lock'" in answer.text
                assert answer.status_code in {200, 404, 409} or locked, answer.json()
        except (httpx.HTTPError, RuntimeError):
            return  # the daemon is gone, or the client that spoke to it is closed

    for _ in range(CRASHES // 2):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(go_on)
            await trio.sleep(chance.random() * 0.4)
            await house.kill()
        await house.start()
        row, status = await at.row(), await at.look("branch-status")
        if not status["is_rebase_in_progress"]:
            assert at.git("symbolic-ref", "--short", "HEAD") == row["branch"]
    await consistent(at)
