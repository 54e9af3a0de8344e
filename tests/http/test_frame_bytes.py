"""The bytes of every frame of every stream, in each wire format: clients out there read them.

They are in `test_frame_bytes.txt`, a frame a line below the name of its stream.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from anyond.http.answer.envelope import encode
from anyond.http.streaming.encoders import PLAIN, Snapshot, WireFormat
from anyond.http.vk.patches import PATCHES
from anyond.model.drafts import Draft, DraftType
from anyond.model.http.frames import (
    DiffFound,
    DiffFrame,
    DiffReady,
    DiffRemoved,
    DiffRemovedPath,
    DiffResync,
    EntryFrame,
)
from anyond.model.records import Stream
from anyond.model.rows import Change, Diff
from anyond.procs.spools.spool_readers import Frame

ROW = '{"id":"a","title":"ü \\"q\\""}'.encode()
RAW = [Frame(0, 1, Stream.STDOUT, b'one "\xff\x1b\n'), Frame(1, 2, Stream.STDERR, "ü\0".encode())]
ENTRY = '{"entry_type":{"type":"assistant_message"},"content":"ü"}'.encode()
USAGE = b'{"entry_type":{"type":"token_usage","input_tokens":7},"content":"7"}'
ENTRIES = [EntryFrame(3, 1, ENTRY), EntryFrame(7, 0, USAGE)]
EXPECTED = Path(__file__).with_suffix(".txt")


def diffs() -> list[DiffFrame]:
    odd = "a~b/\udcff"
    return [
        DiffResync(seq=1),
        DiffFound(data=Diff(change="added", old_path=None, new_path=odd, new_content="ü"), seq=2),
        DiffRemoved(data=DiffRemovedPath(path="gone"), seq=3),
        DiffReady(seq=4),
    ]


def draft(kind: DraftType, version: int) -> bytes:
    at = "2026-01-01T00:00:00Z"
    return encode(
        Draft(
            id="d",
            task_attempt_id="t",
            draft_type=kind,
            version=version,
            created_at=at,
            updated_at=at,
        )
    )


def change(kind: str, data: bytes = ROW, dropped: bool = False) -> Change:
    return Change(position=9, kind=kind, data=data, key="a", dropped=dropped)


def written(wire_format: WireFormat) -> Iterator[tuple[str, list[bytes]]]:
    """The frames of each stream by its name."""
    rows = Snapshot(8, b"[" + ROW + b"," + ROW.replace(b'"a"', b'"b"') + b"]")
    kinds: tuple[str, ...] = ("task_created", "task_updated", "task_deleted")
    changes = [change(kind) for kind in kinds]
    yield "tasks", [*wire_format.tasks().encode([rows, *changes])]
    kinds = ("process_started", "process_updated", "process_completed")
    changes = [change(kind, dropped=kind == "process_updated") for kind in kinds]
    yield "processes", [*wire_format.processes(False).encode([rows, *changes])]
    follow_up = draft(DraftType.FOLLOW_UP, 1)
    if wire_format is PATCHES:
        follow_up = b'{"id":"t","task_id":"a","follow_up":%s,"retry":null}' % follow_up
    drafts = [change("draft_updated", draft(DraftType.RETRY, n)) for n in (2, 0)]
    if wire_format is PATCHES:
        drafts.append(change("task_deleted"))
    yield (
        "drafts",
        [*wire_format.drafts.encoder().encode([Snapshot(8, b"[%s]" % follow_up), *drafts])],
    )
    for batch in (False, True):
        raw, entries = wire_format.raw(batch), wire_format.entries(batch)
        yield f"raw, batch {batch}", [*raw.encode(RAW), *raw.end()]
        yield f"entries, batch {batch}", [*entries.encode(ENTRIES), *entries.end()]
    diff = wire_format.diff()
    yield "diff", [*diff.encode(diffs()), *diff.end()]
    kinds = ("task_updated", "task_deleted", "attempt_created", "process_updated", "draft_updated")
    events = [wire_format.event(change(kind)).rstrip(b"\n") for kind in kinds]
    yield "events", b"\n".join(filter(None, events)).split(b"\n")


def test_no_byte_of_any_frame_changes() -> None:
    found = [
        line
        for name, wire_format in (("plain", PLAIN), ("patch", PATCHES))
        for stream, frames in written(wire_format)
        for line in (f"# {name}: {stream}", *(frame.decode() for frame in frames))
    ]
    assert found == EXPECTED.read_text(encoding="utf-8").splitlines()
