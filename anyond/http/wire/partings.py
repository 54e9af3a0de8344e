"""WebSockets whose peers hear last of all that the daemon stops.

vibe-kanban's page asks again two seconds after it has heard, and takes a refusal for the end of
what it shows. What a stop takes, the next start would lack.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress

_GOING_AWAY = b"\x88\x02\x03\xe9"
"""A close frame with the code 1001 (RFC 6455)."""


class Partings:
    """WebSockets that nobody serves any more, and that are still open."""

    def __init__(self) -> None:
        self._open: list[socket.socket] = []

    def keep(self, descriptor: int) -> bool:
        """Hold the connection open, also when `descriptor` is closed; False if that cannot be."""
        try:
            self._open.append(socket.socket(fileno=os.dup(descriptor)))
        except OSError:
            return False  # no descriptors are left
        return True

    def close(self) -> None:
        """Tell all of them that the daemon has stopped. Never waits."""
        while self._open:
            with self._open.pop() as duplicate, suppress(OSError):  # it may be gone, or not read
                duplicate.setblocking(False)
                duplicate.send(_GOING_AWAY)
