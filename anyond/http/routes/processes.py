"""The chapter Execution Processes: single runs of agents and scripts, and their logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyond.api import processes as api
from anyond.api.declaration.params import OfProcess
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.http.streaming import records
from anyond.http.streaming.encoders import Record, WireFormat
from anyond.http.views import Streamed
from anyond.model.http.frames import EntryFrame, by_change
from anyond.model.rows import Change, ExecutionProcess
from anyond.store.board import attempts
from anyond.store.engine.transaction import Reader
from anyond.store.runs import processes

if TYPE_CHECKING:
    from anyond.procs.spools.spool_readers import Frame

_KINDS = frozenset(by_change(api.STREAM_EXECUTION_PROCESSES.frames))


async def list_processes(
    backend: Backend, params: api.ProcessesOfAttempt
) -> list[ExecutionProcess]:
    def found(reader: Reader) -> list[ExecutionProcess]:
        attempts.get(reader, params.task_attempt_id)
        return processes.of_attempt(reader, params.task_attempt_id, params.show_soft_deleted)

    return await backend.store.read(found)


async def get_process(backend: Backend, params: OfProcess) -> ExecutionProcess:
    return await backend.store.read(lambda r: processes.get(r, params.execution_process_id))


async def stop_process(backend: Backend, params: OfProcess) -> None:
    await backend.services.attempts.stop_process(params.execution_process_id)


async def stream_raw_logs(
    backend: Backend, params: api.FollowedLog, wire_format: WireFormat
) -> Streamed[Frame]:
    logs = backend.services.logs
    await logs.open_raw(params.execution_process_id)
    source = logs.raw(params.execution_process_id, params.after, params.tail)
    return Streamed(source, wire_format.raw(params.batch), gathers=False)


async def stream_normalized_logs(
    backend: Backend, params: api.FollowedLog, wire_format: WireFormat
) -> Streamed[EntryFrame]:
    logs = backend.services.logs
    await logs.open_raw(params.execution_process_id)
    source = logs.entries(params.execution_process_id, params.after, params.tail)
    return Streamed(source, wire_format.entries(params.batch), gathers=False)


async def stream_processes(
    backend: Backend, params: api.FollowedProcesses, wire_format: WireFormat
) -> Streamed[Record]:
    store, attempt_id, dropped = backend.store, params.task_attempt_id, params.show_soft_deleted
    task_id = (await store.read(lambda r: attempts.get(r, attempt_id))).task_id

    def belongs(change: Change) -> bool:
        if change.attempt_id != attempt_id or change.kind not in _KINDS:
            return False
        # The update that says "dropped" is what lets clients take the row away.
        return dropped or not change.dropped or change.kind == "process_updated"

    def last(change: Change) -> bool:
        gone = {"attempt_deleted": attempt_id, "task_deleted": task_id}.get(change.kind)
        return gone is not None and gone == change.key

    rows = records.reading(store, lambda r: processes.of_attempt(r, attempt_id, dropped))
    source = records.follow(store, rows, belongs, params.after, last)
    return Streamed(source, wire_format.processes(dropped))


ROUTES = (
    route(api.LIST_EXECUTION_PROCESSES, list_processes),
    route(api.GET_EXECUTION_PROCESS, get_process),
    route(api.STOP_EXECUTION_PROCESS, stop_process),
    route(api.STREAM_RAW_LOGS, stream_raw_logs),
    route(api.STREAM_NORMALIZED_LOGS, stream_normalized_logs),
    route(api.STREAM_EXECUTION_PROCESSES, stream_processes),
)
