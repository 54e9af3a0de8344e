"""The chapter Execution Processes: single runs of agents and scripts, and their logs."""

from __future__ import annotations

from types import NoneType
from typing import Annotated

from msgspec import Meta, Struct, field

from anyond.api.declaration.endpoint import Call, Chapter, Stream
from anyond.api.declaration.params import AttemptId, Batch, Followed, OfProcess, ProcessId
from anyond.model.http import frames
from anyond.model.refusals.requests import NotFound
from anyond.model.rows import ExecutionProcess

Dropped = Annotated[bool, Meta(description="Also those that were replaced.")]
_LOG_END = "`Finished` and 1000 when the process is over; 1001 when the daemon stops."


class ProcessesOfAttempt(Struct, frozen=True, kw_only=True):
    """Requests for all executions of an attempt."""

    task_attempt_id: AttemptId
    show_soft_deleted: Dropped = False


class FollowedProcesses(Followed, frozen=True, kw_only=True):
    """Requests for a stream of all executions of an attempt."""

    task_attempt_id: AttemptId
    show_soft_deleted: Dropped = False


class FollowedLog(Followed, frozen=True, kw_only=True):
    """Requests for a stream of what an execution says."""

    execution_process_id: ProcessId = field(name="id")
    batch: Batch = False
    tail: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=100_000,
                description="Without `after`, begin with so many at the end of those that are"
                " there.",
            ),
        ]
        | None
    ) = None


LIST_EXECUTION_PROCESSES = Call(
    method="GET",
    path="/api/execution-processes",
    summary="List execution processes",
    params=ProcessesOfAttempt,
    answer=list[ExecutionProcess],
    cached=True,
    refusals=(NotFound,),
)
GET_EXECUTION_PROCESS = Call(
    method="GET",
    path="/api/execution-processes/{id}",
    summary="Get execution process",
    params=OfProcess,
    answer=ExecutionProcess,
    cached=True,
    refusals=(NotFound,),
)
STOP_EXECUTION_PROCESS = Call(
    method="POST",
    path="/api/execution-processes/{id}/stop",
    summary="Stop execution process",
    params=OfProcess,
    text="Answered when nothing of it is left.",
    answer=NoneType,
    refusals=(NotFound,),
)
STREAM_RAW_LOGS = Stream(
    path="/api/execution-processes/{id}/raw-logs/ws",
    summary="Stream raw logs",
    params=FollowedLog,
    name="RawLogFrame",
    frames=(frames.LogOperation,),
    end=_LOG_END,
    batch=True,
    refusals=(NotFound,),
)
STREAM_NORMALIZED_LOGS = Stream(
    path="/api/execution-processes/{id}/normalized-logs/ws",
    summary="Stream normalized logs",
    params=FollowedLog,
    text="A later frame with the same `index` replaces the entry.",
    name="EntryFrame",
    frames=(frames.IndexedEntry,),
    end=_LOG_END,
    batch=True,
    refusals=(NotFound,),
)
STREAM_EXECUTION_PROCESSES = Stream(
    path="/api/execution-processes/stream/ws",
    summary="Stream execution processes",
    params=FollowedProcesses,
    name="ProcessFrame",
    frames=(
        frames.ProcessSnapshot,
        frames.ProcessCreated,
        frames.ProcessUpdated,
        frames.ProcessCompleted,
    ),
    end="It has none; 1001 when the daemon stops.",
    refusals=(NotFound,),
)

CHAPTER = Chapter(
    "Execution Processes",
    "Single runs of agents and scripts, and what they say.",
    (
        LIST_EXECUTION_PROCESSES,
        GET_EXECUTION_PROCESS,
        STOP_EXECUTION_PROCESS,
        STREAM_RAW_LOGS,
        STREAM_NORMALIZED_LOGS,
        STREAM_EXECUTION_PROCESSES,
    ),
)
