"""The wire formats of the streams: one table, one entry for each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, Protocol, TypeVar

import msgspec
from msgspec import Struct

from anyond.api.declaration import endpoint as api
from anyond.api.drafts import STREAM_DRAFTS
from anyond.api.events import FOLLOW_EVENTS, RESYNC, STREAM_EVENTS
from anyond.api.processes import STREAM_EXECUTION_PROCESSES
from anyond.api.tasks import STREAM_TASKS
from anyond.http.answer.envelope import encode
from anyond.model.http import frames
from anyond.model.http.frames import DiffFrame, EntryFrame, LogChunk, LogOperation
from anyond.model.records import Stream
from anyond.model.rows import Change
from anyond.store.board import drafts

if TYPE_CHECKING:
    from anyond.procs.spools.spool_readers import Frame
    from anyond.store.engine.transaction import Reader

T_contra = TypeVar("T_contra", contravariant=True)
T = TypeVar("T")

MESSAGE_BYTES = 64 * 1024
"""How much goes into one message that could as well be two."""


class Snapshot(Struct, frozen=True):
    """All records as they were at position `seq`, as an encoded JSON list."""

    seq: int
    rows: bytes


Record = Snapshot | Change


class Encoder(Protocol[T_contra]):
    """Writes one stream for one connection; it may remember what it has written."""

    def encode(self, items: Sequence[T_contra]) -> Iterable[bytes]:
        """The messages that say `items`, in UTF-8."""

    def end(self) -> Iterable[bytes]:
        """The messages after the last item of a stream that has an end."""


class DraftStream(NamedTuple):
    """The parts of the stream of a project's drafts.

    Args:
        snapshot: reads how all of them are now.
        kinds: the changes that belong into it.
    """

    snapshot: Callable[[Reader, str], Sequence[Struct]]
    kinds: frozenset[str]
    encoder: Callable[[], Encoder[Record]]


class WireFormat(NamedTuple):
    """One way to write all streams.

    `processes` is told whether replaced runs are shown, `raw` and `entries` whether the client
    takes many items in one message. `event` writes one change as a Server-Sent Event, or nothing
    if it is none. `ends_with_merge`: the differences have an end here, when there is nothing but
    what was merged.
    """

    tasks: Callable[[], Encoder[Record]]
    processes: Callable[[bool], Encoder[Record]]
    drafts: DraftStream
    raw: Callable[[bool], Encoder[Frame]]
    entries: Callable[[bool], Encoder[EntryFrame]]
    diff: Callable[[], Encoder[DiffFrame]]
    event: Callable[[Change], bytes]
    ends_with_merge: bool = False


FINISHED = frames.FINISHED


class Records:
    """A snapshot, then what happened to each record.

    Args:
        stream: whose frames are written.
    """

    def __init__(self, stream: api.Stream[Any]) -> None:
        [self._snapshot] = (f for f in stream.frames if issubclass(f, frames.SnapshotFrame))
        self._changes = frames.by_change(stream.frames)

    def encode(self, items: Sequence[Record]) -> Iterator[bytes]:
        for item in items:
            if isinstance(item, Snapshot):
                # In one piece at once: a list of all tasks is large.
                yield encode(self._snapshot(data=msgspec.Raw(item.rows), seq=item.seq))
            else:
                frame = self._changes[item.kind]
                yield encode(frame(data=msgspec.Raw(item.data), seq=item.position))

    def end(self) -> Iterable[bytes]:
        return ()


class EventFrames:
    """The beginning of the stream, and all changes that are events."""

    def __init__(self) -> None:
        self._changes = frames.by_change(STREAM_EVENTS.frames)

    def encode(self, items: Sequence[Record]) -> Iterator[bytes]:
        for item in items:
            if isinstance(item, Snapshot):
                yield encode(frames.EventsBegin(seq=item.seq))
            else:
                frame = self._changes[item.kind]
                yield encode(frame(data=msgspec.Raw(item.data), seq=item.position))

    def end(self) -> Iterable[bytes]:
        return ()


class Many(ABC, Generic[T]):
    """Items that each have a text of their own: one a message, or lists of them."""

    def __init__(self, batch: bool) -> None:
        self._batch = batch

    @abstractmethod
    def text(self, item: T) -> bytes:
        """The text of one."""

    def encode(self, items: Sequence[T]) -> Iterable[bytes]:
        texts = (self.text(item) for item in items)
        return _lists(texts) if self._batch else texts

    def end(self) -> Iterable[bytes]:
        return (FINISHED,)


_NAMES: dict[Stream, Literal["stdout", "stderr"]] = {
    Stream.STDOUT: "stdout",
    Stream.STDERR: "stderr",
}


class Raw(Many["Frame"]):
    """Output as operations on a list of chunks.

    Each chunk is decoded by itself, so that a client that resumes gets what all others got: the
    spool never cuts a character in two, and what is still incomplete in it is none.
    """

    def text(self, item: Frame) -> bytes:
        content = item.data.decode("utf-8", "replace")
        value = LogChunk(type=_NAMES[item.stream], content=content)
        return encode(LogOperation(op="add", path=f"/{item.n}", value=value, seq=item.n))


class Entries(Many[EntryFrame]):
    """The conversation: each entry with its index and its position."""

    def text(self, item: EntryFrame) -> bytes:
        return item.text()


class Diffs:
    """Differing files, files that differ no longer, and where the initial set begins and ends."""

    def encode(self, items: Sequence[DiffFrame]) -> Iterator[bytes]:
        return map(encode, items)

    def end(self) -> Iterable[bytes]:
        return (FINISHED,)


EVENTS = frozenset(FOLLOW_EVENTS.events) - {RESYNC}
"""The changes that are events."""


def _event(change: Change) -> bytes:
    if change.kind not in EVENTS:
        return b""
    return event(change.kind.encode(), change.data, change.position)


def event(name: bytes, data: bytes, position: int) -> bytes:
    """One Server-Sent Event; `data` is without line ends, as JSON of ours always is."""
    return b"event: %s\ndata: %s\nid: %d\n\n" % (name, data, position)


PLAIN = WireFormat(
    tasks=lambda: Records(STREAM_TASKS),
    processes=lambda _: Records(STREAM_EXECUTION_PROCESSES),
    drafts=DraftStream(
        drafts.of_project,
        frozenset(frames.by_change(STREAM_DRAFTS.frames)),
        lambda: Records(STREAM_DRAFTS),
    ),
    raw=Raw,
    entries=Entries,
    diff=Diffs,
    event=_event,
)
"""The one of clients that ask for none."""


def _lists(texts: Iterable[bytes]) -> Iterator[bytes]:
    """`texts` in as few JSON lists as may be, none much larger than a message should be."""
    held: list[bytes] = []
    size = 0
    for text in texts:
        if held and size + len(text) > MESSAGE_BYTES:
            yield b"[%s]" % b",".join(held)
            held, size = [], 0
        held.append(text)
        size += len(text)
    if held:
        yield b"[%s]" % b",".join(held)
