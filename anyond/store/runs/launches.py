"""Rows of launches: which programs were handed to a shim, its key, and the processes it became."""

from __future__ import annotations

from anyond.model.records import LaunchedProcesses
from anyond.store.engine.transaction import Reader, Tx


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
    """Return the key that its shim expects; None if the program was never handed to one."""
    row = reader.execute(
        "SELECT key FROM launches WHERE execution_process_id = ?", (process_id,)
    ).fetchone()
    return None if row is None else str(row[0])


def identify(tx: Tx, process_id: str, seen: LaunchedProcesses) -> LaunchedProcesses:
    """Put on record which processes the launch has become; the answer is what is on record then.

    What was seen first of a shim counts, when its program had just been started.
    """
    known = processes(tx, process_id)
    if known is not None and (known.boot_id, known.shim) == (seen.boot_id, seen.shim):
        return known
    tx.execute(
        "UPDATE launches SET boot_id = ?, shim_pid = ?, shim_started = ?, program_pid = ?,"
        " program_started = ? WHERE execution_process_id = ?",
        (seen.boot_id, *seen.shim, *(seen.program or (None, None)), process_id),
    )
    return seen


def processes(reader: Reader, process_id: str) -> LaunchedProcesses | None:
    """The processes that a launch has become; None if no daemon has seen them."""
    row = reader.execute(
        "SELECT boot_id, shim_pid, shim_started, program_pid, program_started FROM launches"
        " WHERE execution_process_id = ? AND boot_id IS NOT NULL",
        (process_id,),
    ).fetchone()
    if row is None:
        return None
    boot, shim, shim_started, program, program_started = row
    return LaunchedProcesses(
        boot_id=boot,
        shim=(shim, shim_started),
        program=None if program is None else (program, program_started),
    )
