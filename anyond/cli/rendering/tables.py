"""Tables: columns that fit, cut on terminals only."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from anyond.cli.rendering.colors import Painter, Style

_GAP = "  "
_LEAST = 8


class Cell(NamedTuple):
    """A harmless text of one line, in a style."""

    text: str
    style: Style | None = None


def width(text: str) -> int:
    """The columns that `text` takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def cut(text: str, columns: int) -> str:
    """`text`, cut visibly if it is longer than that."""
    if width(text) <= columns:
        return text
    part, used = "", 0
    for character in text:
        used += width(character)
        if used > columns - 1:
            break
        part += character
    return f"{part.rstrip()}…"


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    painter: Painter,
    columns: int | None = None,
    flexible: Sequence[int] = (),
) -> list[str]:
    """The lines of a table.

    Args:
        columns: so wide is the terminal; None cuts nothing.
        flexible: the columns that are cut, the last one first.
    """
    cells = [[Cell(title, Style.DIM) for title in head], *rows]
    widths = [max(width(row[n].text) for row in cells) for n in range(len(head))]
    if columns is not None:
        for n in reversed(flexible):
            over = sum(widths) + len(_GAP) * (len(widths) - 1) - columns
            if over > 0:
                widths[n] = max(min(widths[n], _LEAST), widths[n] - over)
    return [_line(row, widths, painter) for row in cells]


def _line(row: Sequence[Cell], widths: Sequence[int], painter: Painter) -> str:
    parts = []
    for cell, room in zip(row, widths, strict=True):
        text = cut(cell.text, room)
        parts.append(painter(text, cell.style) + " " * (room - width(text)))
    return _GAP.join(parts).rstrip()
