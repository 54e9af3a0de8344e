"""Rows of merges: how the work of an attempt landed, by us or by a pull request."""

from __future__ import annotations

from typing import Any

from anyond.model.rows import DirectMerge, Merge, PullRequestInfo, PullRequestMerge
from anyond.store import attempts, tasks
from anyond.store.transaction import Reader, Tx


def insert_direct(
    tx: Tx, *, id: str, attempt_id: str, merge_commit: str, target_branch_name: str, now: str
) -> DirectMerge:
    """Remember a merge that we did; emits `task_updated` if it is the first of the task.

    Raises `NotFound` for an unknown attempt.
    """
    with tasks.watched(tx, attempts.place(tx, attempt_id).task_id):
        tx.execute(
            "INSERT INTO merges (id, task_attempt_id, merge_type, merge_commit,"
            " target_branch_name, created_at) VALUES (?, ?, 'direct', ?, ?, ?)",
            (id, attempt_id, merge_commit, target_branch_name, now),
        )
    return DirectMerge(
        id=id,
        task_attempt_id=attempt_id,
        merge_commit=merge_commit,
        target_branch_name=target_branch_name,
        created_at=now,
    )


def of_attempt(reader: Reader, attempt_id: str) -> list[Merge]:
    """Both kinds, newest first."""
    rows = reader.execute(
        "SELECT id, task_attempt_id, merge_type, target_branch_name, merge_commit, pr_number,"
        " pr_url, pr_status, pr_merged_at, pr_merge_commit_sha, created_at FROM merges"
        " WHERE task_attempt_id = ? ORDER BY created_at DESC, rowid DESC",
        (attempt_id,),
    ).fetchall()
    return [_merge(row) for row in rows]


def _merge(row: tuple[Any, ...]) -> Merge:
    if row[2] == "direct":
        return DirectMerge(
            id=row[0],
            task_attempt_id=row[1],
            merge_commit=row[4],
            target_branch_name=row[3],
            created_at=row[10],
        )
    return PullRequestMerge(
        id=row[0],
        task_attempt_id=row[1],
        created_at=row[10],
        target_branch_name=row[3],
        pr_info=PullRequestInfo(
            number=row[5],
            url=row[6],
            status=row[7],
            merged_at=row[8],
            merge_commit_sha=row[9],
        ),
    )
