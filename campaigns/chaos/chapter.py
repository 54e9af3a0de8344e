"""One world from its beginning to its end: phases of kills, each followed by a settled check."""

from __future__ import annotations

import itertools
import os
import signal
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import trio

from campaigns.chaos import check_git, check_rows, check_runs, evidence
from campaigns.chaos.follower import follow
from campaigns.chaos.lane import Lane
from campaigns.chaos.reaper import Reaper
from campaigns.chaos.world import TIMEOUT_S, World

LANES = 4
KILLS_PER_CHECK = 16
CHECKS_PER_CHAPTER = 3
EXPLAINED = 5
"""Faults of a chapter for which evidence is gathered; more of them have the same cause."""


@dataclass
class Result:
    """The result of one chapter; `faults` are by kind, `evidence` by fault."""

    number: int
    kills: Counter[str] = field(default_factory=Counter)
    aimed: Counter[str] = field(default_factory=Counter)
    scenes: int = 0
    checks: int = 0
    attempts: int = 0
    lines: int = 0
    events: int = 0
    faults: dict[str, list[str]] = field(default_factory=dict)
    evidence: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0


def run(seed: int, number: int, root: Path, kills: int, until: float) -> Result:
    """Play a chapter; to be called in a process of its own.

    Args:
        number: which one; with the seed it is what the dice are made of.
        kills: how many there are at most.
        until: Unix seconds after which nobody is killed any more; what is there is checked.
    """
    return trio.run(_run, seed, number, root, kills, until)


async def _run(seed: int, number: int, root: Path, kills: int, until: float) -> Result:
    began, result = time.monotonic(), Result(number)
    # Whoever ends this process wants the daemon and the agents ended with it.
    signal.signal(signal.SIGTERM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    dice = Random(f"{seed}:{number}")
    world = World(root, dice)
    try:
        await _play(world, dice, result, kills, until)
    except Exception as error:
        # Also a daemon that does not start again, and what the campaign itself does wrong.
        trace = "".join(traceback.format_exception(error))
        world.faults.half_done.append(f"the chapter ended early: {trace[-3000:]}")
    finally:
        await world.leave()
    result.kills = Counter(kill.what for kill in world.kills)
    result.attempts = len(world.desks)
    result.lines = sum(world.agents.lines_written.values())
    result.events = len(world.events)
    result.faults = vars(world.faults)
    found = itertools.chain.from_iterable(result.faults.values())
    result.evidence = {
        fault: evidence.of(root, fault) for fault in itertools.islice(found, EXPLAINED)
    }
    result.seconds = time.monotonic() - began
    return result


async def _play(world: World, dice: Random, result: Result, kills: int, until: float) -> None:
    await world.furnish()
    lanes = [Lane(world, Random(f"{dice.random()}")) for _ in range(LANES)]
    reaper = Reaper(world, Random(f"{dice.random()}"))
    result.aimed = reaper.aimed
    async with trio.open_nursery() as nursery:
        nursery.start_soon(follow, world)
        for lane in lanes:
            nursery.start_soon(lane.run)
        while result.checks < CHECKS_PER_CHAPTER and len(world.kills) < kills:
            if result.checks and time.time() > until:
                break
            world.settling = False
            await reaper.reap(min(KILLS_PER_CHECK, kills - len(world.kills)), until)
            await _settle(world, lanes)
            for check in (check_runs, check_git, check_rows):
                await check.check(world)
            result.checks += 1
            if world.faults.listed():
                break
        result.scenes = sum(lane.scenes for lane in lanes)
        nursery.cancel_scope.cancel()


async def _settle(world: World, lanes: list[Lane]) -> None:
    """Let every attempt come to rest."""
    world.settling = True
    for lane in lanes:
        lane.settled = False
    what = "the rest of all lanes"
    await world.until(lambda: all(lane.settled for lane in lanes), what, 2 * TIMEOUT_S)
