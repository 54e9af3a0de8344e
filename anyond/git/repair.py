"""How a checkout that is broken or gone is mended without losing anything that is in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from anyond.git import branches, checkouts
from anyond.git.checkouts import (
    CHECKOUT_TIMEOUT_S,
    PARALLEL,
    fill,
    is_real_dir,
    make_parent,
    occupied,
    same,
)
from anyond.git.command import git
from anyond.git.repository import Repositories, common_dir, git_dir
from anyond.git.status import in_progress
from anyond.git.text import shown
from anyond.model.errors import Conflict, NotFound


@dataclass(frozen=True)
class Ensured:
    """What `ensure` found or did.

    Args:
        what: `present`: nothing was to do. `repaired`: the link between the repository and the
            directory was mended, or the files were restored from the index; an unfinished rebase
            goes on. `recreated`: a new checkout of the branch.
        on_branch: whether the wanted branch is checked out, or being rebased, there.
        saved: where a directory that was in the way is now.
    """

    what: Literal["present", "repaired", "recreated"]
    on_branch: bool
    saved: Path | None = None


async def ensure(repos: Repositories, repo: Path, path: Path, branch: str) -> Ensured:
    """Make sure that `path` is a checkout of the repository, and say whether `branch` is in it.

    A directory that holds anything is never deleted: it is linked to the repository again if it
    once was, or else moved aside to `<path>.saved-<n>`.

    Raises:
        NotFound: a new checkout is needed, and the branch is gone.
        Conflict: `branch_checked_out`: a new checkout is needed, and the branch is in another one.
    """
    shared = await common_dir(repo)
    if _is_linked(path, shared):
        if await _complete(path):
            return Ensured("present", await _is_on(path, branch))
        return Ensured("repaired", await _is_on(path, branch))
    async with repos.lock(repo):
        if await _repair(shared, path):
            return Ensured("repaired", await _is_on(path, branch))
        tip = await branches.find(repo, branch)
        if tip is None or tip.is_remote:
            raise NotFound("branch", shown(branch))
        for other in await checkouts.list(repo):
            if other.branch == branch and not other.prunable:
                where = f"The branch {branch} is checked out in {other.path}."
                raise Conflict("branch_checked_out", where)
        adopt = _was_linked(path, shared)
        saved = _move_aside(path)
        make_parent(path)
        # --force, because a checkout of the branch may be on record whose directory is gone.
        quiet = ("--quiet", "--force", "--no-checkout")
        await git("worktree", "add", *quiet, "--", path, branch, cwd=repo)
        if saved and adopt:
            _bring_back(saved, path)
            await git("reset", "--quiet", "--mixed", cwd=path)
            return Ensured("repaired", on_branch=True)
    await fill(path)
    return Ensured("recreated", on_branch=True, saved=saved)


def _is_linked(path: Path, shared: Path) -> bool:
    """Whether `path` is the top of a checkout of the repository, for git as for us."""
    own = git_dir(path)
    if own is None:
        return False
    if own == path / ".git":
        return own.resolve() == shared
    return own.resolve().parent.parent == shared and same(_linked_to(own), path)


async def _is_on(path: Path, branch: str) -> bool:
    going_on = await in_progress(path)
    if going_on is not None and going_on.branch is not None:
        return going_on.branch == branch
    return await checkouts.current_branch(path) == branch


async def _complete(path: Path) -> bool:
    """Finish a checkout that was interrupted before git had written its index; True if it was not.

    What lies there already is not overwritten.
    """
    own = git_dir(path)
    if own is None or (own / "index").exists() or await checkouts.head(path) is None:
        return True
    await git("reset", "--quiet", "--mixed", cwd=path)
    await _restore_missing(path)
    return False


async def _restore_missing(path: Path) -> None:
    """Write the files that the index has and the directory has not.

    From the index, not from HEAD: what was staged is still there, and a rebase goes on. It does not
    matter that git complains about paths in conflict, which have no one content, and about files
    that are there already.
    """
    ask = (*PARALLEL, "checkout-index", "--all", "--quiet", "--index")
    await git(*ask, cwd=path, check=False, timeout=CHECKOUT_TIMEOUT_S)


async def _repair(shared: Path, path: Path) -> bool:
    """Link `path` with what the repository still has on record of it; False if it has nothing."""
    how = _link_again(shared, path)
    if how == "emptied" and await _complete(path):
        await _restore_missing(path)
    return how != "unknown"


def _link_again(shared: Path, path: Path) -> Literal["linked", "emptied", "unknown"]:
    own = next((own for own in _records(shared) if same(_linked_to(own), path)), None)
    if own is None:
        moved = git_dir(path)
        if moved is None or moved.resolve().parent != shared / "worktrees":
            return "unknown"
        if _linked_to(moved).exists():
            # A copy of another checkout, which has the better right to the record.
            return "unknown"
        (moved / "gitdir").write_bytes(os.fsencode(path.resolve() / ".git") + b"\n")
        return "linked"
    if (path / ".git").is_dir() or (os.path.lexists(path) and not is_real_dir(path)):
        return "unknown"
    path.mkdir(parents=True, exist_ok=True)
    empty = not any(path.iterdir())
    (path / ".git").write_bytes(b"gitdir: " + os.fsencode(own) + b"\n")
    return "emptied" if empty else "linked"


def _records(shared: Path) -> list[Path]:
    try:
        return sorted((shared / "worktrees").iterdir())
    except FileNotFoundError:
        return []


def _linked_to(own: Path) -> Path:
    """The directory of the checkout whose record is `own`."""
    try:
        link = os.fsdecode((own / "gitdir").read_bytes().rstrip(b"\r\n"))
    except OSError:
        # A record that was cut short by a crash belongs to nobody.
        return own
    return (own / link).parent


def _was_linked(path: Path, shared: Path) -> bool:
    """Whether `path` is a checkout of this repository whose record is gone."""
    try:
        first = os.fsdecode((path / ".git").read_bytes().split(b"\n", 1)[0])
    except OSError:
        # Nothing there, or a directory: then it is a repository of its own.
        return False
    own = path / first.removeprefix("gitdir: ")
    return first.startswith("gitdir: ") and own.parent.resolve() == shared / "worktrees"


def _move_aside(path: Path) -> Path | None:
    if not occupied(path):
        return None
    number = 1
    while os.path.lexists(saved := path.with_name(f"{path.name}.saved-{number}")):
        number += 1
    path.rename(saved)
    return saved


def _bring_back(saved: Path, path: Path) -> None:
    """Give the directory that was moved aside the fresh link, and its old place."""
    (path / ".git").replace(saved / ".git")
    path.rmdir()
    saved.rename(path)
