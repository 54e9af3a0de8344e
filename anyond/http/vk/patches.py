"""The streams as JSON Patch, in the way that vibe-kanban's clients apply it.

Their library does nothing at all where a path is missing, inserts where an index is there already,
and of several operations on one path in one frame keeps the last. Hence: a snapshot first, `add`
wherever it means "this is so now", `replace` for what is in a list, no path twice in a frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw, Struct

from anyond.http.answer.envelope import encode
from anyond.http.streaming.encoders import (
    FINISHED,
    MESSAGE_BYTES,
    DraftStream,
    Record,
    Snapshot,
    WireFormat,
    event,
)
from anyond.http.vk.drafts import KINDS, Drafts, everything
from anyond.http.vk.frames import (
    Add,
    Content,
    Operation,
    Remove,
    Replace,
    frame,
    frame_of_texts,
    pointer,
    text,
)
from anyond.model.http.frames import DiffFound, DiffFrame, DiffRemoved, DiffResync, EntryFrame
from anyond.model.records import Stream
from anyond.model.rows import Change

if TYPE_CHECKING:
    from anyond.procs.spools.spool_readers import Frame


class _Row(Struct):
    id: str


_rows = msgspec.json.Decoder(list[Raw])
_row = msgspec.json.Decoder(_Row)


class Records:
    """A map of records by their ids.

    Args:
        root: what the map is called in the client's document.
        hides: whether a change means that the record is not to be seen (any more).
    """

    def __init__(self, root: str, hides: Callable[[Change], bool]) -> None:
        self._root = root
        self._hides = hides

    def encode(self, items: Sequence[Record]) -> Iterator[bytes]:
        held: dict[str, Operation] = {}
        for item in items:
            if isinstance(item, Snapshot):
                yield from _frame(held)
                yield frame([Replace(f"/{self._root}", self._map(item.rows))])
                continue
            path = f"/{self._root}/{item.key}"
            if path in held:
                yield from _frame(held)
            hidden = self._hides(item)
            held[path] = Remove(path) if hidden else Add(path, Raw(item.data))
        yield from _frame(held)

    def end(self) -> Iterable[bytes]:
        return ()

    def _map(self, rows: bytes) -> dict[str, Raw]:
        return {_row.decode(row).id: row for row in _rows.decode(rows)}


def _frame(held: dict[str, Operation]) -> Iterator[bytes]:
    """The operations of `held`, which is empty afterwards, as one frame; none if there are none."""
    if held:
        yield frame(held.values())
        held.clear()


def _frames(operations: Iterable[Operation]) -> Iterator[bytes]:
    """Operations on different paths, in as few frames as may be."""
    held: list[bytes] = []
    size = 0
    for operation in map(text, operations):
        if held and size + len(operation) > MESSAGE_BYTES:
            yield frame_of_texts(held)
            held, size = [], 0
        held.append(operation)
        size += len(operation)
    if held:
        yield frame_of_texts(held)


class Output:
    """Output as a list of chunks, by their numbers in the log."""

    def encode(self, items: Sequence[Frame]) -> Iterator[bytes]:
        return _frames(map(self._operation, items))

    def end(self) -> Iterable[bytes]:
        return (FINISHED,)

    def _operation(self, item: Frame) -> Operation:
        name = "STDOUT" if item.stream is Stream.STDOUT else "STDERR"
        content = item.data.decode("utf-8", "replace")
        return Add(f"/entries/{item.n}", Content(name, content))


_LOADING = Content(
    "NORMALIZED_ENTRY", {"timestamp": None, "entry_type": {"type": "loading"}, "content": ""}
)
_USAGE = b'{"entry_type":{"type":"token_usage"'


class Entries:
    """The conversation as a list, which must never have a hole.

    Entries come in the order of their latest change, so one can come long before another that
    stands above it. What is not known yet is held open by an entry that says so.
    """

    def __init__(self) -> None:
        self._sent = 0

    def encode(self, items: Sequence[EntryFrame]) -> Iterator[bytes]:
        return _frames(self._operations(sorted(items, key=lambda item: item.index)))

    def end(self) -> Iterable[bytes]:
        return (FINISHED,)

    def _operations(self, items: Sequence[EntryFrame]) -> Iterator[Operation]:
        for item in items:
            for index in range(self._sent, item.index):
                yield Add(f"/entries/{index}", _LOADING)
            path = f"/entries/{item.index}"
            value = Content("NORMALIZED_ENTRY", Raw(_known(item.entry)))
            yield Replace(path, value) if item.index < self._sent else Add(path, value)
            self._sent = max(self._sent, item.index + 1)


def _known(entry: bytes) -> bytes:
    """`entry`, or if it is of a type that vibe-kanban does not have, the same as a remark."""
    if not entry.startswith(_USAGE):
        return entry
    return encode({**msgspec.json.decode(entry), "entry_type": {"type": "system_message"}})


class Diffs:
    """The files that differ, by their paths."""

    def __init__(self) -> None:
        self._has_sent = False

    def encode(self, items: Sequence[DiffFrame]) -> Iterator[bytes]:
        held: dict[str, bytes] = {}
        size = 0
        for item in items:
            if isinstance(item, DiffFound):
                path = f"/entries/{pointer(item.path)}"
                operation = text(Add(path, Content("DIFF", item.data)))
            elif isinstance(item, DiffRemoved):
                path = f"/entries/{pointer(item.path)}"
                operation = text(Remove(path))
            else:
                # Nothing differs: that too must be told, or the client waits for it.
                if isinstance(item, DiffResync) or not self._has_sent:
                    yield from self._frame(held)
                    yield frame([Replace("/entries", {})])
                    size, self._has_sent = 0, True
                continue
            if path in held or (held and size + len(operation) > MESSAGE_BYTES):
                yield from self._frame(held)
                size = 0
            held[path] = operation
            size += len(operation)
            self._has_sent = True
        yield from self._frame(held)

    def end(self) -> Iterable[bytes]:
        return (FINISHED,)

    def _frame(self, held: dict[str, bytes]) -> Iterator[bytes]:
        if held:
            yield frame_of_texts(held.values())
            held.clear()


_ROOTS = {"task": "tasks", "process": "execution_processes"}


def _event(change: Change) -> bytes:
    """One change of a task or a process, which were all that vibe-kanban told by such events."""
    root = _ROOTS.get(change.kind.partition("_")[0])
    if root is None:
        return b""
    path = f"/{root}/{change.key}"
    gone = change.kind == "task_deleted"
    operation: Operation = Remove(path) if gone else Add(path, Raw(change.data))
    return event(b"json_patch", encode([operation]), change.position)


PATCHES = WireFormat(
    tasks=lambda: Records("tasks", lambda change: change.kind == "task_deleted"),
    processes=lambda all: Records("execution_processes", lambda change: change.dropped and not all),
    drafts=DraftStream(everything, KINDS, Drafts),
    raw=lambda _: Output(),
    entries=lambda _: Entries(),
    diff=Diffs,
    event=_event,
    ends_with_merge=True,
)
