"""Unified diffs of two texts, in bounded time however long they are."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

_CONTEXT = 3
_MOST = 2000
"""With more changed lines than this a matcher takes seconds; then all is replaced by all."""


def unified_diff(path: str, old: str, new: str) -> str:
    """The change of one file as `diff -u` writes it; "" if there is none."""
    if old and new and not old.endswith("\n") and not new.endswith("\n"):
        # Most likely pieces from the middle of a file.
        old, new = old + "\n", new + "\n"
    hunks = "".join(_hunks(_lines(old), _lines(new)))
    return f"--- a/{path}\n+++ b/{path}\n{hunks}" if hunks else ""


def _lines(text: str) -> list[str]:
    lines = [line + "\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _hunks(old: list[str], new: list[str]) -> Iterator[str]:
    start = 0
    shorter = min(len(old), len(new))
    while start < shorter and old[start] == new[start]:
        start += 1
    end = 0
    while end < shorter - start and old[-1 - end] == new[-1 - end]:
        end += 1
    start = max(0, start - _CONTEXT)
    end = max(0, end - _CONTEXT)
    before, after = old[start : len(old) - end], new[start : len(new) - end]
    if max(len(before), len(after)) > _MOST:
        yield from _hunk([("replace", 0, len(before), 0, len(after))], before, after, start)
        return
    matcher = SequenceMatcher(None, before, after)
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        yield from _hunk(group, before, after, start)


def _hunk(
    group: list[tuple[str, int, int, int, int]], old: list[str], new: list[str], start: int
) -> Iterator[str]:
    old_range = _range(start + group[0][1], start + group[-1][2])
    new_range = _range(start + group[0][3], start + group[-1][4])
    yield f"@@ -{old_range} +{new_range} @@\n"
    for tag, old_from, old_to, new_from, new_to in group:
        if tag == "equal":
            yield from _marked(" ", old[old_from:old_to])
        else:
            yield from _marked("-", old[old_from:old_to])
            yield from _marked("+", new[new_from:new_to])


def _range(first: int, end: int) -> str:
    count = end - first
    return f"{first + 1 if count else first},{count}"


def _marked(mark: str, lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield mark + line
        if not line.endswith("\n"):
            yield "\n\\ No newline at end of file\n"
