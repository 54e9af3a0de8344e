"""The campaign of kills finds nothing where nothing is wrong, and each fault there could be."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trio

from campaigns.chaos import check_git, check_rows, check_runs
from campaigns.chaos.follower import follow
from campaigns.chaos.lane import Lane
from campaigns.chaos.ledgers import Faults
from campaigns.chaos.world import World


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A world with one attempt that has come to rest, whose events somebody follows."""
    monkeypatch.setattr(check_rows, "REST_S", 0.5)
    world = World(tmp_path / "world", Random(3))
    try:
        await world.furnish()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(follow, world)
            await Lane(world, Random(5)).create()
            yield world
            nursery.cancel_scope.cancel()
    finally:
        await world.leave()


async def check(world: World) -> Faults:
    world.faults = Faults()
    for one in (check_runs, check_git, check_rows):
        await one.check(world)
    return world.faults


def note(world: World, **more: Any) -> None:
    """A line of the agents' ledger about the first thing that was written."""
    with (world.root / "agents.jsonl").open("a") as file:
        file.write(json.dumps({**world.agents.written[0], **more}) + "\n")


async def test_each_kind_of_fault_is_found_and_nothing_else(world: World) -> None:
    assert (await check(world)).listed() == []
    desk = world.desks[0]
    assert desk.worktree is not None
    world.git(desk.repository, "worktree", "add", "-q", "-b", "stray", str(world.root / "stray"))
    (world.daemon.data / "executions" / "nobody").mkdir()
    found = (await check(world)).left_over
    assert any("git knows a worktree" in text for text in found)
    assert any("branch stray" in text for text in found)
    assert any("spool nobody" in text for text in found)
    world.git(desk.worktree, "checkout", "-q", "--detach")
    (desk.repository / "shared.txt").write_text("torn\n")
    found = (await check(world)).half_done
    assert any("HEAD of" in text for text in found)
    assert any("is not as its HEAD" in text for text in found)
    note(world, kind="said", n=99)
    note(world, path="nowhere.txt", blob="0" * 40)
    found = (await check(world)).lost
    assert any(":[" in text and "99" in text for text in found)
    assert any("nowhere.txt" in text for text in found)
    note(world, kind="received")
    world.scripts.write_text("setup e1 7\nsetup e1 8\n")
    head = world.git(desk.repository, "rev-parse", "develop^{tree}")
    empty = world.git(desk.repository, "commit-tree", head, "-p", "develop", "-m", "nothing")
    world.git(desk.repository, "update-ref", "refs/heads/develop", empty)
    found = (await check(world)).doubled
    assert any("was told 2 times" in text for text in found)
    assert any("script setup e1 ran 2 times" in text for text in found)
    assert any("changes nothing" in text for text in found)
