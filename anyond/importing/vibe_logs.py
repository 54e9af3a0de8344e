"""Logs of programs as vibe-kanban stores them, read as a conversation of ours.

A log is lines of JSON, each a piece of stdout or stderr (or something that was derived from them,
which is not needed). Agents whose own lines were kept are read by their own dialogues here. Of the
others vibe-kanban kept lines of its own making; the messages in them are shown, and all of it is in
the raw log.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from anyond.agents.common.core import Turn
from anyond.agents.json_rpc.lines import Lines
from anyond.agents.roster import AGENTS
from anyond.importing.vibe_records import OldProcess
from anyond.logs import script
from anyond.logs.conversation import Conversation
from anyond.model.configuration.settings import Executor
from anyond.model.entries import (
    AssistantMessage,
    EntryType,
    NormalizedEntry,
    SystemMessage,
    Thinking,
    ToolUse,
    UserMessage,
)
from anyond.model.http.frames import EntryFrame
from anyond.model.ids import seconds, timestamp_ns
from anyond.model.records import Record, Stream
from anyond.model.rows import ScriptRequest

RECORD_BYTES = 64 * 1024
_PIECE = 1024 * 1024
_OWN_LINES = frozenset({Executor.CLAUDE_CODE, Executor.AMP, Executor.CURSOR_AGENT})
_MESSAGES_MOST = 4000
"""So many messages of a log of vibe-kanban's own making are shown at most."""
_ENTRIES = 50_000
_ENTRIES_BYTES = 128 * 1024 * 1024
"""So much of an agent's own log is shown at most; it has to be in memory to be understood."""


class _Piece(Struct, frozen=True):
    stdout: str | None = msgspec.field(default=None, name="Stdout")
    stderr: str | None = msgspec.field(default=None, name="Stderr")


_decoder = msgspec.json.Decoder(_Piece)


def pieces(connection: sqlite3.Connection, rows: Iterable[int]) -> Iterator[tuple[Stream, bytes]]:
    """Yield a program's output, in the order in which it was stored; gathered to `RECORD_BYTES`.

    A log of gigabytes is never in memory as a whole.
    """
    stream, held, size = Stream.STDOUT, list[bytes](), 0
    for piece in _pieces(connection, rows):
        for kind, text in ((Stream.STDOUT, piece.stdout), (Stream.STDERR, piece.stderr)):
            if not text:
                continue
            if held and (kind is not stream or size >= RECORD_BYTES):
                yield stream, b"".join(held)
                held, size = [], 0
            stream = kind
            held.append(text.encode(errors="replace"))
            size += len(held[-1])
    if held:
        yield stream, b"".join(held)


def _pieces(connection: sqlite3.Connection, rows: Iterable[int]) -> Iterator[_Piece]:
    for row in rows:
        lines = Lines()
        with connection.blobopen("execution_process_logs", "logs", row, readonly=True) as blob:
            while data := blob.read(_PIECE):
                yield from _decoded(lines.feed(data))
        yield from _decoded([lines.rest()])


def _decoded(lines: Iterable[bytes]) -> Iterator[_Piece]:
    for line in lines:
        try:
            yield _decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeError):
            continue  # patches, session ids and the word "Finished" are not what a program said


class Transcript:
    """Feed the records of one process, and get its conversation at the end."""

    def __init__(self, process: OldProcess, cwd: str) -> None:
        self._process = process
        self._at = int(seconds(process.started_at) * 1e9)
        self._tail = b""
        self._lines = Lines()
        self._messages: list[tuple[str, EntryType]] = []
        self._conversation: Conversation | None = None
        self._size = 0
        executor = process.executor
        if executor in _OWN_LINES and (agent := AGENTS.get(executor)) is not None:
            dialogue = agent.dialogue(Turn(prompt=process.prompt, cwd=cwd))
            self._conversation = Conversation(process.id, dialogue, 0)

    def feed(self, stream: Stream, data: bytes) -> None:
        if isinstance(self._process.action.typ, ScriptRequest):
            self._tail = (self._tail + data)[-2 * script.TAIL_MOST :]
        elif self._conversation is not None:
            if not self._is_cut:
                self._size += len(data)
                self._conversation.feed(Record(self._at, stream, data))
        elif stream is Stream.STDOUT:
            for line in self._lines.feed(data):
                self._message(line)

    @property
    def _is_cut(self) -> bool:
        conversation = self._conversation
        return conversation is not None and (
            conversation.count >= _ENTRIES or self._size >= _ENTRIES_BYTES
        )

    def frames(self) -> list[EntryFrame]:
        """The whole conversation, or its beginning and a word on where the rest is."""
        typ = self._process.action.typ
        if isinstance(typ, ScriptRequest):
            code = self._process.exit_code
            return [script.finished(typ.script, typ.context, self._at, code, self._tail)]
        entries_before = (
            [self._entry(self._process.prompt, UserMessage())] if self._process.prompt else []
        )
        if self._conversation is not None:
            self._conversation.close(self._at)
            later = self._conversation.final_frames()
            if any(_has_text(frame.entry) for frame in later):
                entries = [*entries_before, *(frame.entry for frame in later)]
                if self._is_cut:
                    rest = "The rest of this long conversation is in the raw log."
                    entries.append(self._entry(rest, SystemMessage()))
                    if self._process.summary:
                        entries.append(self._entry(self._process.summary, AssistantMessage()))
                return [EntryFrame(n + 1, n, entry) for n, entry in enumerate(entries)]
        messages = self._messages
        if not any(isinstance(kind, AssistantMessage) for _, kind in messages):
            messages = [*messages, (self._process.summary or "", AssistantMessage())]
        entries_before += [self._entry(text, kind) for text, kind in messages if text.strip()]
        note = "This conversation comes from vibe-kanban; all of its output is in the raw log."
        entries_before.append(self._entry(note, SystemMessage()))
        return [EntryFrame(n + 1, n, entry) for n, entry in enumerate(entries_before)]

    def _entry(self, content: str, kind: EntryType) -> bytes:
        return msgspec.json.encode(
            NormalizedEntry(entry_type=kind, content=content, timestamp=timestamp_ns(self._at))
        )

    def _message(self, line: bytes) -> None:
        """A line of vibe-kanban's own making, if there is a message in it."""
        if len(self._messages) >= _MESSAGES_MOST:
            return
        try:
            message = msgspec.json.decode(line)
        except (msgspec.MsgspecError, UnicodeError):
            return
        if not isinstance(message, dict):
            return
        for name, kind in (("Message", AssistantMessage()), ("Thought", Thinking())):
            text = _inner(message.get(name), "text")
            if text:
                # One message came in many lines.
                if self._messages and isinstance(self._messages[-1][1], type(kind)):
                    text = self._messages.pop()[0] + text
                self._messages.append((text, kind))
        event = _inside(_inside(message.get("params")).get("msg"))
        if event.get("type") == "agent_message" and (text := _inner(event, "message")):
            self._messages.append((text, AssistantMessage()))
        elif event.get("type") == "agent_reasoning" and (text := _inner(event, "text")):
            self._messages.append((text, Thinking()))


def _inside(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _inner(value: Any, name: str) -> str:
    text = _inside(value).get(name)
    return text if isinstance(text, str) else ""


def _has_text(entry: bytes) -> bool:
    kind = msgspec.json.decode(entry, type=NormalizedEntry).entry_type
    return isinstance(kind, AssistantMessage | ToolUse | Thinking)
