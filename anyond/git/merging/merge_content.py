"""Content of merge commits that none of their parents has, and that a rebase would leave out.

A rebase repeats the commits that are no merges. What somebody has changed while merging (an "evil"
merge, `-s ours`, a resolved conflict) is in no other commit, so it would go without a word.
"""

from __future__ import annotations

from pathlib import Path

from anyond.git.files import attributes
from anyond.git.program.command import git
from anyond.git.program.text import as_utf8, split
from anyond.model.refusals.merging import MergeCommits

MOST_MERGES = 500


async def of_range(repo: Path, since: str, tip: str) -> tuple[list[str], bool]:
    """Look at the merges that are in `tip` and not in `since`.

    Returns:
        The paths that they have changed where nothing was in conflict; and whether one of them has
        resolved a conflict.
    """
    ask = ("rev-list", "--merges", "--parents", f"--max-count={MOST_MERGES}", f"{since}..{tip}")
    listed = (await git(*ask, "--", cwd=repo)).out.decode("ascii").splitlines()
    changed: dict[str, None] = {}
    resolved = False
    for line in listed:
        oid, *parents = line.split(" ")
        tree, conflicts = await _automatic(repo, parents)
        if tree is None:
            # Of more than two parents, or of unrelated ones: what git had made of it is not known.
            resolved = True
            continue
        asked = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", tree, f"{oid}^{{tree}}")
        differing = split((await git(*asked, cwd=repo)).out)
        resolved = resolved or bool(conflicts)
        changed |= dict.fromkeys(path for path in differing if path not in conflicts)
    return list(changed), resolved


def refusal(paths: list[str]) -> MergeCommits:
    """Return the refusal of a rebase because of what merge commits have changed themselves."""
    return MergeCommits([as_utf8(path) for path in paths])


async def _automatic(repo: Path, parents: list[str]) -> tuple[str | None, set[str]]:
    """The tree that git makes of a merge by itself, and the paths in conflict in it."""
    if len(parents) != 2:
        return None, set()
    ask = ("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", *parents)
    async with attributes.of(repo, parents[0]) as place:
        done = await git(*ask, cwd=place.cwd, env=place.env, check=False)
    if done.code not in (0, 1):
        return None, set()
    tree, *conflicts = split(done.out)
    return tree, set(conflicts)
