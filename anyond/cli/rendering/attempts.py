"""Lists of attempts as tables."""

from __future__ import annotations

from collections.abc import Sequence

from anyond.cli.rendering.colors import Painter, Style
from anyond.cli.rendering.harmless import in_one_line
from anyond.cli.rendering.tables import Cell, table
from anyond.cli.rendering.times import age
from anyond.cli.rendering.usage import money, tokens
from anyond.model.http.summaries import AttemptState, AttemptSummary

STATES: dict[AttemptState, tuple[str, Style | None]] = {
    AttemptState.QUESTION: ("? asks", Style.ATTENTION),
    AttemptState.RUNNING: ("◐ running", Style.BUSY),
    AttemptState.FAILED: ("✕ failed", Style.BAD),
    AttemptState.STOPPED: ("■ stopped", Style.DIM),
    AttemptState.MERGED: ("✓ merged", Style.GOOD),
    AttemptState.FINISHED: ("● finished", Style.GOOD),
    AttemptState.NEW: ("○ new", None),
}
"""Each state by shape, word and colour: none by colour alone."""


def attempt_lines(
    found: Sequence[AttemptSummary],
    painter: Painter,
    columns: int | None = None,
    now: float | None = None,
) -> list[str]:
    """The table that `ps` prints.

    Args:
        columns: so wide is the terminal; None cuts nothing.
        now: in place of this moment, in Unix seconds.
    """
    several = len({one.project_id for one in found}) > 1
    head = ["#", "STATE", "SINCE", "TITLE", "AGENT", "BRANCH", "LAST MESSAGE"]
    rows = [_row(one, now) for one in found]
    flexible = [3, 5, 6]
    if several:
        head.insert(6, "PROJECT")
        for row, one in zip(rows, found, strict=True):
            row.insert(6, Cell(in_one_line(one.project_name)))
        flexible = [3, 6, 5, 7]
    if any(one.cost_usd is not None or one.tokens is not None for one in found):
        head.insert(5, "COST")
        for row, one in zip(rows, found, strict=True):
            row.insert(5, Cell(_cost(one), Style.DIM))
        flexible = [column + (column >= 5) for column in flexible]
    return table(head, rows, painter, columns, flexible)


def _cost(one: AttemptSummary) -> str:
    """Money where it is known, else tokens; nothing where nothing has run to its end."""
    if one.cost_usd is not None:
        return money(one.cost_usd)
    return "" if one.tokens is None else f"{tokens(one.tokens)} tokens"


def _row(one: AttemptSummary, now: float | None) -> list[Cell]:
    state, style = STATES[one.state]
    return [
        Cell(str(one.number), Style.BOLD),
        Cell(state, style),
        Cell(age(one.since, now)),
        Cell(in_one_line(one.title)),
        Cell(in_one_line(one.executor), Style.DIM),
        Cell(in_one_line(one.branch), Style.NAME),
        Cell(in_one_line(one.last_message or ""), Style.DIM),
    ]
