"""Tokens and money as people read them: what is not known is `?`, and never 0."""

from __future__ import annotations

from collections.abc import Sequence

from anyond.cli.rendering.colors import Painter, Style
from anyond.cli.rendering.harmless import in_one_line
from anyond.cli.rendering.tables import Cell, table
from anyond.cli.rendering.times import duration
from anyond.model.http.usage import UsageSum

_UNITS = ((1_000_000, "M"), (1_000, "k"))


def tokens(count: int | None) -> str:
    """A number of tokens in its largest unit: `12.4k`."""
    if count is None:
        return "?"
    for size, unit in _UNITS:
        if count >= size:
            return f"{count / size:.1f}{unit}"
    return str(count)


def money(dollars: float | None) -> str:
    """An amount, with a tenth of a cent where it is less than a dime."""
    if dollars is None:
        return "?"
    return f"${dollars:.2f}" if dollars >= 0.1 or not dollars else f"${dollars:.4f}"


def usage_lines(
    found: Sequence[UsageSum], by: str, painter: Painter, columns: int | None
) -> list[str]:
    """The table that `usage` prints.

    Args:
        by: what it is added up for.
        columns: so wide is the terminal; None cuts nothing.
    """
    if not found:
        return []
    head = [by.upper(), "RUNS", "COST", "IN", "OUT", "CACHE READ", "CACHE WRITTEN", "TIME"]
    return table(head, [_row(one) for one in found], painter, columns, [0])


def _row(one: UsageSum) -> list[Cell]:
    more_cost = "+" if one.cost_usd is not None and one.runs_without_cost else ""
    more = "+" if one.input_tokens is not None and one.runs_without_tokens else ""
    counts = (
        one.input_tokens,
        one.output_tokens,
        one.cache_read_tokens,
        one.cache_write_tokens,
    )
    return [
        Cell(in_one_line(one.name), Style.NAME),
        Cell(str(one.runs)),
        Cell(money(one.cost_usd) + more_cost, Style.BOLD),
        *(Cell(tokens(count) + more) for count in counts),
        Cell(duration(one.seconds)),
    ]
