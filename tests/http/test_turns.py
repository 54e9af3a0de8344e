"""Thousands of tasks that wake at once leave room for others."""

from __future__ import annotations

import itertools

import trio
import trio.testing

from anyond.http.turns import Turns

MANY, AT_ONCE = 1000, 10


async def test_others_run_between() -> None:
    turns, wake = Turns(AT_ONCE), trio.Event()
    done = 0
    seen: list[int] = []

    async def one() -> None:
        nonlocal done
        await wake.wait()
        await turns.take()
        done += 1

    async with trio.open_nursery() as nursery:
        for _ in range(MANY):
            nursery.start_soon(one)
        await trio.testing.wait_all_tasks_blocked()
        wake.set()
        while done < MANY:
            seen.append(done)
            await trio.lowlevel.checkpoint()
    steps = [later - earlier for earlier, later in itertools.pairwise(seen)]
    assert max(steps) <= 2 * AT_ONCE
    assert len(seen) > MANY / (3 * AT_ONCE)


async def test_whoever_is_alone_has_its_turn_at_once_and_a_cancelled_one_gives_it_back() -> None:
    turns = Turns(1)
    with trio.CancelScope() as scope:
        scope.cancel()
        await turns.take()
    assert scope.cancelled_caught
    with trio.fail_after(5):
        for _ in range(3):
            await turns.take()
