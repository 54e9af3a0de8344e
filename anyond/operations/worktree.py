"""How an attempt gets the directory it works in, and gets it back when it is gone."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import structlog
import trio

from anyond.git import branches, excludes, ignored_copies, locks, repair, worktrees
from anyond.git.checkouts import CHECKOUT_TIMEOUT_S
from anyond.git.repository import git_dir
from anyond.model.errors import Impossible
from anyond.model.ids import now
from anyond.model.rows import Project, TaskAttempt
from anyond.operations import copy_files
from anyond.operations.rooms import Rooms
from anyond.operations.subject import Subject
from anyond.settings import files
from anyond.settings.ownership import weakness
from anyond.store import attempts
from anyond.store.transaction import Tx

log = structlog.get_logger()

OWN_FILES = ".vibe/"
"""What Anyon puts into a worktree for the agent; never committed."""


def root(rooms: Rooms) -> Path:
    """Where all new worktrees belong."""
    return rooms.places.worktrees(rooms.config.config.workspace_dir)


async def prepare_root(rooms: Rooms) -> None:
    """Make the place of worktrees, and keep it out of a repository that it may lie in.

    Raises:
        Impossible: it cannot be made, or others could change what lies in it.
    """
    try:
        await trio.to_thread.run_sync(_make_root, root(rooms))
    except OSError as error:
        why = f"{error.filename or root(rooms)} cannot be made: {error.strerror}."
        raise Impossible("workspace_dir", why) from error


def _make_root(place: Path) -> None:
    place.mkdir(mode=0o755, parents=True, exist_ok=True)
    if problem := weakness(place):
        raise Impossible("workspace_dir", f"{place} cannot be used: {problem}.")
    if not os.access(place, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(place))
    resolved, ignore = Path(os.path.realpath(place)), place / ".gitignore"
    inside = any(os.path.lexists(above / ".git") for above in (resolved, *resolved.parents))
    if inside and not os.path.lexists(ignore):
        # A repository of whatever project, where these would be in every status and `git add`.
        # What lies in a worktree is not concerned: git asks no file above its top.
        files.write(ignore, b"# Anyon's worktrees belong to no other checkout.\n*\n")


def planned_path(rooms: Rooms, project: Project, attempt: TaskAttempt) -> Path:
    """Where the worktree of an attempt belongs."""
    name = f"{branches.slug(project.name)}-{project.id[:8]}"
    return root(rooms) / name / attempt.branch.rsplit("/", 1)[-1]


async def is_gone(about: Subject) -> bool:
    """Whether the worktree was there and is not any more; `prepare` brings back what git has."""
    where = about.attempt.container_ref
    return where is not None and not await trio.to_thread.run_sync(os.path.isdir, where)


async def prepare(rooms: Rooms, subject: Subject) -> Subject:
    """Make the worktree if it does not exist yet; bring it back from its branch if it is gone.

    Returns:
        The subject with the attempt as it is then: `container_ref` is set.

    Raises:
        ToolFailed, Impossible: git could not make it. Nothing half-made is left behind.
    """
    attempt, project = subject.attempt, subject.project
    if attempt.container_ref is not None:
        path = Path(attempt.container_ref)
        found = await repair.ensure(rooms.repositories, subject.repository, path, attempt.branch)
        if found.what == "recreated":
            await _furnish(rooms, subject, path)
            await rooms.store.write(
                lambda tx: attempts.set_worktree_deleted(tx, attempt.id, False, now())
            )
        return subject
    path = planned_path(rooms, project, attempt)
    if await branches.exists(subject.repository, attempt.branch):
        # A daemon that was killed while it made the worktree had come so far.
        await _wait_for_git(path)
        await repair.ensure(rooms.repositories, subject.repository, path, attempt.branch)
        base = await branches.commit(subject.repository, f"refs/heads/{attempt.branch}")
    else:
        base = await worktrees.add(
            rooms.repositories,
            subject.repository,
            path,
            attempt.branch,
            attempt.target_branch,
        )
    await _furnish(rooms, subject, path)

    def made(tx: Tx) -> TaskAttempt:
        attempts.set_base_commit(tx, attempt.id, base)
        return attempts.set_container(tx, attempt.id, str(path), now())

    updated = await rooms.store.write(made)
    return replace(subject, attempt=updated)


async def _wait_for_git(path: Path) -> None:
    """Let a git that outlived its daemon finish with a worktree that is still being made."""
    own = await trio.to_thread.run_sync(git_dir, path)
    if own is not None and not await locks.gone(own / "index.lock", CHECKOUT_TIMEOUT_S):
        raise locks.Locked(own / "index.lock")


async def _furnish(rooms: Rooms, subject: Subject, path: Path) -> None:
    """Bring along what the project wants copied, and keep it out of commits."""
    wanted, repository = subject.project.copy_files, subject.repository
    await excludes.exclude(rooms.repositories, path, [OWN_FILES])
    if not wanted or not wanted.strip():
        return
    others = root(rooms)
    chosen = partial(copy_files.names, wanted, repository, without=others)
    found = await trio.to_thread.run_sync(chosen)
    # Before they are there: a daemon that is killed in between must not leave them to be committed.
    hidden = await excludes.hide(rooms.repositories, path, found)
    await trio.to_thread.run_sync(ignored_copies.remember, path, repository, hidden)
    copying = partial(copy_files.copy, wanted, repository, path, without=others)
    _, complaints = await trio.to_thread.run_sync(copying)
    for complaint in complaints:
        log.warning("not_copied", attempt=subject.attempt.id, why=complaint)
