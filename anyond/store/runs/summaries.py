"""Summaries of attempts, from the rows of their tasks, processes, approvals and merges."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from anyond.model.http.summaries import AttemptState, AttemptSummary
from anyond.model.rows import ProcessStatus, TaskStatus
from anyond.store.engine.transaction import Reader

MESSAGE_CHARACTERS = 300
"""Of the last message so much is shown."""

# The newest run is found in an index that holds all that is read of it.
_SELECT = f"""
SELECT n.number, a.id, t.id, p.id, p.name, t.title, t.status, a.executor, a.branch,
    a.target_branch, a.container_ref, a.worktree_deleted, a.created_at,
    (SELECT COUNT(*) FROM approvals q WHERE q.task_attempt_id = a.id AND q.status = 'pending'),
    (SELECT MIN(q.created_at) FROM approvals q
      WHERE q.task_attempt_id = a.id AND q.status = 'pending'),
    x.status, COALESCE(x.completed_at, x.started_at),
    (SELECT MAX(COALESCE(m.pr_merged_at, m.created_at)) FROM merges m WHERE m.task_attempt_id = a.id
        AND (m.merge_type = 'direct' OR m.pr_status = 'merged')),
    (SELECT SUBSTR(s.summary, 1, {MESSAGE_CHARACTERS}) FROM executor_sessions s
        JOIN execution_processes r ON r.id = s.execution_process_id
      WHERE s.task_attempt_id = a.id AND s.summary IS NOT NULL AND r.dropped = 0
      ORDER BY r.created_at DESC, r.number DESC LIMIT 1),
    a.archived_at IS NOT NULL OR t.archived_at IS NOT NULL,
    a.id IN (SELECT u.task_attempt_id FROM seen_positions u WHERE u.moved > u.seen),
    (SELECT SUM(u.cost_usd) FROM usages u WHERE u.task_attempt_id = a.id),
    (SELECT SUM(u.input_tokens + u.output_tokens) FROM usages u WHERE u.task_attempt_id = a.id)
FROM task_attempts a
JOIN tasks t ON t.id = a.task_id
JOIN projects p ON p.id = t.project_id
JOIN attempt_numbers n ON n.task_attempt_id = a.id
LEFT JOIN execution_processes x ON x.number =
    (SELECT r.number FROM execution_processes r
      WHERE r.task_attempt_id = a.id AND r.run_reason <> 'devserver' AND r.dropped = 0
      ORDER BY r.created_at DESC, r.number DESC LIMIT 1)
"""
_NEWEST_FIRST = "ORDER BY a.created_at DESC, a.rowid DESC"
_ACTIVE = """(a.id IN (SELECT task_attempt_id FROM execution_processes WHERE status = 'running')
    OR a.id IN (SELECT task_attempt_id FROM approvals WHERE status = 'pending'))"""
OPEN = """t.status NOT IN ('done', 'cancelled')
    AND t.archived_at IS NULL AND a.archived_at IS NULL"""
"""The condition that neither the task nor the attempt is over or put away."""


def fetch_summaries(
    reader: Reader, *, project_id: str | None, search: str | None, closed: bool, limit: int
) -> list[AttemptSummary]:
    """Summaries: what is at work or waits for a person first, then the newest first.

    Args:
        project_id: only those of this project.
        search: only those that can be meant by this: a number, the beginning of an id (of the
            attempt or its task), a branch or its last part, words of a title.
        closed: also what is archived, and those of tasks that are done or cancelled.
        limit: at most so many that are not at work.
    """
    conditions, parameters = ["1"], list[object]()
    if project_id is not None:
        conditions.append("t.project_id = ?")
        parameters.append(project_id)
    if search is not None:
        condition, words = _search(search)
        conditions.append(condition)
        parameters.extend(words)
    matched = " AND ".join(conditions)
    active = reader.execute(
        f"{_SELECT} WHERE {_ACTIVE} AND {matched} {_NEWEST_FIRST}", parameters
    ).fetchall()
    which = "1" if closed else OPEN
    others = reader.execute(
        f"{_SELECT} WHERE NOT {_ACTIVE} AND {which} AND {matched} {_NEWEST_FIRST} LIMIT ?",
        (*parameters, limit),
    ).fetchall()
    return [_summary(row) for row in (*active, *others)]


def fetch_where(
    reader: Reader, condition: str, parameters: Sequence[object] = ()
) -> list[AttemptSummary]:
    """The summaries for which a condition holds, the newest first.

    Args:
        condition: about an attempt `a` and its task `t`; never made of what a client sends.
        parameters: its values.
    """
    rows = reader.execute(f"{_SELECT} WHERE {condition} {_NEWEST_FIRST}", parameters).fetchall()
    return [_summary(row) for row in rows]


def _search(text: str) -> tuple[str, Sequence[object]]:
    beginning = f"{_literal(text.lower())}%"
    either = ["a.id LIKE ? ESCAPE '\\'", "t.id LIKE ? ESCAPE '\\'"]
    parameters: list[object] = [beginning, beginning]
    either.append("a.branch = ?")
    either.append("a.branch LIKE ? ESCAPE '\\'")
    parameters.extend((text, f"%/{_literal(text)}"))
    words = text.split()
    if words:
        either.append("(" + " AND ".join("t.title LIKE ? ESCAPE '\\'" for _ in words) + ")")
        parameters.extend(f"%{_literal(word)}%" for word in words)
    if re.fullmatch(r"[0-9]{1,18}", text):
        either.append("n.number = ?")
        parameters.append(int(text))
    return f"({' OR '.join(either)})", parameters


def _literal(text: str) -> str:
    return re.sub(r"[%_\\]", r"\\\g<0>", text)


def _summary(row: tuple[Any, ...]) -> AttemptSummary:
    questions, asked_at, status, moved_at, merged_at, message = row[13:19]
    state, since = _state(row[12], asked_at, status, moved_at, merged_at)
    return AttemptSummary(
        number=row[0],
        id=row[1],
        task_id=row[2],
        project_id=row[3],
        project_name=row[4],
        title=row[5],
        task_status=TaskStatus(row[6]),
        state=state,
        since=since,
        executor=row[7],
        branch=row[8],
        target_branch=row[9],
        container_ref=row[10],
        worktree_deleted=bool(row[11]),
        last_message=message,
        questions=questions,
        created_at=row[12],
        archived=bool(row[19]),
        unseen=bool(row[20]),
        cost_usd=row[21],
        tokens=row[22],
    )


def _state(
    created_at: str,
    asked_at: str | None,
    status: str | None,
    moved_at: str | None,
    merged_at: str | None,
) -> tuple[AttemptState, str]:
    if asked_at is not None:
        return AttemptState.QUESTION, asked_at
    if status == ProcessStatus.RUNNING and moved_at is not None:
        return AttemptState.RUNNING, moved_at
    if merged_at is not None and (moved_at is None or moved_at <= merged_at):
        return AttemptState.MERGED, merged_at
    if status is None or moved_at is None:
        return AttemptState.NEW, created_at
    ends = {
        ProcessStatus.FAILED: AttemptState.FAILED,
        ProcessStatus.KILLED: AttemptState.STOPPED,
    }
    return ends.get(ProcessStatus(status), AttemptState.FINISHED), moved_at
