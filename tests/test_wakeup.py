"""Whoever waits when something grew is woken once; whoever gives up leaves nothing behind."""

from __future__ import annotations

import trio
from trio.testing import wait_all_tasks_blocked

from anyond.wakeup import Wakeup


async def test_a_notification_wakes_those_who_wait_now_and_counts() -> None:
    wakeup, woken = Wakeup(), []

    async def follow(name: str) -> None:
        await wakeup.wait()
        woken.append(name)

    async with trio.open_nursery() as nursery:
        wakeup.notify()  # for nobody
        for name in ("one", "two"):
            nursery.start_soon(follow, name)
        await wait_all_tasks_blocked()
        assert not woken
        wakeup.notify()
        nursery.start_soon(follow, "late")
        await wait_all_tasks_blocked()
        assert sorted(woken) == ["one", "two"]
        wakeup.notify()
    assert woken[2:] == ["late"]
    assert wakeup.count == 3


async def test_a_follower_that_is_cancelled_is_not_woken_any_more() -> None:
    wakeup, woken = Wakeup(), []

    async def follow(scope: trio.CancelScope) -> None:
        with scope:
            await wakeup.wait()
            woken.append(scope)

    leaving, staying = trio.CancelScope(), trio.CancelScope()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(follow, leaving)
        nursery.start_soon(follow, staying)
        await wait_all_tasks_blocked()
        leaving.cancel()
        await wait_all_tasks_blocked()
        wakeup.notify()
        staying.cancel()  # too late: it is woken already
    assert woken == [staying]
