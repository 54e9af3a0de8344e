"""What nothing uses is found, and so is a row that allows nothing."""

from __future__ import annotations

from pathlib import Path

from tools import dead_code


def test_what_is_used_nowhere_is_found_and_so_is_a_row_that_allows_nothing(tmp_path: Path) -> None:
    (tmp_path / "anyond" / "model").mkdir(parents=True)
    (tmp_path / "anyond" / "model" / "a.py").write_text("class Used:\n    field: int = 1\n")
    (tmp_path / "anyond" / "b.py").write_text(
        "from anyond.model.a import Used\n\nUsed()\n\n\ndef left_over() -> None: ...\n\n\n"
        "def get_loop() -> None: ...\n"
    )
    found = list(dead_code.findings(tmp_path))
    assert found[0] == "anyond/b.py:6: function left_over is used nowhere"
    rows = dead_code.ALLOWED.keys() - {"get_loop"}
    assert found[1:] == [
        f"tools/dead_code.py: the row of {name} allows nothing any more" for name in sorted(rows)
    ]
