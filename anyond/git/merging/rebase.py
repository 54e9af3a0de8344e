"""Rebasing an attempt's own commits onto another commit; if it fails, nothing has changed.

Theory of operation. Everything that can refuse a rebase is looked at before git is asked: an
unfinished operation, local changes, files in the way (ignored ones too, which git would overwrite
without a word). What is left is a conflict between commits. That stays as git leaves it, for an
agent or a person to resolve; whatever else stops a rebase in the middle is undone.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import trio
from msgspec import Struct
from msgspec.structs import replace

from anyond.git.commits.commit import DURABLE
from anyond.git.diff.obstacles import in_the_way
from anyond.git.diff.status import in_progress, status
from anyond.git.diff.unedited import settle
from anyond.git.disk import survivors
from anyond.git.disk.locks import LockWait
from anyond.git.files.required_filters import refuse_missing
from anyond.git.merging import merge_content
from anyond.git.merging.merge_in_memory import merged_tree
from anyond.git.program.command import Output, failure, git
from anyond.git.program.text import as_utf8
from anyond.git.repo import branches
from anyond.git.repo.branches import Tip
from anyond.git.repo.checkouts import CHECKOUT_TIMEOUT_S, PARALLEL, current_branch, require
from anyond.git.repo.distance import nothing_in_common
from anyond.git.repo.repository import Repositories, git_dir, identity
from anyond.git.snapshots.reset import abort
from anyond.model.errors import Conflict
from anyond.model.refusals.merging import MergeConflicts
from anyond.model.refusals.requests import NotFound
from anyond.model.refusals.worktrees import FINISH_FIRST, Dirty, operation_in_progress

# Nothing that a person has configured may stash, sign off, move other branches or take conflicts
# for resolved: the answer has to say what has happened.
_PLAINLY = (
    "--merge",
    "--no-autostash",
    "--no-autosquash",
    "--no-rebase-merges",
    "--no-rerere-autoupdate",
    "--no-stat",
    "--no-update-refs",
    "--empty=drop",
)

_STATE = "rebase-merge"
"""Where git keeps how far a rebase has come."""


class Plan(Struct, frozen=True):
    """A rebase that could begin.

    Args:
        branch: what is rebased.
        tip: its commit now.
        since: the last commit that is not its own.
        onto: the commit that it is put on.
        resolved: merge commits among its own have resolved conflicts, which nothing repeats.
    """

    branch: str
    tip: str
    since: str
    onto: str
    resolved: bool = False


async def plan(
    worktree: Path, branch: str, old_base: Tip | None, new_base: Tip, left: str | None = None
) -> Plan:
    """Find out what is to be rebased; nothing is changed.

    The commits of `branch` itself begin where it left `old_base`, also if that was rewritten since
    (its reflog knows, or we do), so that what it had then is not carried along.

    Args:
        worktree: the checkout of `branch`.
        old_base: None if it is gone.
        left: the commit of the old base where the branch once began, if that is known. Without
            this and the old base, what the new base does not have counts as the branch's own.

    Raises:
        Conflict: `rebase_in_progress` and so on, `off_branch`, `dirty` (with `files`), or
            `unrelated_histories`. `merge_commits`: some have changed files (`files`) themselves,
            which a rebase would leave out.
    """
    going_on = await in_progress(worktree)
    if going_on is not None:
        raise operation_in_progress(going_on.op, worktree, FINISH_FIRST)
    await require(worktree, branch)
    local = await status(worktree, untracked="no")
    if not local.clean:
        files = [as_utf8(path) for path in (*local.changed, *local.conflicted)]
        raise Dirty.uncommitted(files)
    tip = await branches.commit(worktree, f"refs/heads/{branch}")
    since = await _since(worktree, old_base, new_base, tip, left)
    changed, resolved = await merge_content.of_range(worktree, since, tip)
    if changed:
        raise merge_content.refusal(changed)
    return Plan(branch, tip, since, new_base.oid, resolved)


async def rebase(repos: Repositories, worktree: Path, planned: Plan) -> None:
    """Do what was planned. Untracked files stay.

    Raises:
        MergeConflicts: two commits do not fit; the rebase is in progress and waits.
        Conflict: `dirty`: files in the worktree would be overwritten; `merge_commits`: what a
            merge commit had resolved would be lost. Nothing has changed.
        GitFailed, Locked: git or a hook refused; nothing has changed.

    Cancellation leaves the branch as it was.
    """
    async with repos.lock(worktree):
        files = await in_the_way(worktree, planned.tip, planned.onto)
        if files:
            raise _obstructed(files)
        await refuse_missing(worktree, planned.tip, planned.onto)
        await settle(worktree)
        ask = (*DURABLE, *PARALLEL, "rebase", *_PLAINLY, "--onto", planned.onto, planned.since)
        who, lock_wait = await identity(worktree), LockWait()
        while (done := await _run(worktree, ask, who)).code != 0:
            if await _is_over(worktree, planned):
                break  # it was killed when it had done its work
            if not await lock_wait.waited(done.err):
                raise _refusal(ask, done)
        if planned.resolved:
            await _compare_with_merge(worktree, planned)


async def _is_over(worktree: Path, planned: Plan) -> bool:
    return bool(
        await finished(worktree, worktree, planned.branch, tip=planned.tip, onto=planned.onto)
    )


async def _compare_with_merge(worktree: Path, planned: Plan) -> None:
    """Undo a rebase that has not come to what a merge would: then a resolution got lost."""
    try:
        expected = await merged_tree(worktree, planned.onto, planned.tip)
        found = await git("rev-parse", "--verify", "HEAD^{tree}", cwd=worktree)
        if found.text == expected:
            return
    except Conflict:
        pass  # a merge would need somebody's decision, which the rebase cannot have taken
    with trio.CancelScope(shield=True):
        ask = (*PARALLEL, "reset", "--hard", "--quiet", planned.tip, "--")
        undone = await git(*ask, cwd=worktree, timeout=CHECKOUT_TIMEOUT_S, check=False)
        if undone.code != 0:  # it may have been killed; what is half undone is worse than both
            await git(*ask, cwd=worktree, timeout=CHECKOUT_TIMEOUT_S)
    raise merge_content.refusal([])


async def _run(worktree: Path, ask: tuple[str, ...], who: dict[str, str]) -> Output:
    """Begin a rebase and carry it to its end, to a conflict, or back to where it began."""
    try:
        # Not twice by itself: what it has begun must be undone before.
        done = await git(
            *ask, cwd=worktree, env=who, check=False, timeout=1800, again=False, lasting=True
        )
    except BaseException:  # a cancellation too: it leaves no rebase behind, and is raised
        with trio.CancelScope(shield=True):
            await abort(worktree)
        raise
    if await in_progress(worktree) is None:
        return done
    conflicted = (await status(worktree, untracked="no")).conflicted
    if conflicted:
        raise MergeConflicts("rebase", [as_utf8(path) for path in conflicted])
    with trio.CancelScope(shield=True):
        await abort(worktree)
    return done if done.code else replace(done, code=1)


async def was_cut(worktree: Path, *, tip: str, onto: str) -> bool:
    """Return whether a rebase that we began is neither over nor waiting, since a kill has cut it
    short.

    A git that outlived its daemon is given time to finish, and ended then.

    Args:
        tip: the commit of the branch before the rebase.
        onto: the commit that it was to be put on.
    """
    if not await _is_cut(worktree, tip, onto):
        return False
    await survivors.end(("rebase", onto), worktree)
    return await _is_cut(worktree, tip, onto)


async def undo(repos: Repositories, worktree: Path) -> None:
    """Put the branch back to where it was before a rebase that `was_cut`."""
    own = git_dir(worktree)
    if own is None:
        raise NotFound("worktree", worktree)
    async with repos.lock(worktree):
        if await current_branch(worktree) is None:
            await abort(worktree)
        else:
            # Cut so early that HEAD was not moved yet, and that git may not be able to read what it
            # had begun. Some files may be those of the other commit.
            await trio.to_thread.run_sync(shutil.rmtree, own / _STATE, True)
            await git("reset", "--hard", "--quiet", "HEAD", "--", cwd=worktree)


async def _is_cut(worktree: Path, tip: str, onto: str) -> bool:
    own = git_dir(worktree)
    if own is None or not (own / _STATE).is_dir():
        return False
    state = await trio.to_thread.run_sync(_read_state, own / _STATE)
    began = (state.get("orig-head", tip), state.get("onto", onto)) == (tip, onto)
    # That file stands for the commit that git has stopped at, until the rebase goes on.
    if not began or "stopped-sha" in state:
        return False
    return not (await status(worktree, untracked="no")).conflicted


def _read_state(directory: Path) -> dict[str, str]:
    """Read git's record of a rebase so far."""
    found = {}
    for name in ("orig-head", "onto", "stopped-sha"):
        with suppress(OSError):
            found[name] = (directory / name).read_text("ascii", "replace").strip()
    return found


async def finished(repo: Path, worktree: Path, branch: str, *, tip: str, onto: str) -> bool | None:
    """Return whether a rebase that stopped at a conflict has been completed since, by whomever.

    Args:
        tip: the commit of `branch` before the rebase.
        onto: the commit that it was to be put on.

    Returns:
        None as long as it is in progress; False if it was aborted.
    """
    going_on = await in_progress(worktree)
    if going_on is not None and going_on.branch == branch:
        return None
    found = await branches.find(repo, branch)
    if found is None or found.is_remote or found.oid == tip:
        return False
    return await branches.merge_base(repo, found.oid, onto) == onto


async def _since(
    worktree: Path, old_base: Tip | None, new_base: Tip, tip: str, left: str | None
) -> str:
    if old_base is not None:
        ask = ("merge-base", "--fork-point", old_base.ref, tip)
        found = await git(*ask, cwd=worktree, check=False)
        if found.code == 0 and found.text:
            return found.text
    base = await branches.merge_base(worktree, (old_base or new_base).oid, tip)
    # Unless it was rewritten, or has taken in more of the base, since it began there.
    if (
        left is not None
        and await branches.is_ancestor(worktree, left, tip)
        and (base is None or await branches.is_ancestor(worktree, base, left))
    ):
        return left
    if base is None:
        raise await nothing_in_common(worktree, "rebase")
    return base


def _refusal(ask: tuple[str, ...], done: Output) -> Exception:
    if "would be overwritten" in done.err:
        return _obstructed([line[1:] for line in done.err.splitlines() if line.startswith("\t")])
    return failure(ask, done)


def _obstructed(files: list[str]) -> Dirty:
    names = [as_utf8(path) for path in files]
    return Dirty.overwritten(names)
