"""Rows of rules: a yes that goes on for a turn, an attempt or a project."""

from __future__ import annotations

from typing import Any

import msgspec

from anyond.model.http.rules import ApprovalRule, ApprovalScope, RuleMatch
from anyond.model.refusals.requests import NotFound
from anyond.model.rows import Approval
from anyond.store.board import attempts
from anyond.store.engine.transaction import Reader, Tx

_COLUMNS = (
    "id, scope, project_id, task_attempt_id, execution_process_id, tool_name, tool_input, uses,"
    " created_at"
)
_LIVES = (
    "(scope <> 'turn' OR EXISTS (SELECT 1 FROM execution_processes p"
    " WHERE p.id = execution_process_id AND p.status = 'running'))"
)
_WORDS_ONLY = frozenset({"description"})
"""Parts of an input that only say what an agent thinks of it, each time in other words."""
_encoder = msgspec.json.Encoder(order="sorted")


def insert(
    tx: Tx, approval: Approval, scope: ApprovalScope, match: RuleMatch, *, id: str, now: str
) -> ApprovalRule:
    """Allow from now on what `approval` asks; the same rule as before stays as it is.

    Raises `NotFound` for an unknown attempt.
    """
    place = attempts.place(tx, approval.task_attempt_id)
    attempt = None if scope is ApprovalScope.PROJECT else place.attempt_id
    process = approval.execution_process_id if scope is ApprovalScope.TURN else None
    tool_input = None if match is RuleMatch.TOOL else _input(approval)
    owned = (scope.value, place.project_id, attempt, process, approval.tool_name, tool_input)
    known = tx.execute(
        f"SELECT {_COLUMNS} FROM approval_rules WHERE scope = ? AND project_id = ?"
        " AND task_attempt_id IS ? AND execution_process_id IS ? AND tool_name = ?"
        " AND tool_input IS ?",
        owned,
    ).fetchone()
    if known is not None:
        return _rule(known)
    tx.execute(
        f"INSERT INTO approval_rules ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)",
        (id, *owned, now),
    )
    return get(tx, id)


def get(reader: Reader, id: str) -> ApprovalRule:
    """Raises `NotFound`."""
    row = reader.execute(f"SELECT {_COLUMNS} FROM approval_rules WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise NotFound("approval rule", id)
    return _rule(row)


def fetch_all(reader: Reader, project_id: str | None = None) -> list[ApprovalRule]:
    """The rules that can still answer anything, the newest first."""
    rows = reader.execute(
        f"SELECT {_COLUMNS} FROM approval_rules WHERE {_LIVES}"
        " AND (? IS NULL OR project_id = ?) ORDER BY created_at DESC, rowid DESC",
        (project_id, project_id),
    ).fetchall()
    return [_rule(row) for row in rows]


def allows(reader: Reader, approval: Approval) -> ApprovalRule | None:
    """The rule that says yes to a question, the narrowest first; None if a person has to."""
    place = attempts.place(reader, approval.task_attempt_id)
    row = reader.execute(
        f"SELECT {_COLUMNS} FROM approval_rules WHERE project_id = ? AND tool_name = ?"
        " AND (task_attempt_id IS NULL OR task_attempt_id = ?)"
        " AND (execution_process_id IS NULL OR execution_process_id = ?)"
        " AND (tool_input IS NULL OR tool_input = ?)"
        " ORDER BY execution_process_id IS NULL, task_attempt_id IS NULL LIMIT 1",
        (
            place.project_id,
            approval.tool_name,
            approval.task_attempt_id,
            approval.execution_process_id,
            _input(approval),
        ),
    ).fetchone()
    return None if row is None else _rule(row)


def count_use(tx: Tx, id: str) -> None:
    """It has answered one more question."""
    tx.execute("UPDATE approval_rules SET uses = uses + 1 WHERE id = ?", (id,))


def delete(tx: Tx, id: str) -> None:
    """Take it back; what it has allowed already stays allowed. Raises `NotFound`."""
    get(tx, id)
    tx.execute("DELETE FROM approval_rules WHERE id = ?", (id,))


def _input(approval: Approval) -> str:
    given = approval.tool_input
    if isinstance(given, dict):
        given = {name: value for name, value in given.items() if name not in _WORDS_ONLY}
    return _encoder.encode(given).decode()


def _rule(row: tuple[Any, ...]) -> ApprovalRule:
    return ApprovalRule(
        id=row[0],
        scope=ApprovalScope(row[1]),
        match=RuleMatch.TOOL if row[6] is None else RuleMatch.SAME,
        project_id=row[2],
        task_attempt_id=row[3],
        execution_process_id=row[4],
        tool_name=row[5],
        tool_input=None if row[6] is None else msgspec.json.decode(row[6]),
        uses=row[7],
        created_at=row[8],
    )
