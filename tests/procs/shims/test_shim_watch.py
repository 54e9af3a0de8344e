"""All shims are looked at in one tick, and whoever speaks alone is not kept waiting."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from anyond.procs.shims.shim_watch import GATHER_S, ShimWatch

pytestmark = pytest.mark.usefixtures("autojump_clock")
MANY = 20


class Shim:
    """The two ends of a connection, and what was received when."""

    def __init__(self) -> None:
        self.far, self.near = socket.socketpair()
        self.near.setblocking(False)
        self.received: list[tuple[float, bytes]] = []

    def receive(self) -> None:
        self.received.append((trio.current_time(), self.near.recv(1 << 16)))


@pytest.fixture
def shims() -> Iterator[list[Shim]]:
    some = [Shim() for _ in range(MANY)]
    yield some
    for shim in some:
        shim.far.close()
        shim.near.close()


async def test_what_comes_alone_is_taken_at_once_and_what_follows_gathers(
    shims: list[Shim], autojump_clock: MockClock
) -> None:
    autojump_clock.autojump_threshold = float("inf")
    async with ShimWatch.open() as watch:
        for shim in shims:
            watch.add(shim.near.fileno(), shim.receive)
        await wait_all_tasks_blocked()
        began = trio.current_time()
        shims[0].far.send(b".")
        await wait_all_tasks_blocked()
        assert shims[0].received == [(began, b".")]
        for shim in shims:
            shim.far.send(b".")
            shim.far.send(b".")
        await wait_all_tasks_blocked()
        assert [len(shim.received) for shim in shims] == [1] + [0] * (MANY - 1)
        autojump_clock.jump(GATHER_S)
        await wait_all_tasks_blocked()
        assert {shim.received[-1] for shim in shims} == {(began + GATHER_S, b"..")}
        # Nobody said more, so it sleeps; the next one is heard at once again.
        autojump_clock.jump(GATHER_S)
        await wait_all_tasks_blocked()
        shims[3].far.send(b"x")
        await wait_all_tasks_blocked()
        assert shims[3].received[-1] == (began + 2 * GATHER_S, b"x")


async def test_who_was_removed_is_not_called_even_in_the_same_tick(shims: list[Shim]) -> None:
    one, two = shims[:2]
    called: list[Shim] = []

    async with ShimWatch.open() as watch:

        def take(mine: Shim, other: Shim) -> None:
            called.append(mine)
            mine.receive()
            watch.remove(other.near.fileno())
            watch.remove(other.near.fileno())  # twice is no error

        watch.add(one.near.fileno(), lambda: take(one, two))
        watch.add(two.near.fileno(), lambda: take(two, one))
        one.far.send(b".")
        two.far.send(b".")
        await wait_all_tasks_blocked()
    assert len(called) == 1


async def test_a_number_that_another_connection_took_in_the_same_tick_is_not_called(
    shims: list[Shim],
) -> None:
    one, two, three = shims[:3]
    called: list[Shim] = []

    async with ShimWatch.open() as watch:

        def hear(mine: Shim) -> None:
            called.append(mine)
            mine.receive()

        def take(mine: Shim, other: Shim) -> None:
            hear(mine)
            number = other.near.fileno()
            watch.remove(number)
            os.dup2(three.near.fileno(), number)
            watch.add(number, lambda: hear(three))

        watch.add(one.near.fileno(), lambda: take(one, two))
        watch.add(two.near.fileno(), lambda: take(two, one))
        one.far.send(b".")
        two.far.send(b".")
        await wait_all_tasks_blocked()
    assert len(called) == 1, "nothing has come for the third"
