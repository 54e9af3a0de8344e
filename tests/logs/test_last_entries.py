"""The last entries of a conversation, live and archived, without a look at the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyond.logs import archive
from anyond.logs.entry_list import EntryList
from anyond.model.entries import AssistantMessage, NormalizedEntry
from anyond.model.http.frames import EntryFrame


def entry(text: str) -> NormalizedEntry:
    return NormalizedEntry(entry_type=AssistantMessage(), content=text)


def test_the_position_before_the_last_of_a_live_one() -> None:
    entries = EntryList()
    assert entries.before_last(3) == 0
    for number in range(10):
        entries.put(str(number), entry(str(number)))
    assert [frame.index for frame in entries.frames(entries.before_last(3))] == [7, 8, 9]
    entries.put("2", entry("changed since"))
    entries.put("8", entry("changed"))
    frames = entries.frames(entries.before_last(3))
    assert {frame.index for frame in frames} >= {7, 8, 9}
    assert entries.frames(entries.before_last(100)) == entries.frames()


@pytest.mark.parametrize("size", [1, 1 << 16])
def test_the_last_of_an_archive(tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_BLOCK", 100)
    path = tmp_path / "entries.jsonl"
    frames = [EntryFrame(n + 1, n, b'"' + b"x" * size + b'"') for n in range(7)]
    path.write_bytes(archive.encode(frames, "x"))
    for most in (1, 3, 6, 7, 8, 100):
        assert archive.last_frames(path, most) == frames[-most:]
    path.write_bytes(b"")
    assert archive.last_frames(path, 3) == []
