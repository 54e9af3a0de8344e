"""Differences of files as text: unified, as numbers, and side by side."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from anyond.cli.rendering.colors import Painter, Style
from anyond.cli.rendering.harmless import harmless, in_one_line
from anyond.cli.rendering.tables import Cell, table
from anyond.model.http.changes import FileChanges
from anyond.model.http.summaries import AttemptSummary
from anyond.model.rows import Diff

_BAR = 30


def diff_lines(found: Sequence[Diff], painter: Painter) -> Iterator[str]:
    """A patch that git applies, as long as no contents are left out."""
    for one in found:
        yield from _file_lines(one, painter)


def hunk_lines(found: Sequence[FileChanges], painter: Painter) -> Iterator[str]:
    """A patch of hunks that git has made."""
    for one in found:
        for line in one.header:
            yield painter(in_one_line(line), Style.BOLD)
        for hunk in one.hunks:
            ranges = f"-{hunk.old_start},{hunk.old_lines} +{hunk.new_start},{hunk.new_lines}"
            section = f" {in_one_line(hunk.section)}" if hunk.section else ""
            yield painter(f"@@ {ranges} @@{section}", Style.BUSY)
            for part in hunk.lines:
                yield _painted(harmless(f"{part.kind}{part.text}"), painter)
                if part.no_newline:
                    yield "\\ No newline at end of file"
        if one.cut:
            yield painter("(there is more: what is too long is left out)", Style.DIM)


def stat_lines(found: Sequence[Diff], painter: Painter) -> list[str]:
    """Files with their lines, and a sum, as `git diff --stat`."""
    if not found:
        return []
    most = max((one.additions or 0) + (one.deletions or 0) for one in found)
    scale = min(1.0, _BAR / most) if most else 1.0
    rows = []
    for one in found:
        added, removed = one.additions or 0, one.deletions or 0
        bar = painter("+" * _part(added, scale), Style.GOOD)
        bar += painter("-" * _part(removed, scale), Style.BAD)
        counted = str(added + removed) if one.additions is not None else "?"
        rows.append((in_one_line(one.path), counted, bar))
    widths = [max(len(row[n]) for row in rows) for n in range(2)]
    lines = [f" {path:<{widths[0]}} | {counted:>{widths[1]}} {bar}" for path, counted, bar in rows]
    added = sum(one.additions or 0 for one in found)
    removed = sum(one.deletions or 0 for one in found)
    files = f"{len(found)} file{'' if len(found) == 1 else 's'} changed"
    return [*lines, f" {files}, {added} insertions(+), {removed} deletions(-)"]


def comparison_lines(
    attempts: Sequence[AttemptSummary], changes: Sequence[Sequence[Diff]], painter: Painter
) -> list[str]:
    """A table with a file a line, and an attempt a column."""
    files = sorted({one.path for found in changes for one in found})
    head = ["FILE", *(f"{one.number} {in_one_line(one.executor)}" for one in attempts)]
    by_path = [{one.path: one for one in found} for found in changes]
    rows = [
        [Cell(in_one_line(path)), *(_counted(found.get(path)) for found in by_path)]
        for path in files
    ]
    rows.append([Cell("together", Style.BOLD), *(_sum(found) for found in changes)])
    return table(head, rows, painter)


def _file_lines(one: Diff, painter: Painter) -> Iterator[str]:
    old, new = one.old_path, one.new_path
    yield painter(f"diff --git a/{_name(old or new)} b/{_name(new or old)}", Style.BOLD)
    if old is None:
        yield painter("new file mode 100644", Style.BOLD)
    elif new is None:
        yield painter("deleted file mode 100644", Style.BOLD)
    elif old != new:
        yield painter(f"rename from {_name(old)}", Style.BOLD)
        yield painter(f"rename to {_name(new)}", Style.BOLD)
    if one.content_omitted or (one.old_content is None and one.new_content is None):
        if one.content_omitted:
            yield painter("(too large, or not text: contents are left out)", Style.DIM)
        return
    before, after = _lines(one.old_content), _lines(one.new_content)
    names = (f"a/{_name(old)}" if old else "/dev/null", f"b/{_name(new)}" if new else "/dev/null")
    for line in difflib.unified_diff(before, after, *names):
        yield _painted(harmless(line.removesuffix("\n")), painter)
        if not line.endswith("\n"):
            yield "\\ No newline at end of file"


def _lines(text: str | None) -> list[str]:
    """Lines as git counts them: other separators than the line feed are a part of a line."""
    if not text:
        return []
    *whole, last = text.split("\n")
    return [*(f"{line}\n" for line in whole), *([last] if last else [])]


def _painted(line: str, painter: Painter) -> str:
    if line.startswith(("---", "+++")):
        return painter(line, Style.BOLD)
    style = {"+": Style.GOOD, "-": Style.BAD, "@": Style.BUSY}.get(line[:1])
    return painter(line, style)


def _name(path: str | None) -> str:
    return in_one_line(path or "")


def _part(count: int, scale: float) -> int:
    return max(1, round(count * scale)) if count else 0


def _counted(one: Diff | None) -> Cell:
    if one is None:
        return Cell("·", Style.DIM)
    if one.additions is None:
        return Cell("changed")
    return Cell(f"+{one.additions} −{one.deletions or 0}")


def _sum(found: Sequence[Diff]) -> Cell:
    added = sum(one.additions or 0 for one in found)
    removed = sum(one.deletions or 0 for one in found)
    return Cell(f"+{added} −{removed}", Style.BOLD)
