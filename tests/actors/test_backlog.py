"""Attempts are followed again a few at a time, and first those that somebody asks for."""

from __future__ import annotations

import trio
import trio.testing

from anyond.actors.backlog import AT_ONCE, Backlog


class Starts:
    """The attempts that were started, in order, and when each is followed."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.followed: dict[str, trio.Event] = {}

    def __call__(self, attempt_id: str) -> trio.Event:
        self.order.append(attempt_id)
        self.followed[attempt_id] = trio.Event()
        return self.followed[attempt_id]


def filled() -> tuple[Starts, Backlog]:
    starts = Starts()
    backlog = Backlog(starts)
    for number in range(2 * AT_ONCE):
        backlog.add(f"{number}")
    return starts, backlog


async def test_a_few_are_started_at_a_time_and_the_next_when_one_is_followed(
    nursery: trio.Nursery,
) -> None:
    starts, backlog = filled()
    nursery.start_soon(backlog.run, None)
    await trio.testing.wait_all_tasks_blocked()
    assert starts.order == [f"{n}" for n in range(AT_ONCE)]
    starts.followed["1"].set()
    await trio.testing.wait_all_tasks_blocked()
    assert starts.order[AT_ONCE:] == [f"{AT_ONCE}"]


async def test_the_run_ends_when_all_are_followed() -> None:
    starts, backlog = filled()
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(backlog.run, None)
            while len(starts.order) < 2 * AT_ONCE:
                await trio.testing.wait_all_tasks_blocked()
                for followed in starts.followed.values():
                    followed.set()
    assert sorted(starts.order) == [f"{n}" for n in range(2 * AT_ONCE)]


async def test_none_is_started_before_clients_are_answered_but_what_somebody_asks_for(
    nursery: trio.Nursery,
) -> None:
    starts, backlog = filled()
    serving = trio.Event()
    nursery.start_soon(backlog.run, serving)
    await trio.testing.wait_all_tasks_blocked()
    assert starts.order == []
    backlog.hasten("5")
    backlog.hasten("5")
    backlog.hasten("nobody")
    assert starts.order == ["5"]
    serving.set()
    await trio.testing.wait_all_tasks_blocked()
    assert starts.order == ["5", *(f"{n}" for n in range(AT_ONCE))]
