"""Unified diffs of the edits that Claude Code reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct

from anyond.agents.claude.wire import Count

CONTEXT = 3
"""Lines around a change that are shown, if they are known."""


class Hunk(Struct, rename="camel"):
    """One hunk as the agent reports it: line numbers are those of the file."""

    old_start: Count
    old_lines: Count
    new_start: Count
    new_lines: Count
    lines: list[str]


def hunks(value: object) -> list[Hunk]:
    """The hunks of a `structuredPatch`; none if it is not one."""
    try:
        return msgspec.convert(value, list[Hunk])
    except msgspec.ValidationError:
        return []  # told by the agent, so it may be anything; the caller has another way


def from_hunks(path: str, parts: Iterable[Hunk]) -> str:
    """A unified diff with the true line numbers."""
    lines = [f"--- a/{path}\n", f"+++ b/{path}\n"]
    for part in parts:
        lines.append(_header(part.old_start, part.old_lines, part.new_start, part.new_lines))
        lines.extend(line + "\n" for line in part.lines)
    return "".join(lines)


def from_texts(path: str, edits: Iterable[tuple[str, str]]) -> str:
    """A unified diff of replacements whose place in the file is unknown: all start at line 1."""
    lines = [f"--- a/{path}\n", f"+++ b/{path}\n"]
    for old, new in edits:
        lines.extend(_replacement(_lines(old), _lines(new)))
    return "".join(lines)


def _lines(text: str) -> list[str]:
    lines = text.split("\n")  # splitlines() would also cut at form feeds and other characters
    if not lines[-1]:
        lines.pop()
    return lines


def _replacement(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """One hunk; equal lines at both ends are context. Linear, however long the texts are."""
    most = min(len(old), len(new))
    head = 0
    while head < most and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < most - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    before = old[max(0, head - CONTEXT) : head]
    gone = old[head : len(old) - tail]
    come = new[head : len(new) - tail]
    after = old[len(old) - tail : len(old) - tail + CONTEXT]
    same = len(before) + len(after)
    return [
        _header(1, same + len(gone), 1, same + len(come)),
        *(f" {line}\n" for line in before),
        *(f"-{line}\n" for line in gone),
        *(f"+{line}\n" for line in come),
        *(f" {line}\n" for line in after),
    ]


def _header(old_start: int, old_lines: int, new_start: int, new_lines: int) -> str:
    old = 0 if not old_lines and old_start == 1 else old_start
    new = 0 if not new_lines and new_start == 1 else new_start
    return f"@@ -{old},{old_lines} +{new},{new_lines} @@\n"
