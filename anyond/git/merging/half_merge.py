"""Finishing a merge that a kill has cut short in the checkout of its target.

Git writes the files first, then the index, and moves the branch last. In between the checkout has
changes that nobody has made, and that would be in the way of every later merge.
"""

from __future__ import annotations

from pathlib import Path

import structlog

from anyond.git.files.written_files import as_in
from anyond.git.merging.merge import fast_forward
from anyond.git.merging.merge_record import MergeRecord
from anyond.git.program.command import git
from anyond.git.program.parsing import parsed
from anyond.git.program.text import split
from anyond.git.repo import branches, checkouts
from anyond.git.repo.repository import Repositories
from anyond.model.errors import Conflict
from anyond.model.refusals.git import Locked

log = structlog.get_logger()


async def finish(repos: Repositories, repo: Path, target: str, goal: MergeRecord) -> bool:
    """Finish it if git had begun to write the files.

    Only where each file in question is as it was before, or as it is afterwards, or not there: a
    file that somebody has edited since is theirs, and then nothing is touched.

    Args:
        target: the branch that was to move.
        goal: from where, and where to.

    Returns:
        Whether the branch is at `goal.after` now.

    Raises:
        Locked: the git that was killed has left a lock in that checkout.
    """
    async with repos.lock(repo):
        tip = await branches.find(repo, target)
        if tip is None or tip.is_remote or tip.oid != goal.before:
            return False
        trees = await checkouts.list_checkouts(repo)
        found = [tree.path for tree in trees if tree.branch == target and not tree.prunable]
        if len(found) != 1 or not found[0].is_dir():
            return False
        checkout = found[0]
        changed = await _changed(repo, goal)
        new = await as_in(checkout, goal.after, changed)
        old = await as_in(checkout, goal.before, changed)
        written = new - old
        if not written:
            return False
        edited = [path for path in changed - new - old if (checkout / path).exists()]
        if edited:
            log.warning("half_merge_left", checkout=str(checkout), edited=edited[:10])
            return False
        await _stage(checkout, goal.after, written)
        try:
            done = await fast_forward(repo, checkout, tip, goal.after)
        except Conflict as refusal:
            log.warning("half_merge_left", checkout=str(checkout), why=str(refusal))
            if isinstance(refusal, Locked):
                raise
            return False
        if done:
            log.warning("half_merge_finished", checkout=str(checkout), files=len(written))
        return done


async def _changed(repo: Path, goal: MergeRecord) -> set[str]:
    ask = ("diff-tree", "-r", "-z", "--no-renames", "--name-only", goal.before, goal.after)
    return set(await parsed((await git(*ask, cwd=repo)).out, split))


async def _stage(checkout: Path, commit: str, paths: set[str]) -> None:
    """Give the index those entries that stand for the files which git has written already."""
    ask = ("ls-tree", "-r", "-z", "--full-tree", commit)
    entries = await parsed((await git(*ask, cwd=checkout)).out, split)
    lines = [line for line in entries if line.partition("\t")[2] in paths]
    gone = paths - {line.partition("\t")[2] for line in lines}
    lines += [f"0 {'0' * 40}\t{path}" for path in gone]
    data = b"".join(line.encode("utf-8", "surrogateescape") + b"\0" for line in lines)
    await git("update-index", "-z", "--index-info", cwd=checkout, input=data)
    await git("update-index", "-q", "--refresh", cwd=checkout, check=False)
