"""The tree of all files of a worktree, those of repositories inside among them."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import trio

from anyond.git.commits.commit import DURABLE, stage_all
from anyond.git.commits.index_commit import write_tree
from anyond.git.disk.locations import locate
from anyond.git.files import ignored_copies
from anyond.git.files.verbatim import verbatim
from anyond.git.program.command import git
from anyond.git.program.text import join
from anyond.git.submodules.submodules import only_here
from anyond.model.refusals.git import GitFailed

R = TypeVar("R")


async def write(
    worktree: Path, own: Path, inner: Iterable[str], env: dict[str, str], settings: Sequence[str]
) -> str:
    """The tree of all files. `inner` are repositories, which git would only mention by a commit."""
    await stage_all(worktree, env, settings)
    if copies := await trio.to_thread.run_sync(ignored_copies.changed, worktree):
        ask = ("update-index", "--add", "--remove", "-z", "--stdin")
        await git(*DURABLE, *settings, *ask, cwd=worktree, env=env, input=join(copies))
    for path in inner:
        await _add_inner(worktree, own, path, env, settings)
    return await write_tree(worktree, env, settings)


async def _add_inner(
    worktree: Path, own: Path, inner: str, env: dict[str, str], settings: Sequence[str]
) -> None:
    as_ours = {**env, "GIT_DIR": os.fspath(own)}
    place = locate(worktree)
    if place is not None and place.common_dir is not None:
        as_ours["GIT_COMMON_DIR"] = os.fspath(place.common_dir)
    tree = await _files_of(worktree / inner, as_ours, settings)
    await _put_in(worktree, inner, tree, env, settings)


async def _files_of(place: Path, as_ours: dict[str, str], settings: Sequence[str]) -> str:
    """The tree of the files of a repository inside, as if it were none; also of those inside of it
    that have something of their own."""
    index = Path(f"{as_ours['GIT_INDEX_FILE']}-inner")
    await trio.Path(index).unlink(missing_ok=True)
    env = {**as_ours, "GIT_WORK_TREE": os.fspath(place), "GIT_INDEX_FILE": os.fspath(index)}
    await stage_all(place, env, settings)
    for path in await only_here(place, env):
        tree = await _files_of(place / path, env, settings)
        await _put_in(place, path, tree, env, settings)
    return await write_tree(place, env, settings)


async def _put_in(
    place: Path, inner: str, tree: str, env: dict[str, str], settings: Sequence[str]
) -> None:
    """Have files in the index where the commit of a repository was."""
    await forget(place, [inner.rstrip("/")], env)
    await git(*settings, "read-tree", f"--prefix={inner}", tree, cwd=place, env=env)


async def somehow(worktree: Path, work: Callable[[Sequence[str]], Awaitable[R]]) -> R:
    """Try as the repository wants it, or else byte by byte: a missing filter must not cost a
    file.
    """
    try:
        return await work(())
    except GitFailed:
        return await work(await verbatim(worktree))


async def forget(worktree: Path, paths: Iterable[str], env: dict[str, str]) -> None:
    """Take `paths` out of the index that `env` names; files stay."""
    ask = ("update-index", "--force-remove", "-z", "--stdin")
    await git(*ask, cwd=worktree, env=env, input=join(paths))
