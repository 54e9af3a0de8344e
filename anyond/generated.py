"""A file that is made from declarations: written anew, or compared with what is declared."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable
from pathlib import Path


def run(arguments: list[str], make: Callable[[str], str], command: str) -> int:
    """Write the file that is named, or with `--check` say on standard error how it differs.

    Args:
        arguments: those of the command line: the path of the file, and `--check` or not.
        make: what the file should say, of what it says now ("" if it is not there).
        command: what a person runs to have it written.

    Returns:
        The exit code: 1 if it was checked and differs.
    """
    check = "--check" in arguments
    [path] = [Path(argument) for argument in arguments if argument != "--check"]
    there = path.read_text(encoding="utf-8") if path.exists() else ""
    made = make(there)
    if not check:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made, encoding="utf-8")
        return 0
    lines = there.splitlines(keepends=True), made.splitlines(keepends=True)
    difference = list(difflib.unified_diff(*lines, str(path), "declared", n=1))
    sys.stderr.writelines(difference[:40])
    if difference:
        sys.stderr.write(f"{path} is not what is declared; `{command}` writes it anew.\n")
    return 1 if difference else 0
