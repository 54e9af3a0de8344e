"""Rows of tasks as the board has them: rank, priority, labels, and what was put away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from anyond.model.http.board import (
    MOST_LABELS,
    AttemptPlace,
    BoardTask,
    Placing,
    PlacingMany,
    Priority,
)
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.store.board import tasks
from anyond.store.engine.transaction import Reader, Tx

# What is asked of a task is asked by one statement everywhere, so that the answers cannot differ.
_SELECT = f"""
SELECT s.*, e.rank, e.priority, e.labels, e.archived_at,
       (SELECT COUNT(*) FROM task_attempts a JOIN approvals q ON q.task_attempt_id = a.id
         WHERE a.task_id = s.id AND q.status = 'pending'),
       EXISTS (SELECT 1 FROM task_attempts a JOIN seen_positions u ON u.task_attempt_id = a.id
                WHERE a.task_id = s.id AND u.moved > u.seen)
FROM ({tasks.WITH_STATUS}) s JOIN tasks e ON e.id = s.id
"""
_ORDER = "ORDER BY e.rank, e.created_at DESC, e.rowid DESC"
_LABELS = msgspec.json.Decoder(list[str])


def get(reader: Reader, task_id: str) -> BoardTask:
    """Raises `NotFound`."""
    row = reader.execute(_SELECT.format(which="t.id = ?"), (task_id,)).fetchone()
    if row is None:
        raise NotFound("task", task_id)
    return _board_task(row)


def fetch_named(reader: Reader, task_ids: Iterable[str]) -> list[BoardTask]:
    """Those of `task_ids` that are there."""
    which = "t.id IN (SELECT value FROM json_each(?))"
    given = msgspec.json.encode(list(task_ids)).decode()
    return [_board_task(row) for row in reader.execute(_SELECT.format(which=which), (given,))]


def fetch_all(
    reader: Reader, project_id: str | None = None, *, archived: bool = True
) -> list[BoardTask]:
    """All tasks, or those of one project, in the order of the board.

    Args:
        archived: also those that were put away.
    """
    which = "1" if archived else "t.archived_at IS NULL"
    given: tuple[str, ...] = ()
    if project_id is not None:
        which += " AND t.project_id = ?"
        given = (project_id,)
    rows = reader.execute(f"{_SELECT.format(which=which)} {_ORDER}", given)
    return [_board_task(row) for row in rows]


def of_attempts(reader: Reader, attempt_ids: Iterable[str]) -> dict[str, str]:
    """The ids of the tasks of attempts, by those of the attempts."""
    given = msgspec.json.encode(list(attempt_ids)).decode()
    return dict(
        reader.execute(
            "SELECT id, task_id FROM task_attempts WHERE id IN (SELECT value FROM json_each(?))",
            (given,),
        ).fetchall()
    )


def place(tx: Tx, task_id: str, placing: Placing, now: str) -> BoardTask:
    """Change what `placing` names; emits `placement_updated` if anything is different then.

    A change of the status emits `task_updated`, too. Raises `NotFound`.
    """
    old = get(tx, task_id)
    if placing.status is not None:
        tasks.set_status(tx, task_id, placing.status, now)
    labels = old.labels if placing.labels is None else _distinct(placing.labels)
    archived_at = old.archived_at
    if placing.archived is not None:
        archived_at = (archived_at or now) if placing.archived else None
    # `updated_at` stays: clients that know nothing of places would be told of no change.
    tx.execute(
        "UPDATE tasks SET rank = ?, priority = ?, labels = ?, archived_at = ? WHERE id = ?",
        (
            old.rank if placing.rank is None else placing.rank,
            (placing.priority or old.priority).value,
            msgspec.json.encode(labels).decode(),
            archived_at,
            task_id,
        ),
    )
    new = get(tx, task_id)
    if new != old:
        _emit(tx, new)
    return new


def place_one_of_many(tx: Tx, task_id: str, action: PlacingMany, now: str) -> BoardTask:
    """Do what `place` does, with labels added and taken away. Raises `NotFound`, `Invalid`."""
    left = [one for one in get(tx, task_id).labels if one not in (action.remove_labels or ())]
    labels = _distinct([*left, *(action.add_labels or ())])
    if len(labels) > MOST_LABELS:
        raise Invalid("add_labels", f"would give it more than {MOST_LABELS} labels")
    placing = Placing(
        status=action.status, priority=action.priority, labels=labels, archived=action.archived
    )
    return place(tx, task_id, placing, now)


def archive_attempt(tx: Tx, attempt_id: str, archived: bool, now: str) -> AttemptPlace:
    """Put an attempt away or take it back; emits `placement_updated` of its task. Raises
    `NotFound`.
    """
    row = tx.execute(
        "SELECT archived_at, task_id FROM task_attempts WHERE id = ?", (attempt_id,)
    ).fetchone()
    if row is None:
        raise NotFound("task attempt", attempt_id)
    before, task_id = row
    after = (before or now) if archived else None
    if after != before:
        tx.execute("UPDATE task_attempts SET archived_at = ? WHERE id = ?", (after, attempt_id))
        _emit(tx, get(tx, task_id))
    return AttemptPlace(task_attempt_id=attempt_id, archived_at=after)


def _emit(tx: Tx, task: BoardTask) -> None:
    tx.emit("placement_updated", task, project_id=task.project_id, key=task.id)


def _distinct(labels: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(labels))


def _board_task(row: tuple[Any, ...]) -> BoardTask:
    plain = tasks.status_of_row(row)
    return BoardTask(
        **{name: getattr(plain, name) for name in plain.__struct_fields__},
        rank=row[12],
        priority=Priority(row[13]),
        labels=_LABELS.decode(row[14]),
        archived_at=row[15],
        questions=row[16],
        unseen=bool(row[17]),
    )
