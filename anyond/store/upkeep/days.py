"""The number of days a daemon has been at work here: a count that no jump of the clock moves far.

A day is counted when the date is another one than that of the day before, whichever. So a jump of
years counts one day, and what is to be kept for thirty days is kept for thirty of these at least.
"""

from __future__ import annotations

from anyond.store.engine.transaction import Reader, Tx

_DATE, _COUNT = "day_date", "day_count"


def count(tx: Tx, date: str) -> tuple[int, bool]:
    """Today's number, and whether it begins now.

    Args:
        date: e.g. `2025-01-08`.
    """
    number = current(tx)
    row = tx.execute("SELECT value FROM meta WHERE key = ?", (_DATE,)).fetchone()
    if row is not None and row[0] == date:
        return number, False
    for key, value in ((_DATE, date), (_COUNT, str(number + 1))):
        tx.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))
    return number + 1, True


def current(reader: Reader) -> int:
    """The number of the day that was counted last."""
    row = reader.execute("SELECT value FROM meta WHERE key = ?", (_COUNT,)).fetchone()
    return 0 if row is None else int(row[0])
