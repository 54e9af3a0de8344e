"""The reason why a run ended in disorder, written where a person looks: into its log."""

from __future__ import annotations

import time
from pathlib import Path

import trio
from msgspec.structs import replace

from anyond.agents.common.core import AgentEvent
from anyond.editing import files
from anyond.logs import archive, notes
from anyond.logs.conversation import Conversation
from anyond.model.http.frames import EntryFrame
from anyond.model.records import Record, Stream
from anyond.model.rows import ExecutionProcess
from anyond.operations.resources import Resources

ENTRIES = "entries.jsonl"


class SilentDialogue:
    """The dialogue of a program that never spoke."""

    def receive(self, stream: Stream, data: bytes, at: int = 0) -> list[AgentEvent]:
        return []

    def finish(self) -> list[AgentEvent]:
        return []

    def send(self, command: object) -> None:
        return

    def outgoing(self) -> list[bytes]:
        return []


def add_remark(
    resources: Resources, process: ExecutionProcess, text: str, *, setup: bool = False
) -> None:
    """Add a sentence to the log of a process whose shim does not live.

    Raises:
        Unavailable: the disk does not take it.
    """
    moment = time.time_ns()
    spool = resources.launcher.spool(process.id)
    spool.append_output(Stream.STDERR, f"{text}\n".encode(), moment)
    spool.append_note(notes.encode(notes.Remark(text=text, error=True, setup=setup)), moment)


async def write_reason(
    resources: Resources, process: ExecutionProcess, text: str, *, setup: bool = False
) -> None:
    """Add a sentence to both logs of a process whose shim does not live.

    Args:
        setup: whether the cure is to install or set up the agent.

    Raises:
        Unavailable: the disk does not take it.
    """
    moment = time.time_ns()
    spool = resources.launcher.spool(process.id)
    remark = notes.encode(notes.Remark(text=text, error=True, setup=setup))
    add_remark(resources, process, text, setup=setup)
    conversation = Conversation(process.id, SilentDialogue(), 0)
    conversation.feed(Record(moment, Stream.NOTE, remark))
    frames = conversation.final_frames()
    await trio.to_thread.run_sync(_add, spool.path / ENTRIES, frames, process.id)


def _add(path: Path, frames: list[EntryFrame], process_id: str) -> None:
    """Add entries to those that are archived already, if any are."""
    known = []
    if path.is_file():
        with path.open("rb") as file:
            known = [f for f in map(archive.decode, file) if f is not None]
    seq = max((f.seq for f in known), default=0)
    index = max((f.index + 1 for f in known), default=0)
    later = [replace(f, seq=f.seq + seq, index=f.index + index) for f in frames]
    files.write(path, archive.lines([*known, *later], process_id))
