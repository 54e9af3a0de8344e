"""Actors: an inbox, a machine and a nursery each.

Facts travel up by `send`, which never waits. Requests travel down, or in from HTTP, by `ask`,
which has a deadline; nobody asks upwards, so no circle of waiting exists. A command may await the
store (short, in order); anything slower is a job in the actor's nursery whose end is told back as
an event, so that "stop" and "busy" are answered while a merge runs for a minute.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

import outcome
import trio
from msgspec import Struct

from anyond.machines.core import Answer, Machine, Refuse, Request
from anyond.model.errors import ActorGone, AnyondError, TimedOut

R = TypeVar("R")
E = TypeVar("E")
C = TypeVar("C")

DEADLINE = 600.0
"""Seconds after which an asker gives up; the work itself goes on."""

LONGEST_BACKOFF_S = 30.0
"""Seconds between a crash of a permanent service and its restart, at most."""


class _Slot:
    """The place of exactly one awaited answer."""

    __slots__ = ("_filled", "_outcome")

    def __init__(self) -> None:
        self._filled = trio.Event()
        self._outcome: outcome.Outcome[Any] | None = None

    def fill(self, result: outcome.Outcome[Any]) -> None:
        if self._outcome is None:
            self._outcome = result
            self._filled.set()

    async def wait(self) -> Any:
        await self._filled.wait()
        if self._outcome is None:
            raise ActorGone("The answer was lost.")
        return self._outcome.unwrap()


class Actor(ABC, Generic[E, C]):
    """One thing that can be stopped, alone with its state.

    Subclasses set `machine` in `begin()` and perform its commands. The actor ends by itself when
    `idle()` says so and nothing is left in the inbox; between that look and its being gone there
    is no checkpoint, so no message is ever lost in between.
    """

    machine: Machine[Any, Any]
    nursery: trio.Nursery

    def __init__(self) -> None:
        self._inbox_end: trio.MemoryReceiveChannel[Any]
        self._send, self._inbox_end = trio.open_memory_channel[Any](math.inf)
        self._slots: dict[Request[Any], _Slot] = {}
        self._gone: Exception | None = None

    @property
    def gone(self) -> bool:
        """True if this actor takes no more messages."""
        return self._gone is not None

    def send(self, event: E) -> None:
        """Leave an event. Never waits; an actor that is gone ignores it."""
        if self._gone is None:
            self._send.send_nowait(event)

    async def ask(self, request: Request[R], deadline: float = DEADLINE) -> R:
        """Leave a request and wait for its answer.

        If the asker is cancelled, the work goes on and its answer is dropped.

        Args:
            deadline: seconds.

        Raises:
            AnyondError: the refusal; `ActorGone` if the actor ended before the answer.
        """
        if self._gone is not None:
            raise self._gone
        slot = self._slots[request] = _Slot()
        try:
            self._send.send_nowait(request)
            with trio.move_on_after(deadline):
                answer: R = await slot.wait()
                return answer
            raise TimedOut(f"{self} did not answer within {deadline:g} s; it goes on working.")
        finally:
            self._slots.pop(request, None)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Live until idle, cancelled or crashed."""
        error: Exception = ActorGone(f"{self} has stopped.")
        try:
            await self.begin()  # outside: a nursery would wrap its refusal in a group
            async with trio.open_nursery() as self.nursery:
                await self.opened()
                task_status.started()
                await self._loop()
                self._leave(error)
                self.nursery.cancel_scope.cancel()
        except Exception as crash:
            error = crash if isinstance(crash, AnyondError) else error
            raise
        finally:
            self._leave(error)
            with trio.CancelScope(shield=True):
                await self.end()

    async def _loop(self) -> None:
        while not (self.idle() and self._inbox_end.statistics().current_buffer_used == 0):
            await self.handle(await self._inbox_end.receive())

    async def handle(self, event: E | Request[Any]) -> None:
        """Do all that the machine decides about an event: nobody else hands it one.

        For the loop; and for `opened`, if something must be known before what is in the inbox.
        """
        for command in self.machine.handle(event):
            match command:
                case Answer(request, value):
                    self._settle(request, outcome.Value(value))
                case Refuse(request, error):
                    self._settle(request, outcome.Error(error))
                case _:
                    await self.perform(command)

    def _settle(self, request: Request[Any], result: outcome.Outcome[Any]) -> None:
        if slot := self._slots.get(request):
            slot.fill(result)

    def _leave(self, error: Exception) -> None:
        if self._gone is None:
            self._gone = error
            for slot in self._slots.values():
                slot.fill(outcome.Error(error))

    def idle(self) -> bool:
        """Return whether there is nothing left to do for now."""
        return False

    async def begin(self) -> None:
        """Before anything else; a refusal raised here reaches every asker."""

    async def opened(self) -> None:
        """The nursery is open; `run` counts as started when this returns."""

    async def end(self) -> None:
        """After everything else, shielded: must be short."""

    @abstractmethod
    async def perform(self, command: C) -> None:
        """Do what the machine decided."""


class Intensity(Struct, frozen=True):
    """The limit of tolerated restarts: `restarts` within `within` seconds."""

    restarts: int = 5
    within: float = 60.0


_USUAL = Intensity()


async def keep(
    service: Callable[[], Awaitable[None]],
    *,
    intensity: Intensity = _USUAL,
    pause: float = 0.5,
    report: Callable[[Exception], None] = lambda crash: None,
) -> None:
    """Run a permanent service: after a crash again, but not for ever.

    Args:
        pause: seconds before the first restart, and before one after a run longer than the window;
            doubled for each other one, up to `LONGEST_BACKOFF_S`.
        report: called with each crash.

    Raises:
        Exception: the last crash, when there were too many.
    """
    crashes: deque[float] = deque(maxlen=intensity.restarts + 1)
    backoff = pause
    while True:
        started = trio.current_time()
        try:
            await service()
            return
        except Exception as crash:
            report(crash)
            now = trio.current_time()
            crashes.append(now)
            if len(crashes) > intensity.restarts and now - crashes[0] <= intensity.within:
                raise
            if now - started > intensity.within:
                backoff = pause
        await trio.sleep(backoff)
        backoff = min(backoff * 2, LONGEST_BACKOFF_S)
