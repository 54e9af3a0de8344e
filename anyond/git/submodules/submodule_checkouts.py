"""Submodules of a new worktree: checked out as in the project's checkout, without network.

Theory of operation. A linked worktree has repositories of its own for its submodules, and git would
clone each anew. Here each is made from the one in the project's checkout: objects are linked, so it
costs neither network nor disk, and nothing that is done in one is seen in the other.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import trio

from anyond.git.program.command import git
from anyond.git.program.text import as_utf8, split
from anyond.git.repo.checkouts import CHECKOUT_TIMEOUT_S, delete
from anyond.git.repo.repository import git_dir
from anyond.git.submodules.submodule_stores import (
    FROM_DISK,
    Submodule,
    below_modules,
    counterpart,
    environment,
    has,
    listed,
    run,
)
from anyond.model.configuration.settings import Submodules
from anyond.model.errors import AnyondError

_NETWORK_TIMEOUT_S = 600.0
_TAKEN_ALONG = r"^(remote\..*\.(url|pushurl|fetch)|branch\..*|submodule\..*\.(url|active))$"


async def bring(
    repo: Path,
    worktree: Path,
    submodules: Submodules,
    *,
    heads: Mapping[str, str] | None = None,
) -> list[str]:
    """Check out the submodules of a worktree that are not there.

    One whose repository is still there, though its files are gone, comes back as it was.

    Args:
        repo: the project's checkout.
        submodules: which of them; those of `ALL` that the project's checkout has not come from
            where the repository says.
        heads: the worktree is one that a snapshot has brought back: files of a submodule that are
            there are its own, and stay. Commits that are to be checked out, by path, where they
            are others than those that the index names.

    Returns:
        What is missing, and why, in sentences.
    """
    if submodules is Submodules.NONE:
        return []
    missing: list[str] = []
    complaints: list[str] = []
    seen: set[str] = set()
    # Those inside of others are known when these are there.
    while fresh := [sub for sub in await listed(worktree) if sub.path not in seen]:
        for sub in fresh:
            seen.add(sub.path)
            if sub.store is not None:
                continue
            source = await trio.to_thread.run_sync(git_dir, repo / sub.path)
            if source is None and submodules is Submodules.ALL:
                source = await counterpart(repo, sub.path, sub.name)
            try:
                if source is not None:
                    complaint = await _make(worktree, sub, source, heads)
                elif submodules is Submodules.ALL:
                    complaint = await _clone(worktree, sub)
                else:
                    missing.append(sub.path)
                    continue
            except (AnyondError, OSError) as error:
                complaint = str(error)
            if complaint is not None:
                complaints.append(f"The submodule {as_utf8(sub.path)} is missing: {complaint}")
    if missing:
        names = ", ".join(as_utf8(path) for path in missing[:20])
        complaints.append(
            "These submodules are not checked out in the project's checkout, and so not here: "
            f"{names}."
        )
    return complaints


async def _make(
    worktree: Path, sub: Submodule, source: Path, heads: Mapping[str, str] | None
) -> str | None:
    """Make the repository of a submodule from that of another checkout; why not, if not."""
    place = worktree / sub.path
    own = await trio.to_thread.run_sync(git_dir, worktree)
    if own is None or not await trio.to_thread.run_sync(_is_straight, worktree, place):
        return f"{place} is no empty directory."
    has_files = await trio.to_thread.run_sync(_has_files, place)
    if has_files and heads is None:
        return f"{place} is no empty directory."
    store = below_modules(own, sub.name)
    if store is None:
        return f"{as_utf8(sub.name)} is no name of a submodule."
    if not await trio.Path(store).exists():
        await trio.Path(store.parent).mkdir(parents=True, exist_ok=True)
        try:
            await _copy(source, store)
        except BaseException:  # a cancellation too: no half copy stays; raised again
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(delete, store)
            raise
    # A repository that has been there has a HEAD, on a branch perhaps, and what was staged.
    before = await run(store, "rev-parse", "--quiet", "--verify", "HEAD^{commit}")
    oid = before.text if before.code == 0 else (heads or {}).get(sub.path, sub.oid)
    if not await has(store, oid):
        # The project's checkout is not there yet, either. Perhaps it can be had.
        ask = (*FROM_DISK, "fetch", "--quiet", "--no-recurse-submodules", "origin", oid)
        result = await run(store, *ask)
        if not await has(store, oid):
            return (
                f"its commit {oid[:12]} is not in {source}, and could not be fetched: "
                f"{result.err.strip()[-500:]}"
            )
    await run(store, "config", "core.worktree", _between(store, place))
    if before.code != 0:
        await run(store, "update-ref", "--no-deref", "HEAD", oid)
    await trio.Path(place).mkdir(parents=True, exist_ok=True)
    link = f"gitdir: {_between(place, store)}\n"
    await trio.Path(place / ".git").write_bytes(os.fsencode(link))
    fill: tuple[str, ...] = ("reset", "--quiet", "--hard", oid)
    if has_files:
        fill = ("reset", "--quiet", "--mixed", oid)
    elif before.code == 0 and await trio.Path(store / "index").exists():
        fill = ("checkout-index", "--all", "--quiet", "--index")
    await git(*fill, cwd=place, env=environment(store, place), timeout=CHECKOUT_TIMEOUT_S)
    return None


async def _copy(source: Path, store: Path) -> None:
    """A repository with the objects, remotes and remote branches of another one."""
    shared = Path(environment(source)["GIT_COMMON_DIR"])
    clone = ("clone", "--quiet", "--bare", "--local", "--no-tags", "--template=", "--", shared)
    # From nowhere: in a directory of git's, it would have to do with another repository.
    await git(*clone, store, cwd=Path("/"), timeout=CHECKOUT_TIMEOUT_S)
    await run(store, "config", "core.bare", "false")
    await run(store, "remote", "remove", "origin")
    # Branches of the person's that no remote has are nothing that the attempt has made.
    heads = await run(store, "for-each-ref", "--format=%(refname)", "refs/heads")
    for ref in split(heads.out.replace(b"\n", b"\0")):
        await run(store, "update-ref", "-d", ref)
    refs = ("+refs/remotes/*:refs/remotes/*", "+refs/tags/*:refs/tags/*")
    ask = ("fetch", "--quiet", "--no-write-fetch-head", "--update-shallow", "--no-auto-gc")
    await run(store, *FROM_DISK, *ask, "--no-recurse-submodules", "--", shared, *refs)
    result = await run(source, "config", "--local", "--null", "--get-regexp", _TAKEN_ALONG)
    for setting in split(result.out):
        key, _, value = setting.partition("\n")
        await run(store, "config", "--add", key, value)


async def _clone(worktree: Path, sub: Submodule) -> str | None:
    above = _above(worktree, sub.path)
    inner = sub.path if above == worktree else _between(above, worktree / sub.path)
    ask = ("submodule", "--quiet", "update", "--init", "--", inner)
    result = await git(*ask, cwd=above, check=False, timeout=_NETWORK_TIMEOUT_S)
    return None if result.code == 0 else result.err.strip()[-500:]


def _between(here: Path, there: Path) -> str:
    """Return the name in `here` of `there`."""
    return os.path.relpath(there, here)


def _above(worktree: Path, path: str) -> Path:
    """The checkout that the submodule is in: the worktree, or that of another submodule."""
    place = (worktree / path).parent
    while place != worktree and git_dir(place) is None:
        place = place.parent
    return place


def _is_straight(worktree: Path, place: Path) -> bool:
    """Return whether `place` is a directory or nothing, and no link leads out of the worktree to
    it.
    """
    straight = os.path.join(os.path.realpath(worktree), place.relative_to(worktree))
    if os.path.realpath(place) != straight:
        return False
    return not os.path.lexists(place) or place.is_dir()


def _has_files(place: Path) -> bool:
    return os.path.isdir(place) and any(place.iterdir())
