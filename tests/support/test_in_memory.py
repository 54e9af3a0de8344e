"""Tests are in memory only where there is room for them, and nobody has said otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import in_memory


def root_of(memory: Path, **environ: str) -> str | None:
    in_memory.keep_in_memory(environ, memory)
    return environ.get("PYTEST_DEBUG_TEMPROOT")


def test_where_there_is_room_and_no_other_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_memory, "LEAST_BYTES", 1)
    assert root_of(tmp_path) == str(tmp_path)
    assert root_of(tmp_path, TMPDIR="/elsewhere") is None
    assert root_of(tmp_path, PYTEST_DEBUG_TEMPROOT="/chosen") == "/chosen"
    assert root_of(tmp_path / "missing") is None
    monkeypatch.setattr(in_memory, "LEAST_BYTES", 1 << 62)
    assert root_of(tmp_path) is None
