"""Small reads in the loop itself: what a way to a thread and back costs ten times as much as."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from anyond.store.engine.transaction import Reader

R = TypeVar("R")

_STEPS = 1000
_MOST = 5
"""Of `_STEPS` instructions of SQLite each: a few dozen rows, less than half a millisecond."""


class TooLong(Exception):
    """The read is none for the loop; nothing of it was kept."""


class SmallReads:
    """Reads in the calling thread, given up as soon as they turn out to be long.

    Args:
        connection: one of its own, which waits for no lock.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._steps = 0
        connection.set_progress_handler(self._goes_on_too_long, _STEPS)

    def read(self, work: Callable[[Reader], R]) -> R:
        """Do `work` on one consistent state.

        Raises:
            TooLong: it would take long, or the file cannot be read now; it can be done again.
            Exception: whatever else `work` raised.
        """
        self._steps = 0
        try:
            self._connection.execute("BEGIN")
            return work(Reader(self._connection))
        except sqlite3.Error as error:
            raise TooLong from error
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _goes_on_too_long(self) -> bool:
        self._steps += 1
        return self._steps > _MOST
