"""Thousands of sockets that become readable in one moment."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import trio

from anyond.http.wire.readiness import LEAVE_AT_ONCE, Readiness

COUNT = 200


class Pairs:
    """Both ends of `COUNT` connections; reading must not block."""

    def __init__(self, closed_at_the_end: ExitStack) -> None:
        pairs = [socket.socketpair() for _ in range(COUNT)]
        self.near = [near for near, _ in pairs]
        self.far = [far for _, far in pairs]
        for one in (*self.near, *self.far):
            closed_at_the_end.enter_context(one)
        for one in self.near:
            one.setblocking(False)


@pytest.fixture
def pairs() -> Iterator[Pairs]:
    with ExitStack() as stack:
        yield Pairs(stack)


async def most_woken_in_one_pass(readiness: Readiness, pairs: Pairs) -> int:
    woken = 0

    async def read(one: socket.socket) -> None:
        nonlocal woken
        assert await readiness.receive(one.fileno(), 10) == b""
        woken += 1

    async with trio.open_nursery() as nursery:
        for one in pairs.near:
            nursery.start_soon(read, one)
        await trio.testing.wait_all_tasks_blocked()
        for one in pairs.far:
            one.close()
        most = former = 0
        while woken < COUNT:
            await trio.lowlevel.checkpoint()
            most, former = max(most, woken - former), woken
    return most


async def test_those_who_leave_in_one_moment_are_noticed_in_portions(pairs: Pairs) -> None:
    async with Readiness.open(directly=10) as readiness:
        assert await most_woken_in_one_pass(readiness, pairs) <= 2 * LEAVE_AT_ONCE + 10


async def test_trio_alone_would_wake_them_all_in_one_pass(pairs: Pairs) -> None:
    assert await most_woken_in_one_pass(Readiness(None, 0), pairs) > 2 * LEAVE_AT_ONCE + 10


@pytest.mark.parametrize("directly", [0, 1, COUNT])
async def test_everything_that_is_sent_arrives_in_order(pairs: Pairs, directly: int) -> None:
    received = [b""] * COUNT

    async def read(number: int) -> None:
        while data := await readiness.receive(pairs.near[number].fileno(), 7):
            received[number] += data

    async with Readiness.open(directly) as readiness, trio.open_nursery() as nursery:
        for number in range(COUNT):
            nursery.start_soon(read, number)
        for text in (b"one, ", b"two, ", b"three"):
            for far in pairs.far:
                far.send(text)
            await trio.testing.wait_all_tasks_blocked()
        for far in pairs.far:
            far.close()
    assert received == [b"one, two, three"] * COUNT


@pytest.mark.parametrize("directly", [0, COUNT])
async def test_who_gives_up_waiting_can_wait_again_and_misses_nothing(
    pairs: Pairs, directly: int
) -> None:
    near, far = pairs.near[0], pairs.far[0]
    async with Readiness.open(directly) as readiness:
        for _ in range(3):
            with trio.move_on_after(0.01) as timeout:
                await readiness.receive(near.fileno(), 10)
            assert timeout.cancelled_caught
        far.send(b"x")
        assert await readiness.receive(near.fileno(), 10) == b"x"
        with trio.move_on_after(0) as cancelled:
            await readiness.receive(near.fileno(), 10)
        assert cancelled.cancelled_caught


@pytest.mark.parametrize("directly", [0, COUNT])
async def test_a_broken_connection_is_an_error(directly: int) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    with listener, socket.create_connection(listener.getsockname()) as far:
        near, _ = listener.accept()
        near.setblocking(False)
        far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        with near:
            async with Readiness.open(directly) as readiness, trio.open_nursery() as nursery:

                async def read() -> None:
                    with pytest.raises(ConnectionResetError):
                        await readiness.receive(near.fileno(), 10)

                nursery.start_soon(read)
                await trio.testing.wait_all_tasks_blocked()
                far.close()
