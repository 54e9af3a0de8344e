"""Rows of projects: which repositories a person has handed over."""

from __future__ import annotations

from typing import Any

import msgspec

from anyond.model.http.bodies import NewProject, ProjectPatch
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.model.refusals.worktrees import PathTaken
from anyond.model.rows import Project
from anyond.store.board import tasks
from anyond.store.engine.transaction import Reader, Tx

_COLUMNS = (
    "id, name, git_repo_path, setup_script, dev_script, cleanup_script, copy_files,"
    " created_at, updated_at, subdirectory, environment,"
    " keep_services"
)

_VARIABLES = dict[str, str | None]


def insert(tx: Tx, new: NewProject, id: str, now: str, *, subdirectory: str = "") -> Project:
    """A new row. Raises `Invalid` for an empty name or path, `Conflict` for a path in use."""
    project = Project(
        id=id,
        name=_required("name", new.name),
        git_repo_path=_required("git_repo_path", new.git_repo_path),
        setup_script=new.setup_script or None,
        dev_script=new.dev_script or None,
        cleanup_script=new.cleanup_script or None,
        copy_files=new.copy_files or None,
        environment=new.environment or {},
        keep_services=new.keep_services is not False,
        created_at=now,
        updated_at=now,
        subdirectory=subdirectory,
    )
    _refuse_taken_path(tx, project)
    tx.execute(
        f"INSERT INTO projects ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            project.id,
            project.name,
            project.git_repo_path,
            project.setup_script,
            project.dev_script,
            project.cleanup_script,
            project.copy_files,
            now,
            now,
            project.subdirectory,
            _encoded(project.environment),
            project.keep_services,
        ),
    )
    return project


def get(reader: Reader, id: str) -> Project:
    """Raises `NotFound`."""
    row = reader.execute(f"SELECT {_COLUMNS} FROM projects WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise NotFound("project", id)
    return _project(row)


def fetch_all(reader: Reader) -> list[Project]:
    """Newest first."""
    rows = reader.execute(
        f"SELECT {_COLUMNS} FROM projects ORDER BY created_at DESC, rowid DESC"
    ).fetchall()
    return [_project(row) for row in rows]


def by_path(reader: Reader, path: str) -> Project | None:
    """The project of exactly this repository path."""
    row = reader.execute(
        f"SELECT {_COLUMNS} FROM projects WHERE git_repo_path = ?", (path,)
    ).fetchone()
    return None if row is None else _project(row)


def patch(tx: Tx, id: str, changes: ProjectPatch, now: str, *, subdirectory: str = "") -> Project:
    """Change what `changes` names: None keeps, "" clears a script or `copy_files`.

    `subdirectory` belongs to the new path, if there is one.

    Raises `NotFound`, `Invalid` for an empty name or path, `Conflict` for a path in use.
    """
    old = get(tx, id)
    new = Project(
        id=id,
        name=_updated(old.name, changes.name, "name"),
        git_repo_path=_updated(old.git_repo_path, changes.git_repo_path, "git_repo_path"),
        setup_script=_cleared(old.setup_script, changes.setup_script),
        dev_script=_cleared(old.dev_script, changes.dev_script),
        cleanup_script=_cleared(old.cleanup_script, changes.cleanup_script),
        copy_files=_cleared(old.copy_files, changes.copy_files),
        environment=old.environment if changes.environment is None else changes.environment,
        keep_services=(
            old.keep_services if changes.keep_services is None else changes.keep_services
        ),
        created_at=old.created_at,
        updated_at=now,
        subdirectory=old.subdirectory if changes.git_repo_path is None else subdirectory,
    )
    _refuse_taken_path(tx, new)
    tx.execute(
        "UPDATE projects SET name = ?, git_repo_path = ?, setup_script = ?, dev_script = ?,"
        " cleanup_script = ?, copy_files = ?, updated_at = ?, subdirectory = ?,"
        " environment = ?, keep_services = ? WHERE id = ?",
        (
            new.name,
            new.git_repo_path,
            new.setup_script,
            new.dev_script,
            new.cleanup_script,
            new.copy_files,
            now,
            new.subdirectory,
            _encoded(new.environment),
            new.keep_services,
            id,
        ),
    )
    return new


def delete(tx: Tx, id: str, now: str) -> Project:
    """Remove it with its tasks and all that is theirs; returns its last state.

    Emits `task_deleted` for each of its tasks. Raises `NotFound`.
    """
    project = get(tx, id)
    tasks.delete_of_project(tx, id, now)
    tx.execute("DELETE FROM projects WHERE id = ?", (id,))
    return project


def _required(field: str, text: str) -> str:
    if not text.strip():
        raise Invalid(field, "must not be empty")
    return text


def _updated(old: str, new: str | None, field: str) -> str:
    return old if new is None else _required(field, new)


def _cleared(old: str | None, new: str | None) -> str | None:
    return old if new is None else new or None


def _encoded(environment: dict[str, str | None]) -> str | None:
    return msgspec.json.encode(environment).decode() if environment else None


def _refuse_taken_path(tx: Tx, project: Project) -> None:
    other = by_path(tx, project.git_repo_path)
    if other is not None and other.id != project.id:
        raise PathTaken.by_project(project.git_repo_path, other.name, other.id)


def _project(row: tuple[Any, ...]) -> Project:
    return Project(
        id=row[0],
        name=row[1],
        git_repo_path=row[2],
        setup_script=row[3],
        dev_script=row[4],
        cleanup_script=row[5],
        copy_files=row[6],
        created_at=row[7],
        updated_at=row[8],
        subdirectory=row[9],
        environment={} if row[10] is None else msgspec.json.decode(row[10], type=_VARIABLES),
        keep_services=bool(row[11]),
    )
