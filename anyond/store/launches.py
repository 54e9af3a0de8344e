"""Rows of launches: which programs were handed to a shim, and the key that it obeys."""

from __future__ import annotations

from anyond.store.transaction import Reader, Tx


def record(tx: Tx, process_id: str, key: str, now: str) -> None:
    """The program of a process may run from now on; the latest key counts.

    Args:
        key: what its shim wants to hear first; empty for a shim that is older than keys.
    """
    tx.execute(
        "INSERT OR REPLACE INTO launches (execution_process_id, key, launched_at) VALUES (?, ?, ?)",
        (process_id, key, now),
    )


def withdraw(tx: Tx, process_id: str) -> None:
    """The program of a process was handed to a shim that certainly did not start it."""
    tx.execute("DELETE FROM launches WHERE execution_process_id = ?", (process_id,))


def key(reader: Reader, process_id: str) -> str | None:
    """What its shim wants to hear; None if the program was never handed to one."""
    row = reader.execute(
        "SELECT key FROM launches WHERE execution_process_id = ?", (process_id,)
    ).fetchone()
    return None if row is None else str(row[0])
