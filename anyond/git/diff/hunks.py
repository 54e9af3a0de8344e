"""The hunks of one file, made by git and read from its patch."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from anyond.git.program.command import NOT_INSIDE, failure, git
from anyond.git.program.parsing import parsed
from anyond.git.program.text import split
from anyond.git.repo.repository import empty_tree
from anyond.model.http.changes import Hunk, HunkLine

LINES_MOST = 20_000
"""So many lines of a file are told."""
_HEAD = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)", re.DOTALL)


class Patch(NamedTuple):
    """The patch of one file.

    Args:
        header: what comes before the hunks.
        cut: there are more lines than `hunks` has.
    """

    header: list[str]
    hunks: list[Hunk]
    binary: bool
    cut: bool


async def of_file(
    place: Path,
    path: str,
    old_path: str | None,
    base: str | None,
    head: str | None,
    *,
    context: int,
    ignore_whitespace: bool = False,
) -> Patch:
    """The difference of one file.

    Args:
        place: the top of a checkout, or anywhere in the repository if `head` is given.
        path, old_path: relative to the top; taken literally.
        base: a commit; None is nothing at all.
        head: a commit; None is the working tree, where a file that git ignores is none.
        context: lines around what differs.
    """
    ask = (
        "diff",
        "--patch",
        f"--unified={context}",
        "--find-renames",
        "--no-ext-diff",
        "--no-textconv",
        "--no-color",
        "--no-relative",
        "--src-prefix=a/",
        "--dst-prefix=b/",
        NOT_INSIDE,
        *(("--ignore-all-space",) if ignore_whitespace else ()),
    )
    sides = [base or await empty_tree(place), *([head] if head else [])]
    paths = [path] if old_path in (None, path) else [path, old_path or path]
    literally = {"GIT_LITERAL_PATHSPECS": "1"}
    found = await git(*ask, *sides, "--", *paths, cwd=place, env=literally)
    out = found.out
    if not out and head is None and await _is_untracked(place, path):
        new = await git(*ask, "--no-index", "--", os.devnull, path, cwd=place, check=False)
        if new.code not in (0, 1):
            raise failure(ask, new)
        out = new.out
    return await parsed(out, parse)


def parse(out: bytes) -> Patch:
    """Read the patch of one file; only line feeds end lines."""
    header: list[str] = []
    hunks: list[Hunk] = []
    lines: list[HunkLine] = []
    old = new = count = 0
    # Only so many lines can belong to a hunk: what looks like a head in it is a line.
    left_old = left_new = 0
    for line in out.decode("utf-8", "replace").split("\n"):
        if left_old or left_new:
            if count >= LINES_MOST:
                return Patch(header, hunks, binary=False, cut=True)
            count += 1
            kind, text = line[:1], line[1:]
            if kind == "\\":
                _end_without_newline(lines)
                continue
            took_old, took_new = kind in " -", kind in " +"
            lines.append(
                HunkLine(
                    kind=kind or " ",
                    text=text,
                    old=old if took_old else None,
                    new=new if took_new else None,
                )
            )
            old, new = old + took_old, new + took_new
            left_old, left_new = left_old - took_old, left_new - took_new
        elif head := _HEAD.fullmatch(line):
            old, left_old = int(head[1]), int(head[2] or 1)
            new, left_new = int(head[3]), int(head[4] or 1)
            lines = []
            hunks.append(
                Hunk(
                    old_start=old,
                    old_lines=left_old,
                    new_start=new,
                    new_lines=left_new,
                    section=head[5],
                    lines=lines,
                )
            )
        elif line.startswith("\\"):
            _end_without_newline(lines)
        elif hunks:
            break  # of a second file: a rename that git did not take for one
        elif line:
            header.append(line)
    binary = any(line.startswith(("Binary files ", "GIT binary patch")) for line in header)
    return Patch(header, hunks, binary=binary, cut=False)


def _end_without_newline(lines: list[HunkLine]) -> None:
    if lines:
        last = lines[-1]
        lines[-1] = HunkLine(
            kind=last.kind, text=last.text, old=last.old, new=last.new, no_newline=True
        )


async def _is_untracked(place: Path, path: str) -> bool:
    """Return whether git would add it; what it ignores is nobody's business here."""
    ask = ("ls-files", "--others", "--exclude-standard", "-z", "--", path)
    literally = {"GIT_LITERAL_PATHSPECS": "1"}
    return path in await parsed((await git(*ask, cwd=place, env=literally)).out, split)
