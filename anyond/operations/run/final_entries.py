"""Archiving the final entries of a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import trio

from anyond.editing import files
from anyond.logs import archive, notes, script
from anyond.logs.conversation import Conversation
from anyond.machines.ending import Ending
from anyond.model.http.frames import EntryFrame
from anyond.model.ids import seconds
from anyond.model.records import Exit, Record, Stream
from anyond.model.rows import ExecutionProcess, ScriptRequest
from anyond.operations.resources import Resources
from anyond.operations.turn import reading
from anyond.operations.turn.end_reason import ENTRIES
from anyond.procs.shims.launcher import Launcher
from anyond.procs.spools.spool_readers import Frame


async def write(
    resources: Resources,
    process: ExecutionProcess,
    *,
    exit: Exit,
    conversation: Conversation | None,
    ending: Ending,
    remarks: list[notes.Remark],
) -> None:
    """Archive the entries of a run as they are now that it is over.

    Args:
        exit: how its program ended.
        conversation: what it said; None for a script.
        remarks: what else its log has to say; those of an agent are added to its log, too.
    """
    spool = resources.launcher.spool(process.id)
    ended_at = exit.ended_at or time.time_ns()
    frames: Callable[[], list[EntryFrame]]
    if conversation is not None:
        for remark in remarks:
            # The shim is gone, so the log is ours to write to; a replay finds the remark there.
            note = notes.encode(remark)
            spool.append_note(note, ended_at)
            conversation.feed(Record(ended_at, Stream.NOTE, note, spool.size()))
        await reading.close(conversation, ended_at)
        # Nothing changes it any more, so its entries can be encoded beside the loop.
        frames = conversation.final_frames
    else:
        request = process.executor_action.typ
        assert isinstance(request, ScriptRequest)
        started_at = int(seconds(process.started_at) * 1e9)
        tail = b"".join(f.data for f in last_frames(resources.launcher, process.id))
        if remarks:
            tail += "\n".join(remark.text for remark in remarks).encode() + b"\n"
        entry = script.finished(request.script, request.context, started_at, ending.exit_code, tail)
        frames = partial(list, [entry])
    await trio.to_thread.run_sync(_write, spool.path / ENTRIES, frames, process.id)


def _write(path: Path, frames: Callable[[], list[EntryFrame]], execution_id: str) -> None:
    files.write(path, archive.lines(frames(), execution_id))


def last_frames(launcher: Launcher, process_id: str) -> Iterator[Frame]:
    """The end of what a script has said."""
    spool = launcher.spool(process_id)
    reader = spool.output(max(0, spool.frames() - 16))
    try:
        while frames := reader.read():
            yield from frames
    finally:
        reader.close()
