"""The language of the project: words that are not used, and the glossary of those that are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tools.words import WORDS, Allowed, Word, findings, main

GLOSSARY = ROOT / "docs/glossary.md"
WORD = Word("flavour", "format", "It is one.")
PHRASE = Word("the ancestor", "its name", "It has one.")
PART = Word("told", "sent", "It was sent.", in_names=True)
NAME = Word("Do", "Run", "A command says what is run.", is_name=True)


def look(root: Path, name: str, text: str, *allowed: Allowed) -> list[tuple[str, int]]:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return [(it.path, it.line) for it in findings(root, (WORD, PHRASE, NAME, PART), allowed)]


def test_the_whole_project_is_written_without_those_words() -> None:
    assert [str(it) for it in findings(ROOT)] == []


@pytest.mark.parametrize(
    "text", ["A flavour.", "Flavour:", "x = wire_flavour_of(y)", "WireFlavour()", "FLAVOUR_S = 1"]
)
def test_a_word_is_found_in_prose_and_in_names(tmp_path: Path, text: str) -> None:
    assert look(tmp_path, "a/b.py", f"\n\n{text}\n") == [("a/b.py", 3)]


@pytest.mark.parametrize("text", ["flavoured", "flavouring", "FLAVOURS", "unflavour"])
def test_only_whole_words_count(tmp_path: Path, text: str) -> None:
    assert look(tmp_path, "a.md", text) == []


@pytest.mark.parametrize("gap", [" ", "\n", "\n# ", "\n    > "])
def test_a_phrase_is_found_over_the_end_of_a_line(tmp_path: Path, gap: str) -> None:
    assert look(tmp_path, "a.py", f"# as the{gap}ancestor does\n") == [("a.py", 1)]


def test_a_name_is_not_found_in_prose(tmp_path: Path) -> None:
    text = '"""Do it. Do."""\n# Do, then\nclass Do:\n    "Do(1)"\n\nDo()\nUndo = Dot = 1\n'
    assert look(tmp_path, "a.py", text) == [("a.py", 3), ("a.py", 6)]
    assert look(tmp_path, "a.py", "") == look(tmp_path, "b.md", "`Do()` Do\n") == []


def test_a_part_of_a_name_is_not_found_in_prose_nor_in_tests(tmp_path: Path) -> None:
    text = '"""Told. told_at"""\n# told_at\n_told_at = ToldAtOnce(TOLD_S)\n'
    text += 'x = f"told"\nuntold = bold = 1\n'
    assert look(tmp_path, "anyond/a.py", text) == [("anyond/a.py", 3)] * 3
    assert look(tmp_path, "anyond/a.py", "") == look(tmp_path, "tests/a.py", text) == []
    assert look(tmp_path, "docs/a.md", "`told_at`\n") == []


def test_other_files_and_what_tools_make_are_left_alone(tmp_path: Path) -> None:
    for name in (".venv/a.py", "node_modules/a.md", "dist/a.md", "a.json", "a.txt"):
        assert look(tmp_path, name, "flavour") == []
    assert look(tmp_path, "a.toml", "flavour = 1") == [("a.toml", 1)]


def test_a_word_is_allowed_where_somebody_depends_on_it(tmp_path: Path) -> None:
    row = Allowed("a/*.py", "flavour", "Clients see it.")
    assert look(tmp_path, "a/b.py", "flavour\n# the ancestor\n", row) == [("a/b.py", 2)]
    assert look(tmp_path, "a/b.py", "flavour", Allowed("a/*", "*", "All of it.")) == []


def test_what_is_allowed_and_not_used_is_found(tmp_path: Path) -> None:
    row = Allowed("a/*.py", "flavour", "Clients see it.")
    assert look(tmp_path, "a/b.py", "a taste", row) == [("a/*.py", 0)]


def test_the_command_names_the_place_and_the_word_to_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.md").write_text("All is well.\nIt was cooked.\n")
    assert main([str(tmp_path)]) == 1
    assert "a.md:2: 'cooked': write prepared. " in capsys.readouterr().out


def test_each_word_has_something_better_and_a_reason() -> None:
    words = [word.word for word in WORDS]
    assert len(words) == len(set(words))
    for word in WORDS:
        assert word.instead
        assert word.word not in word.instead.split()
        assert word.reason.endswith(".")


def test_the_glossary_is_in_order_and_names_files_that_are_there() -> None:
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| (.+) \| (.+) \|$", GLOSSARY.read_text(), re.MULTILINE)
    names = [name for name, _, _ in rows]
    assert len(names) >= 24
    assert names == sorted(names, key=str.lower)
    for name, meaning, where in rows:
        assert meaning.endswith("."), name
        paths = re.findall(r"`([\w./]+)`", where)
        assert paths, name
        for path in paths:
            assert (ROOT / "anyond" / path).exists(), (name, path)
