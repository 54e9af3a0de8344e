"""What is cleared away once a day."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from anyond.watchers.janitor import COLLECT_S, DAY, MANY_PASSES, collect_garbage


class Circle:
    """Garbage that only a collection finds."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def by_itself_never() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("by_itself_never")
async def test_circles_of_garbage_live_a_day_at_most(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(collect_garbage)
        for _ in range(2):
            old = Circle()
            for _ in range(3):
                gc.collect(0)
                gc.collect(1)  # now it is among the oldest
            gone = weakref.ref(old)
            del old
            await trio.sleep(DAY - 2)
            assert gone() is not None
            await trio.sleep(3)
            assert gone() is None
        nursery.cancel_scope.cancel()


@pytest.mark.usefixtures("by_itself_never")
async def test_circles_that_grew_old_in_a_busy_time_go_soon(
    autojump_clock: MockClock,
) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(collect_garbage)
        await wait_all_tasks_blocked()
        old = Circle()
        for _ in range(MANY_PASSES):
            gc.collect(1)
        gone = weakref.ref(old)
        del old
        await trio.sleep(2 * COLLECT_S)
        assert gone() is None
        nursery.cancel_scope.cancel()
