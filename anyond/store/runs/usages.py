"""Rows of what each run of an agent has used, and their sums."""

from __future__ import annotations

from collections.abc import Sequence

from anyond.model.entries import TokenUsage
from anyond.model.http.usage import UsageBy, UsageSum
from anyond.store.engine.transaction import Reader, Tx

_COUNTS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")

_KEYS = {
    UsageBy.TASK: ("u.task_id", "COALESCE(MAX(t.title), MAX(u.task_title))"),
    UsageBy.PROJECT: ("u.project_id", "COALESCE(MAX(p.name), MAX(u.project_name))"),
    UsageBy.AGENT: ("u.executor", "u.executor"),
    UsageBy.DAY: ("date(u.ended_at, 'localtime')", "date(u.ended_at, 'localtime')"),
}
"""By what is added up, and what it is called."""


def record(tx: Tx, execution_id: str, reported: Sequence[TokenUsage]) -> None:
    """Write down what an agent's run that is over has used, once.

    Args:
        reported: as the agent reported it; nothing is not zero.
    """
    costs = [one.cost_usd for one in reported if one.cost_usd is not None]
    counts = [sum(getattr(one, name) for one in reported) if reported else None for name in _COUNTS]
    tx.execute(
        "INSERT OR IGNORE INTO usages SELECT p.id, a.id, t.id, t.title, j.id, j.name, a.executor,"
        " ?, ?, ?, ?, ?, ?, MAX(0, (julianday(p.completed_at) - julianday(p.started_at)) * 86400),"
        " p.completed_at FROM execution_processes p"
        " JOIN task_attempts a ON a.id = p.task_attempt_id JOIN tasks t ON t.id = a.task_id"
        " JOIN projects j ON j.id = t.project_id WHERE p.id = ? AND p.run_reason = 'codingagent'",
        (
            next((one.model for one in reported if one.model), None),
            *counts,
            sum(costs) if costs else None,
            execution_id,
        ),
    )


def fetch_sums(
    reader: Reader, by: UsageBy, since: str | None = None, project_id: str | None = None
) -> list[UsageSum]:
    """The sums, those of the last use first; what no run reported is None.

    Args:
        since: only runs that ended at this moment or later, as text of RFC 3339 in UTC.
        project_id: only runs in this project.
    """
    key, name = _KEYS[by]
    sums = ", ".join(f"SUM(u.{column})" for column in (*_COUNTS, "cost_usd"))
    rows = reader.execute(
        f"SELECT {key}, {name}, COUNT(*), SUM(u.input_tokens IS NULL), SUM(u.cost_usd IS NULL),"
        f" {sums}, SUM(u.seconds) FROM usages u"
        " LEFT JOIN tasks t ON t.id = u.task_id LEFT JOIN projects p ON p.id = u.project_id"
        " WHERE (? IS NULL OR u.ended_at >= ?) AND (? IS NULL OR u.project_id = ?)"
        f" GROUP BY {key} ORDER BY MAX(u.ended_at) DESC, {key}",
        (since, since, project_id, project_id),
    ).fetchall()
    return [
        UsageSum(
            key=row[0],
            name=row[1],
            runs=row[2],
            runs_without_tokens=row[3],
            runs_without_cost=row[4],
            input_tokens=row[5],
            output_tokens=row[6],
            cache_read_tokens=row[7],
            cache_write_tokens=row[8],
            cost_usd=row[9],
            seconds=round(row[10], 3),
        )
        for row in rows
    ]
