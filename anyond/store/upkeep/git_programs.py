"""Rows about the programs that git may run in a project's repository, and in its worktrees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from anyond.store.engine.transaction import Reader, Tx

_COLUMNS = "project_id, common_dir, accepted, always, withheld_by, withheld_at"

_HASHES = msgspec.json.Decoder(dict[str, str])


class GitProgramsRow(Struct, frozen=True, kw_only=True):
    """What is held of one project.

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
    """Forget what is held of a project, which has another repository now."""
    tx.execute("DELETE FROM git_programs WHERE project_id = ?", (project_id,))


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
