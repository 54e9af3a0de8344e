"""Rows about the data directory itself: where it lies, and what in it is another one's."""

from __future__ import annotations

from typing import NamedTuple

from anyond.store.engine.transaction import Reader, Tx


class DataDirectory(NamedTuple):
    """A data directory, to be known again.

    Args:
        path: its real path.
        inode: the number that it has on its disk.
    """

    path: str
    inode: int


def recorded(reader: Reader) -> DataDirectory | None:
    """Return where this database was opened last; None if no version has written that down."""
    row = reader.execute("SELECT path, inode FROM data_directory").fetchone()
    return None if row is None else DataDirectory(*row)


def record(tx: Tx, here: DataDirectory) -> None:
    """It lies here now."""
    tx.execute("INSERT OR REPLACE INTO data_directory (only, path, inode) VALUES (1, ?, ?)", here)


def elsewhere(reader: Reader) -> dict[str, DataDirectory]:
    """The attempts whose worktrees are another data directory's."""
    rows = reader.execute("SELECT attempt_id, path, inode FROM attempts_elsewhere").fetchall()
    return {row[0]: DataDirectory(row[1], row[2]) for row in rows}


def owner(reader: Reader, attempt_id: str) -> str | None:
    """The path of the other data directory whose the worktree of an attempt is, if it is one's."""
    row = reader.execute(
        "SELECT path FROM attempts_elsewhere WHERE attempt_id = ?", (attempt_id,)
    ).fetchone()
    return None if row is None else str(row[0])


def set_owner(tx: Tx, attempt_id: str, owner: DataDirectory) -> None:
    """The worktree of an attempt is another data directory's."""
    tx.execute(
        "INSERT OR IGNORE INTO attempts_elsewhere (attempt_id, path, inode) VALUES (?, ?, ?)",
        (attempt_id, *owner),
    )


def take_over(tx: Tx, attempt_id: str) -> None:
    """The other data directory is gone: the worktree is this one's."""
    tx.execute("DELETE FROM attempts_elsewhere WHERE attempt_id = ?", (attempt_id,))
