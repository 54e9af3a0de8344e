"""Ending an execution in good order whose shim died or hangs."""

from __future__ import annotations

import time
from contextlib import suppress

from anyond.model.records import Exit, LaunchedProcesses
from anyond.model.refusals.runs import Running
from anyond.procs.identity import still_running
from anyond.procs.shims.shim_state import Lock, read_run
from anyond.procs.spools.spool import Spool
from anyond.shim.processes.lineage import find_shims
from anyond.shim.processes.orphans import end_orphans
from anyond.shim.processes.process_table import boot_id

DYING = 5.0
"""Seconds that a shim may take to be really dead after its connection broke."""


def finalize(
    execution_id: str,
    spool: Spool,
    reason: str,
    processes: LaunchedProcesses | None = None,
    *,
    force: bool = False,
) -> Exit:
    """Kill what is left, repair the log, write the exit. Blocks.

    Each step can be done again, so a crash in the middle of it does no harm. Something may be left
    even if the exit is on record already: an agent can write that file too.

    Args:
        processes: what is on record of them; None if there is nothing. Whatever carries the mark
            of the execution, or descends from its shim, is found without.
        force: its shim does not obey any more; it is killed, after all that descends from it.

    Raises:
        Conflict: its shim lives.
        Unavailable: the disk does not take the exit.
    """
    with Lock(spool.path) as lock:
        killed = 0
        if not (lock.taken() if force else _released(lock)):
            killed = _end(execution_id, spool, processes) if force else 0
            if not force or not _released(lock):
                raise Running(execution_id)
        killed += _end(execution_id, spool, processes)
        with suppress(OSError):  # who writes tries again, and tells
            spool.make_way()
        exit_ = spool.exit()
        if exit_ is None:
            run = read_run(spool.path)
            restarted = run is None or run.boot_id != boot_id()
            cut = spool.trim(restarted=restarted)
            if cut and restarted:
                reason += f" The last {cut:,} bytes of its log had not reached the disk whole."
            (spool.path / "s").unlink(missing_ok=True)  # many programs that copy trip over sockets
            exit_ = Exit(error=reason, ended_at=time.time_ns(), leftovers=killed)
            spool.write_exit(exit_)
        return exit_


def _released(lock: Lock) -> bool:
    deadline = time.monotonic() + DYING
    while not lock.taken():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _end(execution_id: str, spool: Spool, processes: LaunchedProcesses | None) -> int:
    # Never by what `run.json` says: an agent can write there the pid of any process of the person.
    shims, program = still_running(processes) if processes is not None else (set(), None)
    # A shim whose spool was removed holds a lock that nobody finds any more.
    return end_orphans(execution_id, program, shims | find_shims(str(spool.path)))
