"""Merging a branch into another, with the checkout of the target following or untouched.

Theory of operation. The result is made in memory first, as a commit that no ref names. What
remains is to move the target from the commit that was merged to the new one, and nothing else: by
compare-and-swap of the ref, or, where the target is checked out, by a fast-forward of that
checkout, which moves ref, index and files together and refuses to overwrite anything. If the target
moved meanwhile, all starts again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

import structlog

from anyond.git.diff.obstacles import in_the_way
from anyond.git.diff.status import in_progress
from anyond.git.diff.unedited import settle
from anyond.git.files import written_files
from anyond.git.files.required_filters import refuse_missing
from anyond.git.merging.merge_in_memory import Maker, merged_tree, replayed
from anyond.git.merging.merge_record import MergeRecord
from anyond.git.program.command import failure, git
from anyond.git.program.text import as_utf8
from anyond.git.repo import branches
from anyond.git.repo.branches import Tip
from anyond.git.repo.repository import Repositories, git_dir
from anyond.git.worktree.worktrees import Worktree, list_checkouts
from anyond.model.errors import AnyondError
from anyond.model.refusals.git import Locked
from anyond.model.refusals.merging import NothingToMerge, RemoteTarget, TargetMoved
from anyond.model.refusals.requests import Impossible, Invalid
from anyond.model.refusals.worktrees import FINISH_FIRST, DirtyTarget, operation_in_progress

log = structlog.get_logger()

ATTEMPTS = 3

Strategy = Literal["merge", "squash", "rebase"]


async def merge(
    repos: Repositories,
    repo: Path,
    branch: str,
    target: str,
    *,
    message: str,
    strategy: Strategy = "merge",
    on_plan: Callable[[MergeRecord], Awaitable[None]] | None = None,
) -> MergeRecord:
    """Bring what `branch` has to the local branch `target`; all of it, or nothing.

    `branch` itself is never moved, so the attempt can go on. After a squash or rebase its commits
    are not in the target's history: what it adds later merges as usual unless it changes the same
    lines again, and then a rebase of the attempt is needed.

    Args:
        repos: the locks.
        repo: anywhere in the repository.
        branch: the attempt's branch.
        target: the branch to merge into.
        message: of the merge or squash commit; a rebase keeps the messages that there are.
        strategy: `merge` makes a commit with two parents (target, branch), `squash` one commit on
            the target, `rebase` puts each commit on the target.
        on_plan: is told what is to be, each time before it is tried.

    Returns:
        The commits that `target` pointed to before and points to now.

    Raises:
        Impossible: no such branch.
        MergeConflicts: the two have changed the same lines.
        Conflict: `remote_target`, `nothing_to_merge`, `dirty_target` (with `files`),
            `rebase_in_progress` and so on, `unrelated_histories`, or `target_moved` if it does not
            stop moving.
    """
    if not message.strip() or "\0" in message:
        raise Invalid("message", "a merge needs a message.")
    async with repos.lock(repo):
        for _ in range(ATTEMPTS):
            source, goal = await _ends(repo, branch, target)
            checkout = await _free_checkout(repo, branch, goal.name)
            new = await _combine(repo, source, goal, message, strategy)
            if on_plan is not None:
                await on_plan(MergeRecord(goal.oid, new))
            if checkout is None:
                moved = await _move_ref(repo, goal, new, branch)
            else:
                moved = await _move_checkout(repo, checkout, goal, new)
            if moved:
                return MergeRecord(goal.oid, new)
    raise TargetMoved(target)


async def _ends(repo: Path, branch: str, target: str) -> tuple[Tip, Tip]:
    source = await branches.resolve(repo, branch, "branch")
    goal = await branches.real(repo, await branches.resolve(repo, target, "target_branch"))
    if source.is_remote:
        raise Impossible("branch", f"{branch} is a branch of a remote.")
    if goal.is_remote:
        raise RemoteTarget(target)
    return source, goal


async def _free_checkout(repo: Path, branch: str, target: str) -> Path | None:
    """The checkout of `target`, if there is one, after making sure that nobody is in the middle of
    something there or in the attempt."""
    found: list[Path] = []
    trees = await list_checkouts(repo)
    for tree in trees:
        if (
            tree.unreachable is not None
            and tree.branch == target
            # Of a bare repository that is a guess, and whoever else has the branch knows better.
            and not (tree.bare and any(o.branch == target for o in trees if o is not tree))
        ):
            raise DirtyTarget(tree.unreachable)
        if tree.bare or tree.prunable or tree.unreachable is not None:
            continue
        if git_dir(tree.path) is None and tree.locked:
            # On a disk that is not there now; its files would be out of step when it comes back.
            if tree.branch == target:
                raise DirtyTarget.away(tree.path)
            continue
        if await _is_busy_with(tree, branch, target):
            continue
        if tree.branch == target:
            found.append(tree.path)
    if len(found) > 1:
        raise DirtyTarget.several(target, found)
    return found[0] if found else None


async def _is_busy_with(tree: Worktree, branch: str, target: str) -> bool:
    """Refuse if an operation is unfinished where it matters; False if the checkout is free."""
    going_on = await in_progress(tree.path)
    if going_on is None:
        return False
    if {tree.branch, going_on.branch} & {branch, target}:
        raise operation_in_progress(going_on.op, tree.path, FINISH_FIRST)
    return True


async def _combine(repo: Path, source: Tip, goal: Tip, message: str, strategy: Strategy) -> str:
    nothing = NothingToMerge.into(as_utf8(goal.name), as_utf8(source.name))
    if await branches.merge_base(repo, goal.oid, source.oid) == source.oid:
        raise nothing
    maker = await Maker.of(repo)
    old = await maker.tree(goal.oid)
    if strategy == "rebase":
        new = await replayed(maker, goal.oid, source.oid)
        if new == goal.oid or await maker.tree(new) == old:
            raise nothing
        return new
    tree = await merged_tree(repo, goal.oid, source.oid)
    if tree == old:
        raise nothing
    parents = [goal.oid] if strategy == "squash" else [goal.oid, source.oid]
    text = message.strip().encode("utf-8", "surrogateescape") + b"\n"
    return await maker.commit(tree, parents, text)


async def _move_ref(repo: Path, goal: Tip, new: str, branch: str) -> bool:
    """Compare and swap; False if somebody else was quicker."""
    ask = ("update-ref", "-m", f"anyon: merge {branch}", goal.ref, new, goal.oid)
    moved = await git(*ask, cwd=repo, env=(await Maker.of(repo)).who, check=False)
    return moved.code == 0 or await _has_moved(repo, goal, failure(ask, moved))


async def _has_moved(repo: Path, goal: Tip, why: Exception) -> Literal[False]:
    """False if the target is not what it was; if it is, then the failure has another reason."""
    now = await branches.find(repo, goal.name)
    if now is not None and now.oid == goal.oid:
        raise why
    return False


async def _move_checkout(repo: Path, checkout: Path, goal: Tip, new: str) -> bool:
    """Fast-forward the checkout of the target; False if the target has moved."""
    files = await in_the_way(checkout, goal.oid, new)
    if files:
        # Or somebody else has moved target and checkout in this moment.
        return await _has_moved(repo, goal, _dirty(goal, checkout, files))
    await refuse_missing(checkout, goal.oid, new)
    return await fast_forward(repo, checkout, goal, new)


async def fast_forward(repo: Path, checkout: Path, goal: Tip, new: str) -> bool:
    """Move the branch `goal` and its checkout to the commit `new`; False if it has moved.

    Raises:
        Conflict: `dirty_target`: files of the checkout would be overwritten.
        GitFailed, Locked: git or a hook refused.
    """
    await settle(checkout)
    keep = ("--no-overwrite-ignore", "--no-autostash", "--no-stat", "--quiet")
    # The commit is ours, and whether to trust it is no question.
    ask = (
        "-c",
        "merge.verifySignatures=false",
        "merge",
        "--ff-only",
        *keep,
        new,
    )
    who = (await Maker.of(repo)).who
    # If we are killed, it goes on to its end: the checkout is the person's own.
    try:
        done = await git(*ask, cwd=checkout, env=who, check=False, timeout=1800, lasting=True)
    except Locked:
        await _take_back(checkout, goal, new)
        raise
    now = await branches.find(repo, goal.name)
    if now is not None and now.oid == new:
        return True
    if "would be overwritten" in done.err or "would lose untracked" in done.err:
        named = [line[1:] for line in done.err.splitlines() if line.startswith("\t")]
        failed: Exception = _dirty(goal, checkout, named)
    else:
        await _take_back(checkout, goal, new)
        failed = failure(ask, done)
    return await _has_moved(repo, goal, failed)


async def _take_back(checkout: Path, goal: Tip, new: str) -> None:
    """Put files and index of a checkout back to `goal`, as far as git has brought them to `new`.

    Git writes the files first, then the index, and moves the branch last; a filter can fail, and a
    hook or a lock can refuse. Changes of somebody else stay: nothing is touched that is not as git
    has written it.
    """
    ask = ("read-tree", "-m", "-u", new, goal.oid)
    back = await git(*ask, cwd=checkout, check=False, timeout=1800, lasting=True)
    try:
        await written_files.put_back(checkout, goal.oid, new)
    except AnyondError as error:
        reason = f"{back.err[:500]} {error}"
        log.warning("merge_not_taken_back", checkout=str(checkout), why=reason)


def _dirty(goal: Tip, checkout: Path, files: list[str]) -> DirtyTarget:
    return DirtyTarget.overwritten(goal.name, checkout, [as_utf8(path) for path in files])
