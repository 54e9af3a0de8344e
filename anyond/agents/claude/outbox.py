"""Messages to the agent: those still to be sent, and those sent but not yet echoed.

Theory of operation. Every message has a name. Its echo on STDIN is matched by that name: first
against what was taken from here, then against what still waits, which can only be an echo from
before a restart; that message is dropped, for it was sent already.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from itertools import islice

TAKEN_AT_ONCE = 256
"""So many lines are taken at once: an agent may have asked very many things."""

_ID = re.compile(r"anyon-([1-9][0-9]{0,8})")


class Outbox:
    """The queue of lines, and the numbers of our own requests."""

    def __init__(self) -> None:
        # By rising numbers, so that any of them can leave at no cost.
        self._waiting: dict[int, tuple[str, bytes]] = {}
        self._numbers: dict[str, deque[int]] = {}
        self._taken: Counter[str] = Counter()
        self._last_number = 0
        self._last = 0

    def fresh_id(self) -> str:
        """The id of a new request of ours; the same log gives the same ids."""
        self._last += 1
        return f"anyon-{self._last}"

    def put(self, name: str, line: bytes) -> None:
        """Queue a line."""
        self._last_number += 1
        self._waiting[self._last_number] = (name, line)
        self._numbers.setdefault(name, deque()).append(self._last_number)

    def take(self) -> list[bytes]:
        """The oldest queued lines, in order; from now on they wait for their echoes.

        At most `TAKEN_AT_ONCE`; none if nothing waits.
        """
        lines = []
        for number in list(islice(self._waiting, TAKEN_AT_ONCE)):
            name, line = self._waiting[number]
            self.drop(name)  # it is the oldest of all, so of its name, too
            self._taken[name] += 1
            lines.append(line)
        return lines

    def holds(self, name: str) -> bool:
        """Return whether it is queued, or was taken and has not been read back."""
        return name in self._taken or name in self._numbers

    def echoed(self, name: str) -> None:
        """The log shows that this was sent."""
        if name in self._taken:
            self._taken[name] -= 1
            if not self._taken[name]:
                del self._taken[name]
        else:
            self.drop(name)

    def drop(self, name: str) -> None:
        """Forget the oldest queued line of that name, if there is one."""
        if (numbers := self._numbers.get(name)) is None:
            return
        del self._waiting[numbers.popleft()]
        if not numbers:
            del self._numbers[name]

    def used(self, request_id: str) -> None:
        """The log shows this id: the next fresh one must be a later one."""
        match = _ID.fullmatch(request_id)
        if match:
            self._last = max(self._last, int(match.group(1)))
