"""Recording which processes a run has become, for whoever has to end what is left of it."""

from __future__ import annotations

import structlog

from anyond.model.errors import AnyondError
from anyond.operations.resources import Resources
from anyond.procs.shims.shim_connection import ShimConnection
from anyond.store.runs import launches

log = structlog.get_logger()


async def record_processes(resources: Resources, running: ShimConnection) -> None:
    """Put the processes at the other end of a connection on record, with the launch of the run.

    A database that does not take it now ends no run: the next connection tries again.
    """
    seen, process_id = running.processes, running.execution_id
    if seen is None:
        return
    try:
        running.processes = await resources.store.write(
            lambda tx: launches.identify(tx, process_id, seen)
        )
    except AnyondError as error:
        log.warning("processes_not_recorded", process=process_id, why=str(error))
