"""State diagrams as pictures in the site: a hook of mkdocs.

In the pages they are Mermaid, which repository browsers draw. A browser that reads the site would
have to load a program for that, so they are drawn when it is built: a column for each state, and a
row for each transition, an arrow from one state to another.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any, NamedTuple

_FENCED = re.compile(r"^```mermaid\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_KIND = "stateDiagram-v2"
_TRANSITION = re.compile(r"(?P<old>\S+) --> (?P<new>\w+)(?:: (?P<label>.+))?")
_START = "[*]"

_COLUMN, _ROW, _HEAD, _LETTER = 150, 34, 44, 6.2
"""Pixels: of a column, a row, the names of states, and the width of a letter of a label."""


class Transition(NamedTuple):
    """An arrow; the first one comes from nowhere."""

    old: str
    new: str
    label: str


def transitions(text: str) -> list[Transition]:
    """The transitions of a state diagram.

    Raises:
        ValueError: it is another diagram, or a line is none of a transition.
    """
    kind, *lines = (line.strip() for line in text.strip().splitlines())
    found = [_TRANSITION.fullmatch(line) for line in lines]
    if kind != _KIND or not all(found):
        raise ValueError(f"only transitions of a {_KIND} can be drawn: {text!r}")
    return [Transition(m["old"], m["new"], m["label"] or "") for m in found if m is not None]


def picture(text: str) -> str:
    """A state diagram as SVG, in the colours of the page around it."""
    rows = transitions(text)
    states = list(dict.fromkeys(row.new for row in rows))
    states += [row.old for row in rows if row.old not in {*states, _START}]
    middle = {state: (number + 0.5) * _COLUMN for number, state in enumerate(states)}
    arrows = [row for row in rows if row.old != _START]
    start = {row.new for row in rows if row.old == _START}
    height = _HEAD + _ROW * len(arrows) + 10
    ends = [_label_left(row, middle) + len(row.label) * _LETTER for row in arrows]
    width = max([_COLUMN * len(states), *ends])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width:.0f}" height="{height}" '
        f'viewBox="0 0 {width:.0f} {height}" style="max-width: none; color: inherit" '
        'font-family="sans-serif" font-size="11" fill="currentColor" stroke="none">',
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0 0 L8 4 L0 8 z"/></marker></defs>',
    ]
    for state, x in middle.items():
        weight = "bold" if state in start else "normal"
        parts.append(
            f'<line x1="{x}" y1="32" x2="{x}" y2="{height - 4}" stroke="currentColor" '
            'stroke-opacity="0.3"/>'
            f'<rect x="{x - 68}" y="6" width="136" height="24" rx="6" fill="none" '
            'stroke="currentColor"/>'
            f'<text x="{x}" y="22" text-anchor="middle" font-weight="{weight}">'
            f"{escape(state)}</text>"
        )
    for number, row in enumerate(arrows):
        y = _HEAD + _ROW * number + 20
        parts.append(
            f'<line x1="{middle[row.old]}" y1="{y}" x2="{middle[row.new]}" y2="{y}" '
            'stroke="currentColor" marker-end="url(#arrow)"/>'
            f'<text x="{_label_left(row, middle)}" y="{y - 5}">{escape(row.label)}</text>'
        )
    return '<div style="overflow-x: auto">' + "".join([*parts, "</svg>"]) + "</div>"


def with_pictures(page: str) -> str:
    """A page with its state diagrams drawn."""
    return _FENCED.sub(lambda match: picture(match["text"]), page)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Draw the diagrams of a page (called by mkdocs)."""
    return with_pictures(markdown)


def _label_left(row: Transition, middle: dict[str, float]) -> float:
    return min(middle[row.old], middle[row.new]) + 6
