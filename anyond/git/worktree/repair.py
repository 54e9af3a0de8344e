"""Repairing a checkout that is broken or gone without losing anything that is in it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import trio

from anyond.git.diff.status import in_progress
from anyond.git.disk import plain_files
from anyond.git.disk.durable import repair_worktree, sync_worktree
from anyond.git.disk.locations import linked_to, named_git_dir, remember, shared_by
from anyond.git.disk.scratch import scratch
from anyond.git.program.command import failure, git
from anyond.git.program.text import as_utf8
from anyond.git.repo import branches, checkouts
from anyond.git.repo.checkouts import (
    CHECKOUT_TIMEOUT_S,
    PARALLEL,
    Report,
    fill,
    is_real_dir,
    make_parent,
    occupied,
)
from anyond.git.repo.repository import Repositories, common_dir, common_dir_at, git_dir
from anyond.model.refusals.requests import NotFound
from anyond.model.refusals.worktrees import BranchCheckedOut
from anyond.real_path import same_place

_EMPTIED = "anyon-emptied"
"""In the git directory of a worktree: its files are to be written from its index again."""


@dataclass(frozen=True)
class Ensured:
    """The findings and repairs of `ensure`.

    Args:
        what: `present`: nothing was to do. `repaired`: the link between the repository and the
            directory was mended, or the files were restored from the index; an unfinished rebase
            goes on. `recreated`: a new checkout of the branch.
        on_branch: whether the wanted branch is checked out, or being rebased, there.
        saved: where a directory that was in the way is now.
        remarks: what a person should know of it, in sentences.
    """

    what: Literal["present", "repaired", "recreated"]
    on_branch: bool
    saved: Path | None = None
    remarks: tuple[str, ...] = field(default=(), compare=False)


async def ensure(repos: Repositories, repo: Path, path: Path, branch: str) -> Ensured:
    """Make sure that `path` is a checkout of the repository, and say whether `branch` is in it.

    A directory that holds anything is never deleted: it is linked to the repository again if it
    once was, or else moved aside to `<path>.saved-<n>`. A repository that somebody has made in its
    place (`git init`) is moved out to `<path>.git.saved-<n>`; the files stay, and so does it.

    Raises:
        NotFound: a new checkout is needed, and the branch is gone.
        Conflict: `branch_checked_out`: a new checkout is needed, and the branch is in another one.
    """
    shared = await common_dir(repo)
    remember(path, shared)
    remarks: list[str] = []
    if await trio.to_thread.run_sync(repair_worktree, shared, _record_of(shared, path), branch):
        remarks.append(
            "The index of the worktree was damaged, as a power loss leaves it; it was made again. "
            "What was staged is as it is in the files."
        )
    if is_linked(path, shared):
        if await _complete(path):
            return Ensured("present", await _is_on(path, branch))
        return Ensured("repaired", await _is_on(path, branch), remarks=tuple(remarks))
    async with repos.lock(repo):
        if await _repair(shared, path, remarks.append):
            return Ensured("repaired", await _is_on(path, branch), remarks=tuple(remarks))
        tip = await branches.find(repo, branch)
        if tip is None or tip.is_remote:
            raise NotFound("branch", as_utf8(branch))
        for other in await checkouts.list_checkouts(repo):
            if other.branch == branch and not other.prunable:
                raise BranchCheckedOut(branch, other.path)
        adopt = _was_linked(path, shared)
        saved = _move_aside(path)
        make_parent(path)
        # --force, because a checkout of the branch may be on record whose directory is gone.
        quiet = ("--quiet", "--force", "--no-checkout")
        await git("worktree", "add", *quiet, "--", path, branch, cwd=repo, lasting=True)
        if saved and adopt:
            _bring_back(saved, path)
            await git("reset", "--quiet", "--mixed", cwd=path)
            remarks.append(
                f"Git's record of {path} was gone and was made again. The files are as they were; "
                "nothing is staged any more."
            )
            return Ensured("repaired", on_branch=True, remarks=tuple(remarks))
    if saved is not None:
        remarks.append(
            f"What lay at {path} was no worktree of {repo}. It is in {saved} now, and the worktree "
            f"was made again from the branch {branch}."
        )
    await fill(path, remarks.append)
    await sync(path)
    return Ensured("recreated", on_branch=True, saved=saved, remarks=tuple(remarks))


async def relink(repos: Repositories, repo: Path, path: Path) -> list[str]:
    """Link a worktree to its repository again, if both are there: one of them was moved, or the
    `.git` of the worktree was replaced. Nothing else is made or moved.

    Returns:
        What a person should know of it, in sentences.

    Raises:
        NotFound: there is no repository, or no worktree of it at `path`.
    """
    shared = await common_dir(repo)
    remember(path, shared)
    remarks: list[str] = []
    if not is_linked(path, shared):
        async with repos.lock(repo):
            if _relink(shared, path, remarks.append) == "unknown":
                raise NotFound("worktree", path)
    return remarks


def belongs(path: Path, repo: Path) -> bool:
    """Return whether `path` is a linked worktree of the repository whose main or other checkout is
    `repo`, for git as for us. Blocks on the disk.
    """
    common = common_dir_at(repo)
    return common is not None and is_linked(path, common)


def is_linked(path: Path, shared: Path) -> bool:
    """Return whether `path` is the top of a linked worktree of the repository, for git as for us.

    The main checkout is none, and a `.git` that is a link to a directory leads to no worktree.
    """
    own = named_git_dir(path)
    if own is None or own == path / ".git":
        return False
    ours = own.resolve().parent.parent == shared and same_place(shared_by(own), shared)
    return ours and same_place(linked_to(own), path)


async def sync(path: Path) -> None:
    """Let a worktree that was just made survive a power loss, though not its files."""
    own = git_dir(path)
    if own is not None:
        await trio.to_thread.run_sync(sync_worktree, path, own)


async def _is_on(path: Path, branch: str) -> bool:
    going_on = await in_progress(path)
    if going_on is not None and going_on.branch is not None:
        return going_on.branch == branch
    return await checkouts.current_branch(path) == branch


async def _complete(path: Path) -> bool:
    """Finish a checkout that was interrupted before git had written its index, or whose directory
    was found emptied; True if there was nothing to do.

    What lies there already is not overwritten. The index comes last: a checkout that has one is
    taken for complete, also by the next daemon if this one is killed here.

    Raises:
        GitFailed: git did not come to its end.
    """
    own = git_dir(path)
    if own is None or await checkouts.head(path) is None:
        return True
    emptied = own / _EMPTIED
    if (own / "index").exists():
        if not emptied.exists():
            return True
        await _restore_missing(path)
        emptied.unlink(missing_ok=True)
        return False
    with scratch(own) as private:
        index = private / "index"
        env = {"GIT_INDEX_FILE": os.fspath(index)}
        await git("reset", "--quiet", "--mixed", cwd=path, env=env)
        await _restore_missing(path, env)
        index.replace(own / "index")
    emptied.unlink(missing_ok=True)
    return False


async def _restore_missing(path: Path, env: Mapping[str, str] | None = None) -> None:
    """Write the files that the index has and the directory has not.

    From the index, not from HEAD: what was staged is still there, and a rebase goes on. It does not
    matter that git complains about paths in conflict, which have no one content, and about files
    that are there already.

    Raises:
        GitFailed: git was killed before it had written all of them.
    """
    ask = (*PARALLEL, "checkout-index", "--all", "--quiet", "--index")
    done = await git(*ask, cwd=path, check=False, timeout=CHECKOUT_TIMEOUT_S, env=env)
    if done.code < 0:
        raise failure(ask, done)


async def _repair(shared: Path, path: Path, report: Report) -> bool:
    """Link `path` with what the repository still has on record of it; False if it has nothing."""
    how = _link_again(shared, path, report)
    if how == "emptied":
        await _complete(path)
    return how != "unknown"


def _relink(shared: Path, path: Path, report: Report) -> str:
    return _link_again(shared, path, report) if path.is_dir() else "unknown"


def _link_again(
    shared: Path, path: Path, report: Report
) -> Literal["linked", "emptied", "unknown"]:
    link = path / ".git"
    if not link.is_symlink() and link.resolve() == shared:
        return "unknown"  # the main checkout: whatever is there is a person's own
    own = _record_of(shared, path)
    if own is None:
        led = _target(link)
        if led is None or led.parent.name != "worktrees":
            return "unknown"
        # Its repository may have been moved as well, and then has the record in its new place.
        moved = led if led.is_dir() else shared / "worktrees" / led.name
        if moved.parent != shared / "worktrees" or not moved.is_dir():
            return "unknown"
        if linked_to(moved).exists():
            # A copy of another checkout, which has the better right to the record.
            return "unknown"
        plain_files.replace(moved / "gitdir", os.fsencode(path.resolve() / ".git") + b"\n")
        if moved != led:
            plain_files.replace(link, b"gitdir: " + os.fsencode(moved) + b"\n")
        return "linked"
    if os.path.lexists(path) and not is_real_dir(path):
        return "unknown"
    if not same_place(shared_by(own), shared):
        plain_files.replace(own / "commondir", b"../..\n")
    path.mkdir(parents=True, exist_ok=True)
    empty = not any(path.iterdir())
    if os.path.lexists(link) and (link.is_symlink() or not link.is_file()):
        saved = _free(path, ".git.saved")
        is_directory = link.is_dir()
        link.rename(saved)  # a mere link, too: what it led to stays where it is
        report(
            f"Somebody has put a repository of its own in the place of {link}. It was moved to "
            f"{saved}, with all its commits; the files are in the attempt's worktree again."
            if is_directory
            else f"What lay at {link} was no file of git's. It is at {saved} now; the files are in "
            "the attempt's worktree again."
        )
    elif link.exists() and own.resolve() != _target(link):
        report(f"{link} led elsewhere, and leads to the attempt's repository again.")
    elif not empty and not link.exists():
        report(f"{link} was missing, and leads to the attempt's repository again.")
    if empty:
        (own / _EMPTIED).touch()  # before the link, with which it looks like any checkout
    plain_files.replace(link, b"gitdir: " + os.fsencode(own) + b"\n")
    return "emptied" if empty else "linked"


def _record_of(shared: Path, path: Path) -> Path | None:
    return next((own for own in _records(shared) if same_place(linked_to(own), path)), None)


def _records(shared: Path) -> list[Path]:
    try:
        return sorted((shared / "worktrees").iterdir())
    except FileNotFoundError:
        return []


def _was_linked(path: Path, shared: Path) -> bool:
    """Return whether `path` is a checkout of this repository whose record is gone."""
    try:
        first = os.fsdecode(plain_files.read(path / ".git").split(b"\n", 1)[0])
    except OSError:
        # Nothing there, or a directory: then it is a repository of its own.
        return False
    own = path / first.removeprefix("gitdir: ")
    return (
        "\0" not in first
        and first.startswith("gitdir: ")
        and own.parent.resolve() == shared / "worktrees"
    )


def _move_aside(path: Path) -> Path | None:
    if not occupied(path):
        return None
    saved = _free(path, ".saved")
    path.rename(saved)
    return saved


def _free(path: Path, what: str) -> Path:
    """A name beside `path` that nothing has yet."""
    number = 1
    while os.path.lexists(free := path.with_name(f"{path.name}{what}-{number}")):
        number += 1
    return free


def _target(link: Path) -> Path | None:
    """Return the target of the `.git` of a worktree, if it can be read."""
    try:
        first = os.fsdecode(plain_files.read(link).split(b"\n", 1)[0])
    except OSError:
        return None
    if "\0" in first:  # the machine lost power before it was on the disk
        return None
    return (link.parent / first.removeprefix("gitdir: ")).resolve()


def _bring_back(saved: Path, path: Path) -> None:
    """Give the directory that was moved aside the fresh link, and its old place."""
    (path / ".git").replace(saved / ".git")
    path.rmdir()
    saved.rename(path)
