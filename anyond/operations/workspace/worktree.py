"""Creating an attempt's worktree, and creating it again when it is gone."""

from __future__ import annotations

import errno
import os
from functools import partial
from pathlib import Path
from typing import Literal

import structlog
import trio
from msgspec.structs import replace

from anyond.editing import files
from anyond.git.commits import lost_branch, moved_branch
from anyond.git.disk import locks, survivors
from anyond.git.files import ignored_copies, odd_files
from anyond.git.repo import branches, excludes
from anyond.git.repo.checkouts import CHECKOUT_TIMEOUT_S
from anyond.git.repo.repository import common_dir, git_dir
from anyond.git.submodules import submodule_checkouts
from anyond.git.worktree import repair, worktrees
from anyond.host.ownership import weakness
from anyond.model.errors import AnyondError
from anyond.model.ids import now
from anyond.model.refusals.git import Locked
from anyond.model.refusals.requests import Impossible
from anyond.model.refusals.worktrees import WorktreeElsewhere
from anyond.model.rows import Project, TaskAttempt
from anyond.operations import remarks
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject, read
from anyond.operations.workspace import copy_files
from anyond.store.board import attempts
from anyond.store.engine.transaction import Reader, Tx
from anyond.store.runs import processes
from anyond.store.upkeep import data_directory, planned_worktrees

log = structlog.get_logger()

OWN_FILES = ".vibe/"
"""What Anyon puts into a worktree for the agent; never committed."""

_MOST_COMPLAINTS = 10


def root(resources: Resources) -> Path:
    """Return the directory of all new worktrees."""
    return resources.paths.worktrees(resources.config.config.workspace_dir)


async def prepare_root(resources: Resources) -> None:
    """Make the place of worktrees, and keep it out of a repository that it may lie in.

    Raises:
        Impossible: it cannot be made, or others could change what lies in it.
    """
    try:
        await trio.to_thread.run_sync(_make_root, root(resources))
    except OSError as error:
        why = f"{error.filename or root(resources)} cannot be made: {error.strerror}."
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


def planned_path(resources: Resources, project: Project, attempt: TaskAttempt) -> Path:
    """Return the path for the worktree of an attempt, unless it was begun elsewhere before."""
    name = f"{branches.slug(project.name)}-{project.id[:8]}"
    return root(resources) / name / attempt.branch.rsplit("/", 1)[-1]


async def is_gone(subject: Subject) -> bool:
    """Return whether the worktree was there and is not any more; `prepare` brings back what git
    has.
    """
    where = subject.attempt.container_ref
    return where is not None and not await trio.to_thread.run_sync(os.path.isdir, where)


async def prepare(resources: Resources, subject: Subject, *, alone: bool = True) -> Subject:
    """Make the worktree if it does not exist yet; bring it back from its branch if it is gone.

    That it is where the row says, and belongs to the repository, is looked at and not believed; it
    is found again if the data directory or the repository was moved. What a person should know of
    that goes into the next log of the attempt.

    Args:
        alone: whether nobody else is at work in it, so that index and files may be changed.

    Returns:
        The subject with the attempt as it is then: `container_ref` is set.

    Raises:
        ToolFailed, Impossible: git could not make it. Nothing half-made is left behind.
    """
    attempt, project = subject.attempt, subject.project
    await require_own(resources, subject)
    if attempt.container_ref is not None:
        subject = await _moved(resources, subject)
        path = subject.worktree
        await bring_branch_back(resources, subject)
        found = await repair.ensure(
            resources.repositories, subject.repository, path, attempt.branch
        )
        await remarks.leave(resources, attempt.id, found.remarks)
        if found.what == "recreated":
            await _furnish(resources, subject, path)
            await resources.store.write(
                lambda tx: attempts.set_worktree_deleted(tx, attempt.id, False, now())
            )
        else:
            if found.what == "repaired":
                await _bring_submodules(resources, subject, path)
            if alone:
                await follow(resources, subject)
        return subject
    planned = str(planned_path(resources, project, attempt))
    path = Path(
        await resources.store.write(lambda tx: planned_worktrees.put(tx, attempt.id, planned))
    )
    texts: list[str] = []
    if await branches.exists(subject.repository, attempt.branch):
        # A daemon that was killed while it made the worktree had come so far.
        await _wait_for_git(path)
        found = await repair.ensure(
            resources.repositories, subject.repository, path, attempt.branch
        )
        texts += found.remarks
        base = await branches.commit(subject.repository, f"refs/heads/{attempt.branch}")
    else:
        base = await worktrees.add(
            resources.repositories,
            subject.repository,
            path,
            attempt.branch,
            attempt.target_branch,
            report=texts.append,
        )
    place = project.subdirectory
    if place and not await trio.Path(path / place).is_dir():
        texts.append(f"There is no directory {place} in {attempt.target_branch}: it starts above.")
    await remarks.leave(resources, attempt.id, texts)
    await _furnish(resources, subject, path)

    def made(tx: Tx) -> TaskAttempt:
        planned_worktrees.delete(tx, attempt.id)
        attempts.set_base_commit(tx, attempt.id, base)
        return attempts.set_container(tx, attempt.id, str(path), now())

    updated = await resources.store.write(made)
    return replace(subject, attempt=updated)


async def require_own(resources: Resources, subject: Subject) -> None:
    """Make sure that the worktree is this data directory's, and not that of one that it is a copy
    of.

    Raises:
        WorktreeElsewhere: it is not.
    """
    attempt = subject.attempt
    owner = await resources.store.read(lambda r: data_directory.owner(r, attempt.id))
    if owner is not None:
        where = attempt.container_ref or planned_path(resources, subject.project, attempt)
        raise WorktreeElsewhere(Path(where), owner)


async def complete(resources: Resources, subject: Subject) -> None:
    """Complete a worktree in whose making a daemon was killed; nothing if git had not begun.

    Raises:
        See `prepare`.
    """
    attempt = subject.attempt
    if attempt.container_ref is None and await branches.exists(subject.repository, attempt.branch):
        await prepare(resources, subject)


async def bring_branch_back(resources: Resources, subject: Subject) -> None:
    """Make the branch of the attempt again, if somebody has deleted it below its worktree.

    Raises:
        GitFailed: it cannot be made; its commits are kept all the same.
    """
    attempt = subject.attempt

    def known(reader: Reader) -> list[str]:
        rows = processes.of_attempt(reader, attempt.id, True)
        heads = [oid for row in rows for oid in (row.after_head_commit, row.before_head_commit)]
        return list(dict.fromkeys(oid for oid in heads if oid is not None))

    texts = await lost_branch.bring_back(
        subject.repository,
        subject.worktree,
        attempt.branch,
        attempt.id,
        await resources.store.read(known),
    )
    await remarks.leave(resources, attempt.id, texts)


async def follow(resources: Resources, subject: Subject) -> None:
    """Bring the worktree to where somebody has moved its branch from elsewhere.

    Before anything is committed there: a commit would take back what came.

    Raises:
        Conflict: `branch_moved`: uncommitted changes are in the way; nothing has changed.
    """
    texts = await moved_branch.follow(subject.worktree, subject.attempt.id)
    await remarks.leave(resources, subject.attempt.id, texts)


async def set_odd_files_aside(resources: Resources, subject: Subject) -> None:
    """Before git is asked for anything: nothing may lie in the worktree for which it would wait."""
    attempt = subject.attempt
    if attempt.container_ref is None:
        return
    try:
        shared = await common_dir(subject.repository)
    except AnyondError as error:
        log.warning("no_repository", attempt=attempt.id, why=str(error))
        return
    texts = await trio.to_thread.run_sync(odd_files.set_aside, subject.worktree, shared)
    await remarks.leave(resources, attempt.id, texts)


async def find_or_repair(resources: Resources, subject: Subject) -> Subject:
    """The attempt with its worktree where it really is, mended if git has lost its record of it.

    Raises:
        Conflict: `no_worktree`: it was never made; `branch_checked_out`.
        NotFound: it is gone, or its branch is.
    """
    subject = await _moved(resources, subject)
    path, attempt = subject.worktree, subject.attempt
    if not await trio.to_thread.run_sync(os.path.isdir, path):
        return await find_again(resources, subject)
    found = await repair.ensure(resources.repositories, subject.repository, path, attempt.branch)
    await remarks.leave(resources, attempt.id, found.remarks)
    if found.what == "recreated":
        await _furnish(resources, subject, path)
    elif found.what == "repaired":
        await _bring_submodules(resources, subject, path)
    return subject


async def find_again(resources: Resources, subject: Subject) -> Subject:
    """The attempt with its worktree where it really is, linked to its repository; nothing is made.

    Raises:
        Conflict: `no_worktree`: it was never made.
        NotFound: it is gone, or what is there is no worktree of the repository.
    """
    subject = await _moved(resources, subject)
    here = partial(repair.belongs, subject.worktree, subject.repository)
    if await trio.to_thread.run_sync(here):
        return subject
    found = await repair.relink(resources.repositories, subject.repository, subject.worktree)
    await remarks.leave(resources, subject.attempt.id, found)
    return subject


async def find_all_again(resources: Resources, project_id: str | None = None) -> None:
    """Look for the worktrees of all attempts, after a data directory or a repository may have been
    moved. What is not found is looked for again by whoever needs it.

    Args:
        project_id: only those of this project.
    """
    for attempt in await resources.store.read(attempts.fetch_all):
        try:
            subject = await read(resources, attempt.id)
            concerned = project_id in (None, subject.project.id)
            if concerned and attempt.container_ref is not None:
                await find_again(resources, subject)
        except AnyondError as error:
            log.info("worktree_not_found", attempt=attempt.id, why=str(error))


async def _moved(resources: Resources, subject: Subject) -> Subject:
    """The attempt with the place that its worktree has now, if its directory was moved.

    Worktrees lie in the data directory, and people move that, or a backup of it comes back under
    another name. What is gone with its old root is looked for, and made again, in the root of now.
    """
    await require_own(resources, subject)
    old, id = subject.worktree, subject.attempt.id
    new = root(resources) / old.parent.name / old.name
    state = await trio.to_thread.run_sync(_state, old, new)
    if state == "stays":
        return subject
    updated = await resources.store.write(
        lambda tx: attempts.set_container(tx, id, os.fspath(new), now())
    )
    what = "was found" if state == "found" else "is made again"
    await remarks.leave(
        resources, id, [f"There is nothing at {old}; the worktree {what} at {new}."]
    )
    return replace(subject, attempt=updated)


def _state(old: Path, new: Path) -> Literal["stays", "found", "gone"]:
    if new == old or os.path.lexists(old):
        return "stays"
    if os.path.lexists(new / ".git"):
        return "found"
    return "stays" if os.path.isdir(old.parent.parent) else "gone"


async def _wait_for_git(path: Path) -> None:
    """Let a git that outlived its daemon finish with a worktree that is still being made."""
    await survivors.let_finish((str(path),), seconds=CHECKOUT_TIMEOUT_S)
    own = await trio.to_thread.run_sync(git_dir, path)
    if own is not None and not await locks.gone(own / "index.lock", CHECKOUT_TIMEOUT_S):
        raise Locked(own / "index.lock")


async def _furnish(resources: Resources, subject: Subject, path: Path) -> None:
    """Bring along what the project wants copied, and keep it out of commits."""
    project = subject.project
    patterns, source = project.copy_files, Path(project.git_repo_path)
    await excludes.exclude(resources.repositories, path, [OWN_FILES])
    await _bring_submodules(resources, subject, path)
    if not patterns or not patterns.strip():
        return
    others, below = root(resources), Path(project.subdirectory)
    chosen = partial(copy_files.names, patterns, source, without=others)
    found = [os.fspath(below / name) for name in await trio.to_thread.run_sync(chosen)]
    # Before they are there: a daemon that is killed in between must not leave them to be committed.
    hidden = await excludes.hide(resources.repositories, path, found)
    await trio.to_thread.run_sync(ignored_copies.remember, path, project.repository, hidden)
    copying = partial(copy_files.copy, patterns, source, path / below, without=others)
    _, complaints = await trio.to_thread.run_sync(copying)
    if len(complaints) > _MOST_COMPLAINTS:
        rest = len(complaints) - _MOST_COMPLAINTS
        complaints = [*complaints[:_MOST_COMPLAINTS], f"copy_files: {rest} more were not copied."]
    await remarks.leave(resources, subject.attempt.id, complaints)


async def _bring_submodules(resources: Resources, subject: Subject, path: Path) -> None:
    """Check out those that are not there: of a new worktree all, or of one that was emptied."""
    which = resources.config.config.submodules
    missing = await submodule_checkouts.bring(subject.repository, path, which)
    await remarks.leave(resources, subject.attempt.id, missing, is_error=False)
