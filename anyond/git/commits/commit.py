"""Committing everything in a worktree as one commit, or changing nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import trio

from anyond.git.commits.oversize import oversized
from anyond.git.diff.status import in_progress
from anyond.git.diff.unedited import settle
from anyond.git.disk.scratch import scratch
from anyond.git.program.command import failure, git
from anyond.git.program.parsing import gitlinks, parsed
from anyond.git.program.text import as_utf8, split
from anyond.git.repo.checkouts import inside, require
from anyond.git.repo.repository import empty_tree, git_dir, identity
from anyond.git.worktree.worktrees import head
from anyond.model.errors import AnyondError
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.model.refusals.worktrees import Dirty, operation_in_progress

# Git does not wait for the disk when it writes single objects, which is fast, and loses the commit
# when the power goes. What Anyon commits in somebody's absence must be there afterwards.
DURABLE = ("-c", "core.fsync=added", "-c", "core.fsyncMethod=batch")

# Whoever commits by hand may want to hear that line ends will differ in a new checkout. Nobody is
# there to decide, and what is stored is the same.
_AS_IT_COMES = ("-c", "core.safecrlf=false")

# Messages and names are given to git in UTF-8, whatever the repository's commits are labelled with.
UTF_8 = ("-c", "i18n.commitEncoding=UTF-8", "-c", "i18n.logOutputEncoding=UTF-8")


async def commit_all(worktree: Path, message: str, branch: str | None = None) -> str | None:
    """Commit everything that is not ignored. Hooks and signing apply.

    What nobody edited is not committed, even if git would store it differently (see `unedited`).

    New files that are very large are left uncommitted (see `oversize`), and so is a repository
    inside the worktree that has no commit yet. Files outside of a sparse checkout's patterns are
    committed if they exist.

    Args:
        worktree: the top of a checkout.
        message: the message as it is; lines that start with "#" are kept.
        branch: where the commit belongs; None: wherever HEAD is.

    Returns:
        The new commit, or None if there was nothing to commit.

    Raises:
        Invalid: the message is empty.
        Conflict: `rebase_in_progress`, `merge_in_progress` and so on, or `dirty`, with `files`,
            after a squash or a stash: it would take files with conflict markers for resolved.
            `off_branch`: something else than `branch` is checked out.
        GitFailed: git or a hook refused. The index is as it was; files that the hook changed are
            not put back.
    """
    text = message.strip()
    if not text or "\0" in text:
        raise Invalid("message", "a commit needs a message.")
    own = git_dir(worktree)
    if own is None:
        raise NotFound("worktree", worktree)
    going_on = await in_progress(worktree)
    if going_on is not None:
        raise operation_in_progress(going_on.op, worktree)
    await refuse_unmerged(worktree)
    if branch is not None:
        await require(worktree, branch)
    who = await identity(worktree)
    before = await head(worktree)
    with scratch(own) as private:
        copy = private / "index"
        await trio.to_thread.run_sync(_keep, own / "index", copy)
        try:
            await settle(worktree)
            leave = [*await _checkouts_inside(worktree)]
            leave += [file.path for file in await oversized(worktree)]
            await stage_all(worktree, leave=leave)
            if not await _has_staged(worktree, before):
                return None
            ask = (*DURABLE, *UTF_8, "commit", "--quiet", "--cleanup=whitespace", "--file=-")
            data = text.encode("utf-8", "surrogateescape") + b"\n"
            await git(*ask, cwd=worktree, env=who, input=data, timeout=1800, lasting=True)
        except BaseException as error:
            with trio.CancelScope(shield=True):
                # A commit that was made although its maker was stopped stays made.
                made = await head(worktree) != before
                if not made:
                    await trio.to_thread.run_sync(_restore, own / "index", copy)
            if not made or not isinstance(error, AnyondError):
                raise
    return await head(worktree)


async def stage_all(
    worktree: Path,
    env: dict[str, str] | None = None,
    settings: Sequence[str] = (),
    leave: Sequence[str] = (),
) -> None:
    """`git add --all`, except that one file that cannot be added does not hold up the others.

    Args:
        settings: `-c` options of git.
        leave: paths, relative to the worktree, that are left as they are.

    Raises:
        GitFailed: nothing could be added.
    """
    # Git would have a look into each repository inside, with whatever is configured there.
    inside = await _entered(worktree, env)
    ask: tuple[str, ...] = ("add", "--all", "--sparse", "--ignore-errors")
    if leave or inside:
        apart = dict.fromkeys((*leave, *inside))
        ask = (*ask, "--", ".", *(f":(exclude,literal){path}" for path in apart))
    added = await git(
        *DURABLE, *_AS_IT_COMES, *settings, *ask, cwd=worktree, env=env, check=False, timeout=1800
    )
    if added.code not in (0, 1):
        raise failure(ask, added)
    for path in inside:
        if path not in leave:
            # One without a commit cannot be added, and is none the less.
            one = ("update-index", "--", path)
            await git(*DURABLE, *settings, *one, cwd=worktree, env=env, check=False)


async def _entered(worktree: Path, env: dict[str, str] | None) -> list[str]:
    """Paths that the index has as a commit of a repository, and where one is."""
    staged = (await git("ls-files", "--stage", "-z", cwd=worktree, env=env)).out
    paths = await parsed(staged, gitlinks)
    return await trio.to_thread.run_sync(_repositories, worktree, paths) if paths else []


def _repositories(worktree: Path, paths: Sequence[str]) -> list[str]:
    return [path for path in paths if os.path.lexists(worktree / path / ".git")]


async def _checkouts_inside(worktree: Path) -> list[str]:
    """Other checkouts of the same repository that somebody has made inside of this one.

    Agents do that. Git would commit each as a mere link, which means nothing anywhere else.
    """
    return [*await inside(worktree)]


async def refuse_unmerged(worktree: Path) -> None:
    """Git keeps no record of a squash or a stash that does not fit, except for the files.

    Raises:
        Conflict: `dirty`, with `files`: some are in conflict.
    """
    listed = split((await git("ls-files", "--unmerged", "-z", cwd=worktree)).out)
    files = [as_utf8(path) for path in dict.fromkeys(line.split("\t", 1)[1] for line in listed)]
    if files:
        raise Dirty.unresolved(files)


async def _has_staged(worktree: Path, before: str | None) -> bool:
    base = before or await empty_tree(worktree)
    ask = ("diff-index", "--cached", "--name-only", "-z", "--no-ext-diff", base, "--")
    return bool((await git(*ask, cwd=worktree)).out)


def _keep(index: Path, copy: Path) -> None:
    with suppress(FileNotFoundError):
        shutil.copy2(index, copy)


def _restore(index: Path, copy: Path) -> None:
    """Put the index back, by git's own rules: whoever has made `index.lock` may replace it."""
    lock = index.with_name("index.lock")
    try:
        descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        # Somebody else is changing the index now; to be staged is no loss.
        return
    os.close(descriptor)
    if copy.exists():
        shutil.copy2(copy, lock)
        lock.replace(index)
    else:
        index.unlink(missing_ok=True)
        lock.unlink()
