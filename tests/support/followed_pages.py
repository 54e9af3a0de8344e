"""Following a page of the documentation: the files and lines that its blocks name are written."""

from __future__ import annotations

import filecmp
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.support.paths import ROOT

_BLOCK = re.compile(
    r"^```\w+ (?P<verb>file|body)=(?P<name>\S+)(?: after='(?P<after>[^\n]*)')?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


_LISTED = re.compile(r"^- `(?P<path>[\w./-]+)`", re.MULTILINE)
_LEAVE = ("__pycache__", ".*")
_WRITERS = (
    ("anyond.http.openapi.typescript", "clients/typescript/types.ts"),
    ("anyond.http.openapi.refusals", "docs/api.md"),
    ("anyond.settings.reference", "docs/settings.md"),
)
"""What writes files anew from declarations, and which."""


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
    leave = shutil.ignore_patterns(*_LEAVE)
    for folder in ("anyond", *folders):
        shutil.copytree(ROOT / folder, copy / folder, ignore=leave)
    for name in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, copy)
    for block in blocks(page):
        if block.verb == "file":
            _write(copy / block.name, block)
    return copy


def listed(page: Path) -> set[str]:
    """The files that `page` says it touches: each begins a line of a list before the first step."""
    before, _, _ = page.read_text(encoding="utf-8").partition("\n## ")
    return set(_LISTED.findall(before))


def touched(copy: Path, *folders: str) -> set[str]:
    """The files that differ from ours in a copy of the sources, when all is written anew that is
    made from declarations.

    Args:
        folders: those that were copied, with `docs` and `clients` in them.
    """
    for module, path in _WRITERS:
        run(copy, "-m", module, path)
    found = {"CHANGELOG.md"} if _differs(copy, "CHANGELOG.md") else set()
    for folder in ("anyond", *folders):
        for where, inner, names in os.walk(copy / folder):
            inner[:] = [name for name in inner if name != "__pycache__" and name[0] != "."]
            paths = [(Path(where) / name).relative_to(copy).as_posix() for name in names]
            found |= {path for path in paths if _differs(copy, path)}
    return found


def be_tidy(copy: Path, page: Path) -> None:
    """Fails if a module that `page` touches is not written as ours are."""
    modules = sorted(path for path in listed(page) if path.endswith(".py"))
    run(copy, "-m", "ruff", "check", "--no-cache", "-q", *modules)
    run(copy, "-m", "ruff", "format", "--no-cache", "-q", "--check", *modules)


def run(copy: Path, *arguments: str) -> str:
    """What Python prints in a copy of the sources; it fails if Python does."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(copy), "HOME": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _differs(copy: Path, path: str) -> bool:
    ours = ROOT / path
    return not ours.exists() or not filecmp.cmp(ours, copy / path, shallow=False)


def _write(path: Path, block: Block) -> None:
    if block.after is None:
        assert not path.exists(), f"{block.name} is there already"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)
        return
    lines = path.read_text().splitlines(keepends=True)
    place = lines.index(f"{block.after}\n")
    path.write_text("".join([*lines[: place + 1], block.text, *lines[place + 1 :]]))
