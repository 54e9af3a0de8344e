"""Branches of attempts as bundles and patches of git, and out of bundles again."""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path
from typing import NamedTuple

import trio

from anyond.git.program.command import git
from anyond.model.errors import AnyondError

_BUNDLE_S = 3600.0
_HEADS = "refs/heads/"
_SNAPSHOTS = "refs/anyon/snapshots/"
_FEW = 200
_PLAIN = re.compile(r"refs/[^\x00-\x20\x7f~^:?*\[\\]+")
"""A ref that means nothing else in a refspec; git itself refuses what else is wrong with it."""


class Taken(NamedTuple):
    """The outcome for the branches of a bundle.

    Args:
        new: refs that were made here.
        differing: branches that are here already, with other commits; they stay as they are.
    """

    new: list[str]
    differing: list[str]


async def head(repository: Path) -> str | None:
    """The branch of the main checkout; None if it is on none."""
    output = await git("symbolic-ref", "-q", "HEAD", cwd=repository, check=False)
    ref: str = output.text
    return ref.removeprefix(_HEADS) if output.code == 0 and ref.startswith(_HEADS) else None


async def refs_of(repository: Path) -> dict[str, str]:
    """All branches and snapshots of a repository, each with its commit."""
    patterns = ("refs/heads", _SNAPSHOTS.rstrip("/"))
    output = await git(
        "for-each-ref", "--format=%(objectname) %(refname)", *patterns, cwd=repository
    )
    pairs = (line.split(" ", 1) for line in os.fsdecode(output.out).splitlines())
    return {ref: commit for commit, ref in pairs}


def belonging(refs: dict[str, str], branches: set[str], attempts: set[str]) -> list[str]:
    """Those refs that are branches of attempts or their targets, or snapshots of attempts."""
    return [
        ref
        for ref in refs
        if (ref.startswith(_HEADS) and ref.removeprefix(_HEADS) in branches)
        or (ref.startswith(_SNAPSHOTS) and ref.removeprefix(_SNAPSHOTS).split("/")[0] in attempts)
    ]


async def bundle(repository: Path, refs: list[str], file: Path) -> None:
    """Write those refs with their whole history.

    Raises:
        GitFailed: git could not.
    """
    half = file.with_name(f"{file.name}.half")
    names = "".join(f"{ref}\n" for ref in refs).encode()
    await git(
        *("bundle", "create", "-q", half, "--stdin"),
        cwd=repository,
        input=names,
        timeout=_BUNDLE_S,
    )
    half.chmod(0o600)
    half.replace(file)


async def patch(repository: Path, target: str, branch: str) -> bytes:
    """The difference that a branch makes to its target; empty where git cannot tell."""
    try:
        output = await git(
            *("diff", "--binary", "--no-color", "--no-ext-diff", "--no-textconv"),
            f"{_HEADS}{target}...{_HEADS}{branch}",
            "--",
            cwd=repository,
        )
    except AnyondError:
        return b""  # one of them is gone, or they have no common beginning
    return bytes(output.out)


async def uncommitted(worktree: Path) -> bytes:
    """The changes of a worktree that are in no commit; untracked files are not among them."""
    try:
        output = await git(
            *("diff", "--binary", "--no-color", "--no-ext-diff", "--no-textconv", "HEAD", "--"),
            cwd=worktree,
        )
    except AnyondError:
        return b""  # it is none any more
    return bytes(output.out)


async def new_repository(place: Path, file: Path, branch: str | None) -> None:
    """Make a repository of a bundle, and check out `branch` if it has that.

    Raises:
        GitFailed: git could not.
        OSError: the directory cannot be made.
    """
    await trio.to_thread.run_sync(partial(os.makedirs, place, exist_ok=True))
    await git("init", "-q", "-b", branch or "main", cwd=place, known=False)
    await take(place, file)
    if branch is not None and f"{_HEADS}{branch}" in await refs_of(place):
        await git("reset", "-q", "--hard", cwd=place)


async def take(repository: Path, file: Path) -> Taken:
    """Make the refs of a bundle that are not here. None that is here is moved.

    Raises:
        GitFailed: that is no bundle, or its objects are damaged.
    """
    output = await git("bundle", "list-heads", file, cwd=repository)
    lines = os.fsdecode(output.out).splitlines()
    pairs = [line.split(" ", 1) for line in lines if " " in line]
    offered = {ref: commit for commit, ref in pairs}
    here = await refs_of(repository)
    wished = {
        ref: commit
        for ref, commit in offered.items()
        if ref.startswith((_HEADS, _SNAPSHOTS)) and _PLAIN.fullmatch(ref)
    }
    new = [ref for ref in wished if ref not in here]
    checked_out = await git("symbolic-ref", "-q", "HEAD", cwd=repository, check=False)
    for start in range(0, len(new), _FEW):
        specs = [f"{ref}:{ref}" for ref in new[start : start + _FEW]]
        # The branch of a checkout without commits is made, too; there is nothing to overwrite.
        more = ["--update-head-ok"] if checked_out.text in new else []
        await git(
            *("-c", "fetch.fsckObjects=true", "fetch", "-q", "--no-tags", "--no-auto-gc"),
            *more,
            "--no-write-fetch-head",
            file,
            *specs,
            cwd=repository,
            timeout=_BUNDLE_S,
        )
    differing = [ref for ref, commit in wished.items() if here.get(ref, commit) != commit]
    return Taken(new, [ref.removeprefix(_HEADS) for ref in differing if ref.startswith(_HEADS)])
