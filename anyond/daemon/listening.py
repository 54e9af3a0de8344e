"""The lock, and the listeners at which clients can wait for the rest of the start.

It loads little. A client of a daemon that starts again is so refused for as short a time as may
be; vibe-kanban's page takes one refusal for the end of what it shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from anyond.host.lock import sole_daemon
from anyond.http.wire.listener_set import ListenerSet, open_listeners
from anyond.open_files import raise_limit
from anyond.settings.options import Options


@contextmanager
def listening(options: Options) -> Iterator[ListenerSet]:
    """Be the only daemon of the data directory, and listen, for the block.

    Raises:
        AlreadyRunning: another daemon has the data directory.
        AnyondError: an address is none, or is taken.
    """
    raise_limit()
    options.paths.create()
    with sole_daemon(options.paths.lock, options.paths.daemon_file):
        listeners = open_listeners(options)
        try:
            yield listeners
        finally:
            listeners.close()
