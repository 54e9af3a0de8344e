"""Making the entries of a finished execution anew from its log, if their archive is damaged."""

from __future__ import annotations

import structlog
import trio

from anyond.editing import files
from anyond.logs import archive, script
from anyond.logs.conversation import Conversation
from anyond.model.errors import AnyondError
from anyond.model.http.frames import EntryFrame
from anyond.model.ids import seconds
from anyond.model.records import Stream
from anyond.model.rows import ExecutionProcess, ScriptRequest
from anyond.operations.run.final_entries import last_frames
from anyond.operations.run.run import REPLAYED_AT_ONCE, replay
from anyond.operations.turn import reading
from anyond.operations.turn.end_reason import ENTRIES, SilentDialogue
from anyond.operations.turn.turn_record import TurnRecord
from anyond.procs.shims.launcher import Launcher
from anyond.store.engine.database import Store
from anyond.store.runs import processes, sessions

log = structlog.get_logger()


async def repair(store: Store, launcher: Launcher, process: ExecutionProcess) -> None:
    """Make sure that the archive of a finished execution is whole, as far as its log is there.

    Raises:
        Unavailable: the database or the disk refuses.
    """
    spool = launcher.spool(process.id)
    path = spool.path / ENTRIES
    old = await store.read(lambda r: processes.may_lack_end(r, process.id))
    if await trio.to_thread.run_sync(archive.is_whole, path, process.id, old) or not spool.size():
        return
    text = await store.read(lambda r: sessions.stored_turn(r, process.id))
    try:
        turn_record = TurnRecord.decode(text) if text is not None else None
        frames = await _frames(launcher, process, turn_record)
        if not frames:
            return  # it came from another program, whose way of speaking nobody knows here
        content = archive.lines(frames, process.id)
        await trio.to_thread.run_sync(files.write, path, content)
    except (AnyondError, OSError, ValueError) as error:
        # What can be read of the damaged one is better than nothing.
        log.warning("entries_not_made_anew", process=process.id, why=str(error))
    else:
        log.warning("entries_made_anew", process=process.id, entries=len(frames))


async def _frames(
    launcher: Launcher, process: ExecutionProcess, turn_record: TurnRecord | None
) -> list[EntryFrame]:
    spool = launcher.spool(process.id)
    exit_ = spool.exit()
    ended_at = exit_.ended_at if exit_ is not None else 0
    if not ended_at:
        ended_at = int(seconds(process.completed_at or process.started_at) * 1e9)
    request = process.executor_action.typ
    ran = (spool.path / "run.json").exists()
    if isinstance(request, ScriptRequest) and ran:
        started_at = int(seconds(process.started_at) * 1e9)
        tail = b"".join(frame.data for frame in last_frames(launcher, process.id))
        entry = script.finished(
            request.script, request.context, started_at, process.exit_code, tail
        )
        return [entry]
    conversation = await replay(launcher, process, turn_record) if ran else None
    if conversation is None:
        return await _remarks(launcher, process)
    await reading.close(conversation, ended_at)
    return conversation.final_frames()


async def _remarks(launcher: Launcher, process: ExecutionProcess) -> list[EntryFrame]:
    """Return the notes on a program that never ran."""
    conversation = Conversation(process.id, SilentDialogue(), 0)
    reader = launcher.spool(process.id).records()
    try:
        while records := reader.read(REPLAYED_AT_ONCE):
            for record in records:
                if record.stream is Stream.NOTE:
                    conversation.feed(record)
            await trio.lowlevel.checkpoint()
    finally:
        reader.close()
    return conversation.final_frames()
