"""Rows of files that may go, since the rows they belonged to were deleted, and of unknown ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from anyond.store.engine.transaction import Reader, Tx

Kind = Literal["spool", "image"]


def names(reader: Reader, kind: Kind) -> set[str]:
    """Those that may go."""
    return {name for (name,) in reader.execute("SELECT name FROM gone WHERE kind = ?", (kind,))}


def delete(tx: Tx, kind: Kind, deleted: Iterable[str]) -> None:
    """They are gone; no error if that was known."""
    for name in deleted:
        tx.execute("DELETE FROM gone WHERE kind = ? AND name = ?", (kind, name))


def see_unknown(tx: Tx, kind: Kind, found: set[str], day: int) -> tuple[set[str], dict[str, int]]:
    """Remember which files no row is about.

    Args:
        found: all that there are now.
        day: today's number; see `days`.

    Returns:
        Those that were not seen before, and the day on which each was seen first.
    """
    rows = tx.execute("SELECT name, first_day FROM unknown_files WHERE kind = ?", (kind,))
    known: dict[str, int] = dict(rows.fetchall())
    for name in known.keys() - found:
        tx.execute("DELETE FROM unknown_files WHERE kind = ? AND name = ?", (kind, name))
    for name in found - known.keys():
        tx.execute(
            "INSERT INTO unknown_files (kind, name, first_day) VALUES (?, ?, ?)", (kind, name, day)
        )
    return found - known.keys(), {name: known.get(name, day) for name in found}
