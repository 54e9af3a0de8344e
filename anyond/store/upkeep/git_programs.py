"""Rows about the programs that git may run in a project's repository, and in its worktrees."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from anyond.store.engine.transaction import Reader, Tx

_COLUMNS = "project_id, common_dir, accepted, always, withheld_by, withheld_at"

_HASHES = msgspec.json.Decoder(dict[str, str])


class GitProgramsRow(Struct, frozen=True, kw_only=True):
    """The accepted and withheld programs of one project.

    Args:
        common_dir: the repository, where it was when the project was added.
        accepted: a hash for each name.
        always: whatever changes, it may run.
        withheld_by: the attempt in whose run something has changed that nobody has accepted yet.
        withheld_at: since when.
    """

    project_id: str
    common_dir: str
    accepted: dict[str, str]
    always: bool = False
    withheld_by: str | None = None
    withheld_at: str | None = None


def get(reader: Reader, project_id: str) -> GitProgramsRow | None:
    """The row of a project; None if none of its runs was looked at yet."""
    row = reader.execute(
        f"SELECT {_COLUMNS} FROM git_programs WHERE project_id = ?", (project_id,)
    ).fetchone()
    return None if row is None else _row(row)


def of_repository(reader: Reader, common_dir: str) -> list[GitProgramsRow]:
    """The rows of all projects that have a repository in common."""
    rows = reader.execute(
        f"SELECT {_COLUMNS} FROM git_programs WHERE common_dir = ? ORDER BY project_id",
        (common_dir,),
    ).fetchall()
    return [_row(row) for row in rows]


def put(tx: Tx, row: GitProgramsRow) -> None:
    """Write it down, instead of what was; for all projects of the repository, whose it is."""
    tx.execute(
        "DELETE FROM unaccepted_git_programs WHERE common_dir = ? OR identity = ?",
        (row.common_dir, _identity(row.common_dir)),
    )
    tx.execute(
        "UPDATE git_programs SET accepted = ?, always = ?, withheld_by = ?, withheld_at = ?"
        " WHERE common_dir = ?",
        (
            _text(row.accepted),
            int(row.always),
            row.withheld_by,
            row.withheld_at,
            row.common_dir,
        ),
    )
    tx.execute(
        f"INSERT OR REPLACE INTO git_programs ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",
        (
            row.project_id,
            row.common_dir,
            _text(row.accepted),
            int(row.always),
            row.withheld_by,
            row.withheld_at,
        ),
    )


def delete(tx: Tx, project_id: str) -> None:
    """Forget what is held of a project, which is deleted or has another repository now.

    What nobody has accepted stays, for whichever project has the repository next.
    """
    row = get(tx, project_id)
    tx.execute("DELETE FROM git_programs WHERE project_id = ?", (project_id,))
    if row is None or row.withheld_by is None:
        return
    if not of_repository(tx, row.common_dir):
        tx.execute(
            "INSERT OR REPLACE INTO unaccepted_git_programs"
            " (common_dir, identity, accepted, withheld_by, withheld_at) VALUES (?, ?, ?, ?, ?)",
            (
                row.common_dir,
                _identity(row.common_dir),
                _text(row.accepted),
                row.withheld_by,
                row.withheld_at,
            ),
        )


def take_over(tx: Tx, project_id: str, common_dir: str) -> None:
    """A project has that repository now: what nobody has accepted of it is withheld there, too.

    The repository is known by its place, or by its directory if that was moved.
    """
    found = tx.execute(
        "SELECT ?1, ?2, accepted, 0, withheld_by, withheld_at"
        " FROM unaccepted_git_programs WHERE common_dir = ?2 OR identity = ?3"
        " ORDER BY common_dir = ?2 DESC",
        (project_id, common_dir, _identity(common_dir)),
    ).fetchone()
    if found is not None:
        put(tx, _row(found))


def unaccepted(reader: Reader) -> list[GitProgramsRow]:
    """Return what is withheld of repositories that no project has; `project_id` is empty."""
    rows = reader.execute(
        "SELECT '', common_dir, accepted, 0, withheld_by, withheld_at FROM unaccepted_git_programs"
    ).fetchall()
    return [_row(row) for row in rows]


def worktrees(reader: Reader, project_id: str) -> dict[str, tuple[dict[str, str], bool]]:
    """By attempt: what its worktree had when a run began, and whether a run has changed that."""
    rows = reader.execute(
        "SELECT w.attempt_id, w.accepted, w.withheld FROM git_programs_of_worktrees w"
        " JOIN task_attempts a ON a.id = w.attempt_id JOIN tasks t ON t.id = a.task_id"
        " WHERE t.project_id = ?",
        (project_id,),
    ).fetchall()
    return {row[0]: (_HASHES.decode(row[1]), bool(row[2])) for row in rows}


def put_worktree(tx: Tx, attempt_id: str, accepted: Mapping[str, str], *, withheld: bool) -> None:
    """Write down what the worktree of an attempt has."""
    tx.execute(
        "INSERT OR REPLACE INTO git_programs_of_worktrees (attempt_id, accepted, withheld)"
        " VALUES (?, ?, ?)",
        (attempt_id, _text(accepted), int(withheld)),
    )


def _identity(common_dir: str) -> str:
    """The directory itself, wherever it is called so; its name if it is not there."""
    try:
        found = os.stat(common_dir)
    except (OSError, ValueError):
        return common_dir
    return f"{found.st_dev}:{found.st_ino}"


def _text(hashes: Mapping[str, str]) -> str:
    return msgspec.json.encode(dict(hashes)).decode()


def _row(row: tuple[Any, ...]) -> GitProgramsRow:
    return GitProgramsRow(
        project_id=row[0],
        common_dir=row[1],
        accepted=_HASHES.decode(row[2]),
        always=bool(row[3]),
        withheld_by=row[4],
        withheld_at=row[5],
    )
