"""Waiting for all shims at once: what they report is taken in one tick.

Twenty agents that write a hundred lines a second each would wake the daemon two thousand times,
and to wake costs more than the line. So the connections of all shims are in one selector, which
is readable itself as long as one of them is. What has come is taken at once, then there is a pause
in which more may gather; a line that comes alone waits for nothing.
"""

from __future__ import annotations

import selectors
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Self

import trio

GATHER_S = 0.01
"""The pause between two looks at what all shims have reported: a debounce of wakeups."""


class ShimWatch:
    """Calls back who listens to a shim that has reported something; made by `open`."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator[Self]:
        """Watching until the block ends."""
        with selectors.DefaultSelector() as selector:
            async with trio.open_nursery() as nursery:
                watch = cls(selector)
                nursery.start_soon(watch._run, selector.fileno())
                yield watch
                nursery.cancel_scope.cancel()

    def add(self, fd: int, receive: Callable[[], None]) -> None:
        """From now on call `receive` whenever `fd` is readable, until `remove`.

        Args:
            receive: takes at least one byte, or removes `fd`; never waits, and never raises.
        """
        self._selector.register(fd, selectors.EVENT_READ, receive)

    def remove(self, fd: int) -> None:
        """Watch it no longer, before it is closed; does nothing if it is not watched."""
        if fd in (self._selector.get_map() or ()):
            self._selector.unregister(fd)

    async def _run(self, selector_fd: int) -> None:
        while True:
            await trio.lowlevel.wait_readable(selector_fd)
            while ready := self._selector.select(0):
                for key, _ in ready:
                    # One that was called before may have had it removed, and its number may belong
                    # to another connection by now.
                    if self._selector.get_map().get(key.fd) is key:
                        key.data()
                await trio.sleep(GATHER_S)
