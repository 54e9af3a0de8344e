"""What is still to be told to the agent, and what has been told but not yet read back.

Theory of operation. Every message has a name. Its echo on STDIN is matched by that name: first
against what was taken from here, then against what still waits, which can only be an echo from
before a restart; that message is dropped, for it was sent already.
"""

from __future__ import annotations

import re

_ID = re.compile(r"anyon-([1-9][0-9]{0,8})")


class Outbox:
    """The queue of lines, and the numbers of our own requests."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, bytes]] = []
        self._taken: list[str] = []
        self._last = 0

    def fresh_id(self) -> str:
        """The id of a new request of ours; the same log gives the same ids."""
        self._last += 1
        return f"anyon-{self._last}"

    def put(self, name: str, line: bytes) -> None:
        """Queue a line."""
        self._waiting.append((name, line))

    def take(self) -> list[bytes]:
        """All queued lines, in order; from now on they wait for their echoes."""
        lines = [line for _, line in self._waiting]
        self._taken.extend(name for name, _ in self._waiting)
        self._waiting.clear()
        return lines

    def holds(self, name: str) -> bool:
        """Whether it is queued, or was taken and has not been read back."""
        return name in self._taken or any(waiting == name for waiting, _ in self._waiting)

    def echoed(self, name: str) -> None:
        """The log shows that this was sent."""
        if name in self._taken:
            self._taken.remove(name)
        else:
            self.drop(name)

    def drop(self, name: str) -> None:
        """Forget the oldest queued line of that name, if there is one."""
        for number, (waiting, _) in enumerate(self._waiting):
            if waiting == name:
                del self._waiting[number]
                return

    def used(self, request_id: str) -> None:
        """The log shows this id: the next fresh one must be a later one."""
        match = _ID.fullmatch(request_id)
        if match:
            self._last = max(self._last, int(match.group(1)))
