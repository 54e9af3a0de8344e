"""Bringing back the submodules of a worktree that was made again from a snapshot."""

from __future__ import annotations

from pathlib import Path

from anyond.git.program.command import git
from anyond.git.program.parsing import parsed
from anyond.git.program.text import split
from anyond.git.snapshots.snapshot_refs import Snapshot
from anyond.git.submodules import submodule_checkouts
from anyond.git.submodules.submodule_stores import GITLINK
from anyond.model.configuration.settings import Submodules


async def bring_back(repo: Path, worktree: Path, snapshot: Snapshot) -> list[str]:
    """Check out the submodules that a snapshot had, each where it stood; files of theirs that the
    snapshot has itself stay as they are.

    They are made from those of the project's checkout, which has been given the commits that only
    these had; nothing is asked of the network.

    Args:
        repo: the project's checkout.
        worktree: what was made from the snapshot.

    Returns:
        What is missing, and why, in sentences.
    """
    result = await git("ls-tree", "-r", "-z", "--full-tree", snapshot.oid, cwd=repo)
    heads = await parsed(result.out, _gitlinks)
    for path, _ in snapshot.submodules:
        # More than one: none of them is known to be the one that was checked out.
        commits = [commit for other, commit in snapshot.submodules if other == path]
        if len(commits) == 1:
            heads.setdefault(path, commits[0])
    return await submodule_checkouts.bring(repo, worktree, Submodules.AS_CHECKOUT, heads=heads)


def _gitlinks(listed: bytes) -> dict[str, str]:
    lines = (line.partition("\t") for line in split(listed))
    return {path: facts.split(" ")[2] for facts, _, path in lines if facts.startswith(GITLINK)}
