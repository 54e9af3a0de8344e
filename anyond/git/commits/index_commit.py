"""Storing an index as a commit, files in conflict included, and restoring it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from anyond.git.commits.commit import DURABLE, UTF_8
from anyond.git.program.command import git
from anyond.git.program.text import join, split
from anyond.git.repo.repository import EMAIL, NAME

_WHO = {
    "GIT_AUTHOR_NAME": NAME,
    "GIT_AUTHOR_EMAIL": EMAIL,
    "GIT_COMMITTER_NAME": NAME,
    "GIT_COMMITTER_EMAIL": EMAIL,
}


async def write_tree(worktree: Path, env: dict[str, str], settings: Sequence[str] = ()) -> str:
    """The tree of the index that `env` names.

    Git looks at files that have just been changed, through their filters.

    Args:
        settings: `-c` options of git.
    """
    return (await git(*DURABLE, *settings, "write-tree", cwd=worktree, env=env)).text


async def store(worktree: Path, tree: str, parents: Iterable[str], message: str) -> str:
    """Write a commit by Anyon, never signed; no ref names it yet."""
    ask = [*DURABLE, *UTF_8, "commit-tree", "-F", "-"]
    for parent in parents:
        ask += ["-p", parent]
    text = message.encode("utf-8", "surrogateescape") + b"\n"
    return (await git(*ask, tree, cwd=worktree, env=_WHO, input=text)).text


async def keep_stages(worktree: Path, stages: Sequence[str], private: Path) -> str:
    """A commit with the versions of files in conflict, from the lines of `ls-files --unmerged`.

    Args:
        private: an empty directory, for an index.
    """
    env = {"GIT_INDEX_FILE": os.fspath(private / "stages")}
    lines = []
    for line in stages:
        (mode, oid, stage), path = line.split("\t", 1)[0].split(" "), line.split("\t", 1)[1]
        lines.append(f"{mode} {oid}\t{stage}/{path}")
    ask = ("update-index", "-z", "--index-info")
    await git(*ask, cwd=worktree, env=env, input=join(lines))
    return await store(worktree, await write_tree(worktree, env), [], "conflicts")


async def put_stages(path: Path, conflicts: str) -> None:
    """Make the files conflicts again whose versions that commit has."""
    listed = split((await git("ls-tree", "-r", "-z", conflicts, cwd=path)).out)
    lines = []
    for line in listed:
        (mode, _, oid), name = line.split("\t", 1)[0].split(" "), line.split("\t", 1)[1]
        stage, _, file = name.partition("/")
        lines.append(f"{mode} {oid} {stage}\t{file}")
    ask = ("update-index", "-z", "--index-info")
    await git(*ask, cwd=path, input=join(lines))
