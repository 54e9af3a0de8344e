"""Merges and rebases in memory, before any checkout or ref moves."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from anyond.git.commits.commit import DURABLE, UTF_8
from anyond.git.files import attributes
from anyond.git.merging import merge_content
from anyond.git.program.command import failure, git
from anyond.git.program.text import as_utf8, split
from anyond.git.repo.distance import nothing_in_common
from anyond.git.repo.repository import EMAIL, NAME, empty_tree, identity, signing
from anyond.model.refusals.merging import MergeConflicts

# Who is named in commits that are only made to tell git which base to use, and dropped at once.
NOBODY = {
    "GIT_AUTHOR_NAME": NAME,
    "GIT_AUTHOR_EMAIL": EMAIL,
    "GIT_AUTHOR_DATE": "@0 +0000",
    "GIT_COMMITTER_NAME": NAME,
    "GIT_COMMITTER_EMAIL": EMAIL,
    "GIT_COMMITTER_DATE": "@0 +0000",
}


class Maker(Struct, frozen=True):
    """The common facts of all commits of one merge.

    Args:
        repo: where git is run.
        who: author and committer, as environment.
        sign: the option for signing, if wanted.
    """

    repo: Path
    who: Mapping[str, str]
    sign: tuple[str, ...]

    @classmethod
    async def of(cls, repo: Path) -> Maker:
        return cls(repo, await identity(repo), await signing(repo))

    async def commit(
        self,
        tree: str,
        parents: Sequence[str],
        message: bytes,
        author: Mapping[str, str] | None = None,
    ) -> str:
        """Write a commit that no ref names yet; its id."""
        ask = ("commit-tree", *self.sign, *_parents(parents), "-F", "-", tree)
        env = {**self.who, **(author or {})}
        return (await git(*DURABLE, *UTF_8, *ask, cwd=self.repo, env=env, input=message)).text

    async def tree(self, oid: str) -> str:
        """The tree of a commit."""
        return (await git("rev-parse", "--verify", f"{oid}^{{tree}}", cwd=self.repo)).text


async def merged_tree(repo: Path, ours: str, theirs: str) -> str:
    """The tree in which the commits `ours` and `theirs` are both contained; the attributes of
    `ours` say how.

    Raises:
        MergeConflicts: git cannot tell how.
        Conflict: `unrelated_histories`.
    """
    ask = ("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs)
    async with attributes.of(repo, ours) as place:
        done = await git(*DURABLE, *ask, cwd=place.cwd, env=place.env, check=False)
    if done.code == 1:
        # The tree comes first, then every path once per stage that is in conflict.
        files = dict.fromkeys(split(done.out)[1:])
        raise MergeConflicts("merge", [as_utf8(path) for path in files])
    if done.code != 0:
        if "unrelated histories" in done.err:
            raise await nothing_in_common(repo, "merge")
        raise failure(ask, done)
    return split(done.out)[0]


async def replayed(maker: Maker, onto: str, branch: str) -> str:
    """The commits that only `branch` has, one after the other on top of `onto`, as a rebase makes
    them: without merges, without what `onto` has already, under their authors' names.

    Returns:
        The last of the new commits; `onto` if nothing was left to do.

    Raises:
        MergeConflicts: one of them does not fit.
        Conflict: `merge_commits`: some have changed something themselves, which would be left out.
    """
    only = ("--right-only", "--cherry-pick", "--no-merges", "--topo-order", "--reverse")
    changed, resolved = await merge_content.of_range(maker.repo, onto, branch)
    if changed:
        raise merge_content.refusal(changed)
    listed = await git("rev-list", *only, f"{onto}...{branch}", "--", cwd=maker.repo)
    tip = onto
    for oid in listed.out.decode("ascii").split():
        tip = await _replay(maker, tip, oid)
    if resolved and await maker.tree(tip) != await merged_tree(maker.repo, onto, branch):
        raise merge_content.refusal([])
    return tip


async def _replay(maker: Maker, tip: str, oid: str) -> str:
    ask = ("log", "-1", "--encoding=UTF-8", "--date=raw", "--format=%P%x00%an%x00%ae%x00%ad%x00%B")
    result = await git(*ask, oid, "--", cwd=maker.repo)
    parents, name, email, date, message = result.out.split(b"\0", 4)
    parent = parents.decode("ascii").partition(" ")[0]
    if parent == tip:
        return oid
    base = await maker.tree(parent) if parent else await empty_tree(maker.repo)
    ours, theirs = await maker.tree(tip), await maker.tree(oid)
    tree = await _merged_over(maker.repo, base, ours, theirs)
    if tree == ours:
        return tip
    author = {
        "GIT_AUTHOR_NAME": os.fsdecode(name) or maker.who["GIT_AUTHOR_NAME"],
        "GIT_AUTHOR_EMAIL": os.fsdecode(email),
        "GIT_AUTHOR_DATE": f"@{date.decode('ascii', 'replace')}",
    }
    return await maker.commit(tree, [tip], message.rstrip(b"\n") + b"\n", author)


async def _merged_over(repo: Path, base: str, ours: str, theirs: str) -> str:
    """Three trees merged. Git 2.38 finds the base by itself, so it gets commits that have it."""
    root = await _bare_commit(repo, base, [])
    left = await _bare_commit(repo, ours, [root])
    right = await _bare_commit(repo, theirs, [root])
    return await merged_tree(repo, left, right)


async def _bare_commit(repo: Path, tree: str, parents: Sequence[str]) -> str:
    ask = ("commit-tree", *_parents(parents), "-m", "base", tree)
    return (await git(*ask, cwd=repo, env=NOBODY)).text


def _parents(parents: Sequence[str]) -> list[str]:
    return [word for parent in parents for word in ("-p", parent)]
