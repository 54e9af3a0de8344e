"""Examples of the chapter Execution Processes."""

from __future__ import annotations

from msgspec.structs import replace

from anyond.api import processes
from anyond.api.examples import things
from anyond.api.examples.example import Example, Examples
from anyond.model.entries import EntryType
from anyond.model.http import frames
from anyond.model.rows import ProcessStatus

_OVER = replace(things.PROCESS, status=ProcessStatus.COMPLETED, exit_code=0)


def _entry(seq: int, index: int, entry_type: EntryType, content: str) -> frames.IndexedEntry:
    return frames.IndexedEntry(
        entry_type=entry_type, content=content, timestamp=things.MOMENT, index=index, seq=seq
    )


_ENTRIES = (
    _entry(0, 0, things.MESSAGE, "I shall look at the timer first."),
    _entry(1, 1, things.ASKS, "npm test"),
    _entry(2, 1, things.RAN, "npm test"),
)

EXAMPLES: Examples = {
    processes.LIST_EXECUTION_PROCESSES: Example(answer=[things.PROCESS]),
    processes.GET_EXECUTION_PROCESS: Example(answer=things.PROCESS),
    processes.STREAM_RAW_LOGS: Example(
        frames=(
            frames.LogOperation(
                op="add",
                path="/0",
                value=frames.LogChunk(type="stdout", content="Installing…\n"),
                seq=0,
            ),
        )
    ),
    processes.STREAM_NORMALIZED_LOGS: Example(frames=_ENTRIES),
    processes.STREAM_EXECUTION_PROCESSES: Example(
        frames=(
            frames.ProcessSnapshot(data=[things.PROCESS], seq=44),
            frames.ProcessCreated(data=things.PROCESS, seq=45),
            frames.ProcessUpdated(data=things.PROCESS, seq=46),
            frames.ProcessCompleted(data=_OVER, seq=47),
        )
    ),
}
