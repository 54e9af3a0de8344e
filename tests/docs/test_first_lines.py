"""Docstrings begin with a noun or a verb phrase."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tools.first_lines import findings, main


def look(root: Path, text: str) -> list[int]:
    path = root / "a/b.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return [found.line for found in findings(root, ["a"])]


def test_the_whole_project_keeps_to_it() -> None:
    assert [str(found) for found in findings(ROOT)] == []


@pytest.mark.parametrize("word", ["How", "What", "Whether", "Why", "As", "Where,"])
def test_modules_classes_and_functions_are_looked_at(tmp_path: Path, word: str) -> None:
    text = (
        f'"""{word} it is."""\n\nclass A:\n    """{word} it is."""\n\n    async def b(self):\n'
        f'        """{word} it is.\n\n        More.\n        """\n\ndef c():\n    "{word} it is."\n'
    )
    assert look(tmp_path, text) == [1, 4, 7, 13]


@pytest.mark.parametrize("text", ["Merging it.", "Assets, however.", "", "A: What?"])
def test_other_docstrings_and_other_strings_are_none(tmp_path: Path, text: str) -> None:
    assert look(tmp_path, f'"""{text}"""\n\nHow = "How it is."  # How\n') == []


def test_a_finding_fails_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "anyond"
    folder.mkdir()
    (folder / "a.py").write_text('"""How it is."""\n')
    assert main([str(tmp_path)]) == 1
    assert "anyond/a.py:1" in capsys.readouterr().out
    (folder / "a.py").write_text('"""The state of it."""\n')
    assert main([str(tmp_path)]) == 0
