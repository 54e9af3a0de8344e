"""The timer of silence: when an agent has said nothing for so long that a person should know."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable

import trio

from anyond.logs.conversation import Conversation


class Silence:
    """One timer for one agent. It stands still while a question is open, or no turn runs.

    The first notice of a silence comes after `after()` seconds, each further one when it has lasted
    twice as long as was reported last. What was reported is part of the conversation, so that a
    daemon that is started again does not tell it twice. Nothing else ever follows from a silence.

    Args:
        after: seconds of the first notice; 0 for none at all.
        report: puts on record how many seconds it has lasted.
        clock: Unix seconds.
    """

    def __init__(
        self,
        conversation: Conversation,
        after: Callable[[], float],
        report: Callable[[int], Awaitable[None]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._conversation = conversation
        self._after = after
        self._report = report
        self._clock = clock
        self._begun = clock()
        self._reported = (0.0, 0)
        self._timer = trio.CancelScope()

    async def run(self) -> None:
        """Watch, until cancelled."""
        while True:
            # An output meanwhile only makes the timer run again: a busy agent costs no more.
            with trio.CancelScope(deadline=self._deadline()) as self._timer:
                await trio.sleep_forever()
            since, due = self._since(), self._due()
            if due is not None and self._clock() >= due:
                seconds = max(1, round(self._clock() - since))
                self._reported = (since, seconds)
                await self._report(seconds)

    def look(self) -> None:
        """Something has happened: a timer that stood still may run again."""
        if self._timer.deadline == math.inf:
            self._timer.deadline = self._deadline()

    def _since(self) -> float:
        quiet_since = self._conversation.quiet_since
        return quiet_since / 1e9 if quiet_since else self._begun

    def _due(self) -> float | None:
        """Unix seconds of the next notice, as far as is known now."""
        conversation = self._conversation
        first = self._after()
        if first <= 0 or conversation.outcome is not None or conversation.questions:
            return None
        since, reported = self._reported
        if since != self._since():
            reported = 0
        return self._since() + max(first, 2 * max(reported, conversation.quiet_reported))

    def _deadline(self) -> float:
        due = self._due()
        if due is None:
            return math.inf
        # A clock that was set back must not make it wait for years.
        return trio.current_time() + min(max(0.0, due - self._clock()), 1e6)
