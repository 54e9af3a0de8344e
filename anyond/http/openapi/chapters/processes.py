"""Declarations of the chapters Execution Processes and Events."""

from __future__ import annotations

from msgspec.structs import replace

from anyond.http.openapi import examples, frames, problems
from anyond.http.openapi.operation import (
    AFTER,
    BATCH,
    FORMAT,
    WEBSOCKET,
    Chapter,
    Operation,
    Parameter,
    Stream,
    key,
    needed,
    possible,
)
from anyond.model.entries import EntryType
from anyond.model.rows import (
    Approval,
    ExecutionProcess,
    ProcessStatus,
    PullRequestMerge,
    TaskAttempt,
    TaskWithAttemptStatus,
)

_KEY = key("id", "process", examples.PROCESS_ID)
_ATTEMPT = needed("task_attempt_id", str, "The id of the attempt.", examples.ATTEMPT_ID)
_DROPPED = possible("show_soft_deleted", bool, "Also those that were replaced.")
_OVER = replace(examples.PROCESS, status=ProcessStatus.COMPLETED, exit_code=0)
_LOG_END = "`Finished` and 1000 when the process is over; 1001 when the daemon stops."


def _entry(seq: int, index: int, type_: EntryType, content: str) -> frames.IndexedEntry:
    return frames.IndexedEntry(
        entry_type=type_, content=content, timestamp=examples.MOMENT, index=index, seq=seq
    )


_ENTRIES = (
    _entry(0, 0, examples.SAID, "I shall look at the timer first."),
    _entry(1, 1, examples.ASKS, "npm test"),
    _entry(2, 1, examples.RAN, "npm test"),
)

PROCESSES = Chapter(
    "Execution Processes",
    "Single runs of agents and scripts, and what they say.",
    (
        Operation(
            method="GET",
            path="/api/execution-processes",
            summary="List execution processes",
            query=(_ATTEMPT, _DROPPED),
            answer=list[ExecutionProcess],
            example=[examples.PROCESS],
            cached=True,
            problems=(problems.NOT_FOUND,),
        ),
        Operation(
            method="GET",
            path="/api/execution-processes/{id}",
            summary="Get execution process",
            key=_KEY,
            answer=ExecutionProcess,
            example=examples.PROCESS,
            cached=True,
            problems=(problems.NOT_FOUND,),
        ),
        Operation(
            method="POST",
            path="/api/execution-processes/{id}/stop",
            summary="Stop execution process",
            text="Answered when nothing of it is left.",
            key=_KEY,
            problems=(problems.NOT_FOUND,),
        ),
        Operation(
            method=WEBSOCKET,
            path="/api/execution-processes/{id}/raw-logs/ws",
            summary="Stream raw logs",
            key=_KEY,
            query=(AFTER, BATCH, FORMAT),
            stream=Stream(
                "RawLogFrame",
                (frames.LogOperation,),
                (
                    frames.LogOperation(
                        op="add",
                        path="/0",
                        value=frames.LogChunk(type="stdout", content="Installing…\n"),
                        seq=0,
                    ),
                ),
                _LOG_END,
                batch=True,
            ),
            problems=(problems.NOT_FOUND,),
        ),
        Operation(
            method=WEBSOCKET,
            path="/api/execution-processes/{id}/normalized-logs/ws",
            summary="Stream normalized logs",
            text="A later frame with the same `index` replaces the entry.",
            key=_KEY,
            query=(AFTER, BATCH, FORMAT),
            stream=Stream(
                "EntryFrame",
                (frames.IndexedEntry,),
                _ENTRIES,
                _LOG_END,
                batch=True,
            ),
            problems=(problems.NOT_FOUND,),
        ),
        Operation(
            method=WEBSOCKET,
            path="/api/execution-processes/stream/ws",
            summary="Stream execution processes",
            query=(_ATTEMPT, _DROPPED, AFTER, FORMAT),
            stream=Stream(
                "ProcessFrame",
                (
                    frames.ProcessSnapshot,
                    frames.ProcessCreated,
                    frames.ProcessUpdated,
                    frames.ProcessCompleted,
                ),
                (
                    frames.ProcessSnapshot(data=[examples.PROCESS], seq=44),
                    frames.ProcessCreated(data=examples.PROCESS, seq=45),
                    frames.ProcessUpdated(data=examples.PROCESS, seq=46),
                    frames.ProcessCompleted(data=_OVER, seq=47),
                ),
                "It has none; 1001 when the daemon stops.",
            ),
            problems=(problems.NOT_FOUND,),
        ),
    ),
)

EVENTS = Chapter(
    "Events",
    "Everything that happens, as Server-Sent Events.",
    (
        Operation(
            method="GET",
            path="/api/events",
            summary="Follow events",
            text="Each event has an `id`; a client that comes back with it as `Last-Event-ID`, or"
            " as `after`, misses nothing, also across a restart of the daemon.",
            query=(
                AFTER,
                Parameter("Last-Event-ID", int, "As `after`, and before it.", place="header"),
                FORMAT,
            ),
            stream=Stream(
                "Event",
                (),
                (),
                "It ends when the daemon stops.",
                events={
                    "task_created": TaskWithAttemptStatus,
                    "task_updated": TaskWithAttemptStatus,
                    "task_deleted": TaskWithAttemptStatus,
                    "attempt_created": TaskAttempt,
                    "attempt_updated": TaskAttempt,
                    "process_started": ExecutionProcess,
                    "process_completed": ExecutionProcess,
                    "pr_status_changed": PullRequestMerge,
                    "approval_requested": Approval,
                    "approval_resolved": Approval,
                    "resync": frames.EventsLost,
                },
            ),
        ),
    ),
)
