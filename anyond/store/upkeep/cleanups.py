"""Rows of cleanups: worktrees whose attempts are gone and that are still to be removed."""

from __future__ import annotations

from msgspec import Struct

from anyond.store.engine.transaction import Reader, Tx


class Cleanup(Struct, frozen=True, kw_only=True):
    """One worktree to remove, in the background, however often the daemon restarts.

    Args:
        worktree_path: the directory to remove.
        repo_path: the repository that it belongs to.
        attempt_id: whose it was; names the snapshot that is taken first.
        branch: its branch, if it was known.
        git_programs_withheld: a run has changed what git runs there, and nobody has accepted it.
    """

    id: str
    worktree_path: str
    repo_path: str
    attempt_id: str
    branch: str | None
    created_at: str
    git_programs_withheld: bool = False


def insert(tx: Tx, cleanup: Cleanup) -> None:
    """Remember that this is to be done."""
    tx.execute(
        "INSERT INTO cleanups (id, worktree_path, repo_path, attempt_id, branch, created_at,"
        " git_programs_withheld) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            cleanup.id,
            cleanup.worktree_path,
            cleanup.repo_path,
            cleanup.attempt_id,
            cleanup.branch,
            cleanup.created_at,
            int(cleanup.git_programs_withheld),
        ),
    )


def fetch_all(reader: Reader) -> list[Cleanup]:
    """Return the cleanups that are still to be done, oldest first."""
    rows = reader.execute(
        "SELECT id, worktree_path, repo_path, attempt_id, branch, created_at,"
        " git_programs_withheld FROM cleanups"
        " ORDER BY created_at, rowid"
    ).fetchall()
    return [
        Cleanup(
            id=row[0],
            worktree_path=row[1],
            repo_path=row[2],
            attempt_id=row[3],
            branch=row[4],
            created_at=row[5],
            git_programs_withheld=bool(row[6]),
        )
        for row in rows
    ]


def delete(tx: Tx, id: str) -> None:
    """It is done; no error if that was known."""
    tx.execute("DELETE FROM cleanups WHERE id = ?", (id,))
