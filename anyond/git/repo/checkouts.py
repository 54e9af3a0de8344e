"""Checkouts of a repository: listing them, and writing and deleting their files."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import trio
from msgspec import Struct
from msgspec.structs import replace

from anyond.git.disk.locations import is_remembered, locate, remember
from anyond.git.program.command import failure, git
from anyond.git.program.text import as_utf8, split
from anyond.git.repo import main_checkout
from anyond.git.repo.repository import git_dir
from anyond.model.refusals.programs import ToolFailed
from anyond.model.refusals.worktrees import OffBranch
from anyond.real_path import same_place

CHECKOUT_TIMEOUT_S = 3600.0
WORKERS = min(8, max(1, (os.cpu_count() or 1) - 1))

# Creating files is mostly waiting for the kernel, so several writers are quicker than one. But not
# one for each processor: whoever asks the daemon for something meanwhile must not wait for them.
PARALLEL = ("-c", f"checkout.workers={WORKERS}")


class Worktree(Struct, frozen=True, kw_only=True):
    """One checkout of a repository, as git has it on record.

    Args:
        path: where it is.
        head: the commit that is checked out; None in a bare repository or before the first commit.
        branch: the branch that is checked out; None if HEAD is detached.
        bare: it is the bare repository itself.
        locked: somebody asked git not to touch it.
        prunable: its directory is gone.
        unreachable: why its files would not follow its branch; None if they would.
    """

    path: Path
    head: str | None = None
    branch: str | None = None
    bare: bool = False
    locked: bool = False
    prunable: bool = False
    unreachable: str | None = None


async def list_checkouts(repo: Path) -> list[Worktree]:
    """All checkouts of a repository, the main one first.

    Where the main one is, is found out and not believed (see `main_checkout`). The one that `repo`
    is in is among them, even if somebody has moved it and git does not know yet.
    """
    listed = await git("worktree", "list", "--porcelain", "-z", cwd=repo)
    first, *linked = [_worktree(block) for block in listed.out.split(b"\0\0") if block]
    _remember(repo, linked)
    found = await main_checkout.find(repo)
    main = replace(
        first,
        path=found.path,
        branch=None if found.bare and not found.unreachable else first.branch or found.branch,
        bare=found.bare,
        unreachable=found.unreachable,
    )
    here = await trio.to_thread.run_sync(main_checkout.top, repo)
    own = git_dir(here) if here is not None else None
    known = here is None or any(same_place(tree.path, here) for tree in (main, *linked))
    if here is not None and own is not None and not known and own.parent.name == "worktrees":
        linked.append(Worktree(path=here, head=await head(here), branch=await current_branch(here)))
    return [main, *linked]


async def inside(worktree: Path, repo: Path | None = None) -> dict[str, Worktree]:
    """Other checkouts of the same repository that somebody has made below `worktree`.

    Args:
        repo: anywhere in the repository, where `worktree` is gone.

    Returns:
        Each by its path relative to `worktree`.
    """
    trees = await list_checkouts(repo or worktree)
    return await trio.to_thread.run_sync(_below, worktree, trees)


def _below(top: Path, trees: Iterable[Worktree]) -> dict[str, Worktree]:
    root = top.resolve()
    resolved = ((tree.path.resolve(), tree) for tree in trees)
    return {str(at.relative_to(root)): tree for at, tree in resolved if root in at.parents}


def _remember(repo: Path, linked: Iterable[Worktree]) -> None:
    """Whatever is done in a checkout goes by the record of this repository, as with our own."""
    place = locate(repo)
    if place is None or place.common_dir is None:
        return
    for tree in linked:
        if not (is_remembered(tree.path) or os.path.isdir(tree.path / ".git")):
            remember(tree.path, place.common_dir)


async def head(path: Path) -> str | None:
    """The commit that is checked out, or None if there is none yet."""
    found = await git("rev-parse", "--quiet", "--verify", "HEAD", cwd=path, check=False)
    return found.text if found.code == 0 else None


async def current_branch(path: Path) -> str | None:
    """The branch that is checked out, or None if HEAD is detached."""
    found = await git("symbolic-ref", "--quiet", "HEAD", cwd=path, check=False)
    name = found.text.removeprefix("refs/heads/")
    return name if found.code == 0 else None


async def require(path: Path, branch: str) -> None:
    """Make sure that the branch `branch` is checked out at `path`.

    Raises:
        Conflict: `off_branch`: somebody has checked out something else there.
    """
    there = await current_branch(path)
    if there != branch:
        raise OffBranch(path, as_utf8(there) if there else None, as_utf8(branch))


Report = Callable[[str], None]
"""Is told, in a sentence, what a person should know of something that was done all the same."""


async def fill(path: Path, report: Report | None = None) -> None:
    """Write the files of a checkout that has none; runs the hook that a checkout runs.

    A hook that fails is reported; only a checkout that is not complete then is a failure.

    Raises:
        GitFailed: files are missing.
    """
    ask = (*PARALLEL, "checkout", "--quiet", "--force")
    done = await git(*ask, cwd=path, timeout=CHECKOUT_TIMEOUT_S, check=False, lasting=True)
    if done.code == 0:
        return
    if not await _is_complete(path):
        raise failure(ask, done)
    if report is not None:
        reason = done.err.strip()[-1000:] or f"exit status {done.code}"
        report(f"The hook post-checkout failed in the new worktree, which is complete: {reason}")


async def _is_complete(path: Path) -> bool:
    """Return whether all files of HEAD are there as it has them."""
    own = git_dir(path)
    if own is None or not (own / "index").exists() or (own / "index.lock").exists():
        return False
    ask = ("status", "--porcelain", "-z", "--untracked-files=no")
    looked = await git(*ask, cwd=path, check=False, timeout=CHECKOUT_TIMEOUT_S)
    # A hook may well change files; it is those that are not there that would be missed.
    changes = split(looked.out)
    return looked.code == 0 and not any("D" in change[:2] for change in changes)


def delete(path: Path) -> None:
    """Delete a directory even if programs left directories in it that may not be written to.

    Raises:
        ToolFailed: something in it cannot be deleted; the rest may be gone.
    """
    forced: set[str] = set()

    def force(again: Callable[..., object], name: str, _: object) -> None:
        if not os.path.lexists(name):
            return
        if name in forced:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM), name)
        forced.add(name)
        for blocked in (os.path.dirname(name), name):
            if not os.path.islink(blocked):
                os.chmod(blocked, os.stat(blocked).st_mode | stat.S_IRWXU)
        if again in (os.unlink, os.rmdir):
            again(name)
        else:
            remove(name)

    def remove(name: str | Path) -> None:
        if sys.version_info >= (3, 12):
            shutil.rmtree(name, onexc=force)
        else:
            shutil.rmtree(name, onerror=force)

    try:
        remove(path)
    except OSError as error:
        if error.errno != errno.ENOENT:
            text = f"{error.filename or path} cannot be deleted: {error.strerror}."
            raise ToolFailed("git", text) from error


def occupied(path: Path) -> bool:
    return os.path.lexists(path) and not (is_real_dir(path) and not any(path.iterdir()))


def is_there(path: Path) -> bool:
    """Return whether there is anything, a link that leads nowhere included."""
    return os.path.lexists(path)


def make_parent(path: Path) -> None:
    """Make the directory that `path` is to lie in.

    Raises:
        ToolFailed: that is not possible.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = f"{path.parent} cannot be made: {error.strerror}."
        raise ToolFailed("git", why) from error


def _worktree(block: bytes) -> Worktree:
    fields: dict[str, str] = {}
    for line in split(block):
        key, _, value = line.partition(" ")
        fields[key] = value
    oid = fields.get("HEAD", "")
    branch = fields.get("branch")
    return Worktree(
        path=Path(fields["worktree"]),
        head=oid if oid.strip("0") else None,
        branch=branch.removeprefix("refs/heads/") if branch else None,
        bare="bare" in fields,
        # So git marks a worktree while it is being added; after a crash the mark stays.
        locked=fields.get("locked", "initializing") != "initializing",
        prunable="prunable" in fields,
    )


def is_real_dir(path: Path) -> bool:
    return os.path.isdir(path) and not path.is_symlink()
