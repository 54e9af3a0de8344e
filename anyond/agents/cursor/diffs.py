"""Unified diffs of what the Cursor agent calls a diff."""

from __future__ import annotations

from anyond.model.entries import FileChange, FileChangeEdit

_FRAME = ("*** Begin ", "*** End ", "*** Update ", "*** Add ", "*** Delete ")


def parse_diff(path: str, text: str) -> FileChange | None:
    """The change that `text` tells; its hunks may be without numbers, or without a beginning."""
    lines = [line for line in text.split("\n") if not line.startswith(_FRAME)]
    if not any(lines):
        return None
    start = next((n for n, line in enumerate(lines) if line.startswith("@@")), 0)
    lines = "\n".join(lines[start:]).rstrip("\n").split("\n")
    head = f"--- a/{path}\n+++ b/{path}\n"
    if lines[0].startswith("@@ -"):
        text = "\n".join(lines)
        return FileChangeEdit(unified_diff=f"{head}{text}\n", has_line_numbers=True)
    hunks: list[list[str]] = [] if lines[0].startswith("@@") else [[]]
    for line in lines:
        if line.startswith("@@"):
            hunks.append([])
        else:
            hunks[-1].append(line if line[:1] in ("+", "-", " ") else f" {line}")
    return FileChangeEdit(unified_diff=head + "".join(map(_hunk, hunks)))


def _hunk(lines: list[str]) -> str:
    old = sum(not line.startswith("+") for line in lines)
    new = sum(not line.startswith("-") for line in lines)
    text = "".join(f"{line}\n" for line in lines)
    return f"@@ -{min(1, old)},{old} +{min(1, new)},{new} @@\n{text}"
