"""Waiting for thousands of sockets of which most are idle.

Trio runs every task whose socket has become readable before it looks for anything else. Ten
thousand clients that leave in one moment would so hold everybody else up for a quarter of a
second. All but a few hundred of the sockets are therefore registered with an epoll of our own,
which is readable itself as long as one of them is. Of those that are found readable, a few have
their turn in each of Trio's passes, and those that say something do not wait for those that leave.
"""

from __future__ import annotations

import os
import select
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import trio
from msgspec import Struct

DIRECTLY = 256
"""So many sockets are waited for by Trio itself, which is a little quicker."""

TRY_AT_ONCE = 64
LEAVE_AT_ONCE = 8
"""Of all the others, so many may go on in one pass; to leave means to unwind some tasks."""


class _Wait(Struct, eq=False):
    task: trio.lowlevel.Task
    over: bool = False


class Readiness:
    """Reads from sockets, and lets those who wait for one wake in portions; made by `open`.

    Where there is no epoll (it is Linux's own), Trio waits for all of them.
    """

    def __init__(self, epoll: select.epoll | None, directly: int) -> None:
        self._epoll = epoll
        self._left = directly
        self._waits: dict[int, _Wait] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, directly: int = DIRECTLY) -> AsyncIterator[Self]:
        """Good for reading until the block ends; by then nobody may wait any more."""
        if not hasattr(select, "epoll"):
            yield cls(None, directly)
            return
        with select.epoll() as epoll:
            async with trio.open_nursery() as nursery:
                readiness = cls(epoll, directly)
                nursery.start_soon(readiness._wake, epoll)
                yield readiness
                nursery.cancel_scope.cancel()

    async def _wake(self, epoll: select.epoll) -> None:
        speaking: deque[_Wait] = deque()
        leaving: deque[_Wait] = deque()
        while True:
            if speaking or leaving:
                await trio.lowlevel.checkpoint()
            else:
                await trio.lowlevel.wait_readable(epoll.fileno())
            for fd, events in epoll.poll(0, max(1, len(self._waits))):
                epoll.unregister(fd)
                leaves = events & (select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR)
                (leaving if leaves else speaking).append(self._waits.pop(fd))
            for queue, at_once in (speaking, TRY_AT_ONCE), (leaving, LEAVE_AT_ONCE):
                for _ in range(min(at_once, len(queue))):
                    wait = queue.popleft()
                    if not wait.over:
                        wait.over = True
                        trio.lowlevel.reschedule(wait.task)

    async def receive(self, fd: int, most: int) -> bytes:
        """Receive from a non-blocking socket; empty at its end.

        Args:
            fd: open until this returns; only one task at a time may wait for it.
            most: bytes.

        Raises:
            OSError: the connection broke.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        waited = False
        while True:
            try:
                data = os.read(fd, most)
            except BlockingIOError:
                await self._readable(fd)
                waited = True
            else:
                if not waited:
                    await trio.lowlevel.cancel_shielded_checkpoint()
                return data

    async def _readable(self, fd: int) -> None:
        if self._epoll is None:
            await trio.lowlevel.wait_readable(fd)
        elif self._left:
            self._left -= 1
            try:
                await trio.lowlevel.wait_readable(fd)
            finally:
                self._left += 1
        else:
            await self._its_turn(self._epoll, fd)

    async def _its_turn(self, epoll: select.epoll, fd: int) -> None:
        wait = _Wait(trio.lowlevel.current_task())

        def abort(_: object) -> trio.lowlevel.Abort:
            wait.over = True
            if self._waits.pop(fd, None) is not None:
                epoll.unregister(fd)
            return trio.lowlevel.Abort.SUCCEEDED

        epoll.register(fd, select.EPOLLIN | select.EPOLLRDHUP)
        self._waits[fd] = wait
        await trio.lowlevel.wait_task_rescheduled(abort)
