"""The program at the other end of one connection: which execution it belongs to, if to any."""

from __future__ import annotations

import trio

from anyond.http.wire.peers import Accepted, Peers


class Origin:
    """The other end of one connection. It is looked up when somebody wants to know, and once: a
    connection that was opened outside of all executions does not get into one.
    """

    def __init__(self, accepted: Accepted, peers: Peers) -> None:
        self._accepted = accepted
        self._peers = peers
        self._looking = trio.Lock()
        self._known = False
        self._execution: str | None = None

    async def execution(self, root: str) -> str | None:
        """Return the execution that it belongs to; see `Peers.execution`.

        Args:
            root: the directory of the spools, as the system calls it (no links).
        """
        async with self._looking:
            if not self._known:
                look = self._peers.execution
                self._execution = await trio.to_thread.run_sync(look, self._accepted, root)
                self._known = True
            return self._execution
