"""Following a page of the documentation: the files and lines that its blocks name are written."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import NamedTuple

from tests.end_to_end.daemon import ROOT

_BLOCK = re.compile(
    r"^```\w+ (?P<verb>file|body)=(?P<name>\S+)(?: after='(?P<after>[^\n]*)')?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """A block of a page: a file, or lines of one after a certain line, or a request."""

    verb: str
    name: str
    after: str | None
    text: str


def blocks(page: Path) -> list[Block]:
    """All blocks of `page` that say what they are."""
    found = _BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [Block(*match.group("verb", "name", "after", "text")) for match in found]


def follow(page: Path, copy: Path, *folders: str) -> Path:
    """Make a copy of the sources, and of `folders`, in which `page` was followed."""
    leave = shutil.ignore_patterns("__pycache__", ".*")
    for folder in ("anyond", *folders):
        shutil.copytree(ROOT / folder, copy / folder, ignore=leave)
    shutil.copy(ROOT / "pyproject.toml", copy)
    for block in blocks(page):
        if block.verb == "file":
            _write(copy / block.name, block)
    return copy


def _write(path: Path, block: Block) -> None:
    if block.after is None:
        assert not path.exists(), f"{block.name} is there already"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)
        return
    lines = path.read_text().splitlines(keepends=True)
    place = lines.index(f"{block.after}\n")
    path.write_text("".join([*lines[: place + 1], block.text, *lines[place + 1 :]]))
