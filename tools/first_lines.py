"""The check that docstrings begin with a noun or a verb phrase.

`python -m tools.first_lines` looks through the Python files of `FOLDERS` below a directory (the
present one, if none is named) and prints each docstring that begins with a question word or a
conjunction: "How a branch is merged" hides the name of the thing, "Merging a branch" is it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

FOLDERS = ("anyond", "benchmarks", "campaigns", "tools")
NOT_FIRST = frozenset(
    {"As", "How", "That", "What", "When", "Where", "Whether", "Which"}
    | {"Who", "Whom", "Whose", "Why"}
)

_Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class Finding(NamedTuple):
    """A docstring that begins with one of `NOT_FIRST`."""

    path: str
    line: int
    first_line: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: begin with a noun or a verb phrase: {self.first_line!r}"


def findings(root: Path, folders: Sequence[str] = FOLDERS) -> list[Finding]:
    """All findings in `folders` of `root`, by path and line.

    Raises:
        OSError: a file cannot be read.
        SyntaxError: a file is not Python.
        UnicodeDecodeError: a file is not UTF-8.
    """
    paths = (path for folder in folders for path in root.joinpath(folder).rglob("*.py"))
    return sorted(found for path in paths for found in _in_file(path, root))


def main(arguments: Sequence[str]) -> int:
    """Print all findings; the exit code is 1 if there are any."""
    found = findings(Path(arguments[0]) if arguments else Path())
    for finding in found:
        print(finding)
    return 1 if found else 0


def _in_file(path: Path, root: Path) -> Iterator[Finding]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, _Documented) and (text := ast.get_docstring(node)):
            first_line = text.splitlines()[0]
            if first_line.split(maxsplit=1)[0].strip(",.:;") in NOT_FIRST:
                line = node.body[0].lineno
                yield Finding(path.relative_to(root).as_posix(), line, first_line)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
