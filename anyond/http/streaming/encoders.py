"""The wire formats of the streams: one table, one entry for each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

from msgspec import Struct

from anyond.http.envelope import encode
from anyond.model.http.frames import DiffFrame, EntryFrame
from anyond.model.records import Stream
from anyond.model.rows import Change
from anyond.store.board import drafts

if TYPE_CHECKING:
    from anyond.procs.spools.spool import Frame
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

    def encode(self, items: Sequence[T_contra]) -> Iterable[str]:
        """The messages that say `items`."""

    def end(self) -> Iterable[str]:
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


FINISHED = '{"finished":true}'


class Records:
    """A snapshot, then what happened to each record.

    Args:
        names: how the kinds of changes are called here, where they have another name.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def encode(self, items: Sequence[Record]) -> Iterator[str]:
        for item in items:
            if isinstance(item, Snapshot):
                # In one piece at once: a list of all tasks is large.
                parts = b'{"type":"snapshot","data":', item.rows, b',"seq":%d}' % item.seq
                yield b"".join(parts).decode()
            else:
                kind = self._names.get(item.kind, item.kind)
                yield _message(kind, item.data, item.position)

    def end(self) -> Iterable[str]:
        return ()


class Many(ABC, Generic[T]):
    """Items that each have a text of their own: one a message, or lists of them."""

    def __init__(self, batch: bool) -> None:
        self._batch = batch

    @abstractmethod
    def text(self, item: T) -> str:
        """The text of one."""

    def encode(self, items: Sequence[T]) -> Iterable[str]:
        texts = (self.text(item) for item in items)
        return _lists(texts) if self._batch else texts

    def end(self) -> Iterable[str]:
        return (FINISHED,)


class Raw(Many["Frame"]):
    """Output as operations on a list of chunks.

    Each chunk is decoded by itself, so that a client that resumes gets what all others got: the
    spool never cuts a character in two, and what is still incomplete in it is none.
    """

    def text(self, item: Frame) -> str:
        name = "stdout" if item.stream is Stream.STDOUT else "stderr"
        content = encode(item.data.decode("utf-8", "replace")).decode()
        value = f'{{"type":"{name}","content":{content}}}'
        return f'{{"op":"add","path":"/{item.n}","value":{value},"seq":{item.n}}}'


class Entries(Many[EntryFrame]):
    """The conversation: each entry with its index and its position."""

    def text(self, item: EntryFrame) -> str:
        return f'{item.entry[:-1].decode()},"index":{item.index},"seq":{item.seq}}}'


class Diffs:
    """Differing files, files that differ no longer, and where the initial set begins and ends."""

    def encode(self, items: Sequence[DiffFrame]) -> Iterator[str]:
        for item in items:
            if item.ready:
                yield f'{{"type":"ready","seq":{item.seq}}}'
            elif item.resync:
                yield f'{{"type":"resync","seq":{item.seq}}}'
            elif item.diff is None:
                yield _message("diff_removed", encode({"path": item.path}), item.seq)
            else:
                yield _message("diff", encode(item.diff), item.seq)

    def end(self) -> Iterable[str]:
        return (FINISHED,)


EVENTS = frozenset(
    {
        "task_created",
        "task_updated",
        "task_deleted",
        "attempt_created",
        "attempt_updated",
        "process_started",
        "process_completed",
        "pr_status_changed",
        "approval_requested",
        "approval_resolved",
    }
)


def _event(change: Change) -> bytes:
    if change.kind not in EVENTS:
        return b""
    return event(change.kind.encode(), change.data, change.position)


def event(name: bytes, data: bytes, position: int) -> bytes:
    """One Server-Sent Event; `data` is without line ends, as JSON of ours always is."""
    return b"event: %s\ndata: %s\nid: %d\n\n" % (name, data, position)


PLAIN = WireFormat(
    tasks=lambda: Records({}),
    processes=lambda _: Records({"process_started": "process_created"}),
    drafts=DraftStream(drafts.of_project, frozenset({"draft_updated"}), lambda: Records({})),
    raw=Raw,
    entries=Entries,
    diff=Diffs,
    event=_event,
)
"""The one of clients that ask for none."""


def _message(kind: str, data: bytes, seq: int) -> str:
    return f'{{"type":"{kind}","data":{data.decode()},"seq":{seq}}}'


def _lists(texts: Iterable[str]) -> Iterator[str]:
    """`texts` in as few JSON lists as may be, none much larger than a message should be."""
    held: list[str] = []
    size = 0
    for text in texts:
        if held and size + len(text) > MESSAGE_BYTES:
            yield f"[{','.join(held)}]"
            held, size = [], 0
        held.append(text)
        size += len(text)
    if held:
        yield f"[{','.join(held)}]"
