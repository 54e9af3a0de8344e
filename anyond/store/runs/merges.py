"""Rows of merges: how the work of an attempt was merged, by us or by a pull request."""

from __future__ import annotations

from typing import Any, NamedTuple

from anyond.model.ids import after
from anyond.model.rows import DirectMerge, Merge, PullRequestInfo, PullRequestMerge
from anyond.store.board import attempts, tasks
from anyond.store.engine.transaction import Reader, Tx

_COLUMNS = (
    "id, task_attempt_id, merge_type, target_branch_name, merge_commit, pr_number, pr_url,"
    " pr_status, pr_merged_at, pr_merge_commit_sha, created_at"
)


class LatestMerge(NamedTuple):
    """The latest merge of an attempt's work into its target.

    Args:
        commit: where the target was then.
        target_before: where it was before, if that is known.
    """

    commit: str
    target_before: str | None


def insert_direct(
    tx: Tx,
    *,
    id: str,
    attempt_id: str,
    merge_commit: str,
    target_branch_name: str,
    now: str,
    target_before: str | None = None,
) -> DirectMerge:
    """Remember a merge that we did; emits `task_updated` if it is the first of the task.

    It counts as made after all others of its attempt, also if the clock was set back since.

    Raises `NotFound` for an unknown attempt.

    Args:
        target_before: the commit that the target pointed to before, if that is known.
    """
    created = _after_all(tx, attempt_id, now)
    with tasks.watched(tx, attempts.place(tx, attempt_id).task_id):
        tx.execute(
            "INSERT INTO merges (id, task_attempt_id, merge_type, merge_commit,"
            " target_before, target_branch_name, created_at) VALUES (?, ?, 'direct', ?, ?, ?, ?)",
            (id, attempt_id, merge_commit, target_before, target_branch_name, created),
        )
    return DirectMerge(
        id=id,
        task_attempt_id=attempt_id,
        merge_commit=merge_commit,
        target_branch_name=target_branch_name,
        created_at=created,
    )


def keep_pull_request(
    tx: Tx,
    *,
    id: str,
    attempt_id: str,
    target_branch_name: str,
    info: PullRequestInfo,
    now: str,
    row_id: str | None = None,
) -> tuple[PullRequestMerge, bool]:
    """Remember how a pull request of the attempt stands, known (by its address) or new.

    Emits `pr_status_changed` if that is news, and `task_updated` if it is the first merge of the
    task. Raises `NotFound` for an unknown attempt.

    Args:
        id: of the row, if it is new.
        target_branch_name: the branch to merge into.
        row_id: the row that is known to be of it. Its address may have changed since: somebody
            has renamed the repository.

    Returns:
        The row, and whether anything of it is news.
    """
    place = attempts.place(tx, attempt_id)
    known = pull_requests(tx, attempt_id)
    same = (row for row in known if row.id == row_id or row.pr_info.url == info.url)
    old = min(same, key=lambda row: row.id != row_id, default=None)
    if old is not None and (old.pr_info, old.target_branch_name) == (info, target_branch_name):
        return old, False
    created = _after_all(tx, attempt_id, now) if old is None else old.created_at
    state = (info.url, info.status, info.merged_at, info.merge_commit_sha, target_branch_name)
    with tasks.watched(tx, place.task_id):
        if old is None:
            tx.execute(
                "INSERT INTO merges (id, task_attempt_id, merge_type, pr_number, pr_url, pr_status,"
                " pr_merged_at, pr_merge_commit_sha, target_branch_name, created_at)"
                " VALUES (?, ?, 'pr', ?, ?, ?, ?, ?, ?, ?)",
                (id, attempt_id, info.number, *state, created),
            )
        else:
            tx.execute(
                "UPDATE merges SET pr_url = ?, pr_status = ?, pr_merged_at = ?,"
                " pr_merge_commit_sha = ?, target_branch_name = ? WHERE id = ?",
                (*state, old.id),
            )
    recorded = PullRequestMerge(
        id=id if old is None else old.id,
        task_attempt_id=attempt_id,
        created_at=created,
        target_branch_name=target_branch_name,
        pr_info=info,
    )
    tx.emit(
        "pr_status_changed",
        recorded,
        project_id=place.project_id,
        attempt_id=attempt_id,
        key=recorded.id,
    )
    return recorded, True


def pull_requests(reader: Reader, attempt_id: str) -> list[PullRequestMerge]:
    """The pull requests of an attempt, newest first."""
    return [row for row in of_attempt(reader, attempt_id) if isinstance(row, PullRequestMerge)]


def undecided(reader: Reader, closed_since: str) -> list[PullRequestMerge]:
    """The pull requests whose state may still change, newest first: those that are not over, and
    those closed without a merge that were made after `closed_since`, as they may be opened again.
    """
    rows = reader.execute(
        f"SELECT {_COLUMNS} FROM merges WHERE merge_type = 'pr' AND (pr_status IN"
        " ('open', 'unknown') OR (pr_status = 'closed' AND created_at > ?))"
        " ORDER BY created_at DESC, rowid DESC",
        (closed_since,),
    )
    found = [_merge(row) for row in rows]
    return [row for row in found if isinstance(row, PullRequestMerge)]


def of_attempt(reader: Reader, attempt_id: str) -> list[Merge]:
    """Both kinds, newest first."""
    rows = reader.execute(
        f"SELECT {_COLUMNS} FROM merges WHERE task_attempt_id = ?"
        " ORDER BY created_at DESC, rowid DESC",
        (attempt_id,),
    ).fetchall()
    return [_merge(row) for row in rows]


def latest_merge(reader: Reader, attempt_id: str) -> LatestMerge | None:
    """The latest merge of an attempt; None if there is none, or if a later pull request may
    still become one.
    """
    row = reader.execute(
        "SELECT CASE WHEN merge_type = 'direct' THEN merge_commit"
        " WHEN pr_status = 'merged' THEN pr_merge_commit_sha END, target_before FROM merges"
        " WHERE task_attempt_id = ? AND (merge_type = 'direct' OR pr_status <> 'closed')"
        " ORDER BY COALESCE(pr_merged_at, created_at) DESC, rowid DESC LIMIT 1",
        (attempt_id,),
    ).fetchone()
    return LatestMerge(*row) if row is not None and row[0] is not None else None


def _after_all(tx: Tx, attempt_id: str, now: str) -> str:
    (newest,) = tx.execute(
        "SELECT MAX(created_at) FROM merges WHERE task_attempt_id = ?", (attempt_id,)
    ).fetchone()
    return after(newest, now)


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
