"""Search over the texts of tasks and conversations."""

from __future__ import annotations

from typing import Any

from anyond.model.http.found import FoundKind, SearchHit, SearchPage
from anyond.model.rows import TaskStatus
from anyond.store.engine.transaction import Reader
from anyond.store.runs.text_query import Filter, TextQuery

# No text in the index has these; see `watchers.search_index`.
_FROM, _TO = "\x02", "\x03"
_WORDS = 24

_CONDITIONS = {
    Filter.PROJECT: "(p.id = lower(?) OR lower(p.name) = lower(?))",
    Filter.AGENT: "(lower(a.executor) = lower(?) OR (a.id IS NULL AND EXISTS"
    " (SELECT 1 FROM task_attempts o WHERE o.task_id = t.id AND lower(o.executor) = lower(?))))",
    Filter.STATUS: "(t.status = lower(?) OR t.status = lower(?))",
    Filter.BEFORE: "(s.at < ? AND s.at < ?)",
    Filter.AFTER: "(s.at >= ? AND s.at >= ?)",
}
"""For each filter, where its value is asked for: twice in all of them."""


def search(reader: Reader, query: TextQuery, limit: int, before: int | None) -> SearchPage:
    """The hits of `query`, the newest first.

    Args:
        limit: how many at most.
        before: the number of the last hit of the page before.
    """
    if not query.match and not query.filters:
        return SearchPage(hits=[])
    conditions, given = ["COALESCE(x.dropped, 0) = 0"], list[object]()
    if query.match:
        conditions.append("search_index MATCH ?")
        given.append(query.match)
    for name, value in query.filters.items():
        conditions.append(_CONDITIONS[name])
        given.extend((value, value))
    if before is not None:
        conditions.append("s.id < ?")
        given.append(before)
    excerpt = (
        f"snippet(search_index, 0, char(2), char(3), '…', {_WORDS})"
        if query.match
        else "substr(s.text, 1, 200)"
    )
    source = (
        "search_index JOIN search_texts s ON s.id = search_index.rowid"
        if query.match
        else "search_texts s"
    )
    order = "search_index.rowid" if query.match else "s.id"
    rows = reader.execute(
        f"""SELECT s.id, s.kind, {excerpt}, s.at, p.id, p.name, t.id, t.title, t.status,
            a.id, n.number, a.executor, s.execution_process_id, s.entry
        FROM {source}
        JOIN tasks t ON t.id = s.task_id
        JOIN projects p ON p.id = t.project_id
        LEFT JOIN task_attempts a ON a.id = s.task_attempt_id
        LEFT JOIN attempt_numbers n ON n.task_attempt_id = a.id
        LEFT JOIN execution_processes x ON x.id = s.execution_process_id
        WHERE {" AND ".join(conditions)}
        ORDER BY {order} DESC LIMIT ?""",
        (*given, limit + 1),
    ).fetchall()
    more = len(rows) > limit
    rows = rows[:limit]
    return SearchPage(hits=[_hit(row) for row in rows], cursor=str(rows[-1][0]) if more else None)


def _hit(row: tuple[Any, ...]) -> SearchHit:
    excerpt, ranges = _ranges(row[2])
    return SearchHit(
        kind=FoundKind(row[1]),
        excerpt=excerpt,
        ranges=ranges,
        at=row[3],
        project_id=row[4],
        project_name=row[5],
        task_id=row[6],
        title=row[7],
        task_status=TaskStatus(row[8]),
        task_attempt_id=row[9],
        number=row[10],
        executor=row[11],
        execution_process_id=row[12],
        entry=row[13],
    )


def _ranges(marked: str) -> tuple[str, list[tuple[int, int]]]:
    """Take the marks out of an excerpt."""
    text, ranges, start = "", list[tuple[int, int]](), 0
    for part in marked.replace(_TO, f"{_TO}{_FROM}").split(_FROM):
        if part.endswith(_TO):
            start = len(text)
            text += part[:-1]
            ranges.append((start, len(text)))
        else:
            text += part
    return text, ranges
