"""How an execution is ended in good order when its shim died before it could do that."""

from __future__ import annotations

import time

from anyond.model.errors import Conflict
from anyond.model.records import Exit
from anyond.procs.orphans import end_orphans
from anyond.procs.process_table import boot_id
from anyond.procs.shim_state import Lock, read_run
from anyond.procs.spool import Spool

DYING = 5.0
"""Seconds that a shim may take to be really dead after its connection broke."""


def finalize(execution_id: str, spool: Spool, reason: str) -> Exit:
    """Kill what is left, mend the log, write the exit. Blocks.

    Each step can be done again, so a crash in the middle of it does no harm.

    Raises:
        Conflict: its shim lives.
        Unavailable: the disk does not take the exit.
    """
    with Lock(spool.path) as lock:
        deadline = time.monotonic() + DYING
        while not lock.taken():
            if time.monotonic() > deadline:
                raise Conflict("running", f"Execution {execution_id} is still running.")
            time.sleep(0.01)
        exit_ = spool.exit()
        if exit_ is None:
            run = read_run(spool.path)
            program = (run.pid, run.pid_started) if run and run.boot_id == boot_id() else None
            killed = end_orphans(execution_id, program)
            spool.trim()
            (spool.path / "s").unlink(missing_ok=True)  # many programs that copy trip over sockets
            exit_ = Exit(error=reason, ended_at=time.time_ns(), leftovers=killed)
            spool.write_exit(exit_)
        return exit_
