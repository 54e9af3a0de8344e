"""Commits that only a submodule of an attempt has: saved, and brought to where they belong.

Theory of operation. The repository of a submodule goes with the worktree that it is in. Before
anything could take it away, what none of its remotes has is fetched into the repository of the same
submodule in the project's checkout, or, if that has none, into the project's own, under
`refs/anyon/submodules/<attempt>/<commit>`. There `git submodule update` finds it after a merge.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import trio

from anyond.git.program.command import failure
from anyond.git.program.text import split
from anyond.git.repo.checkouts import list_checkouts
from anyond.git.repo.repository import common_dir, git_dir
from anyond.git.submodules.submodule_stores import (
    FROM_DISK,
    GITLINK,
    counterpart,
    has,
    left_in,
    listed,
    run,
    stores,
)
from anyond.model.ids import is_id
from anyond.real_path import same_place

PREFIX = "refs/anyon/submodules/"
_MOST_COMMITS = 20_000
_MOST_TIPS = 200


class SavedTip(NamedTuple):
    """A commit of the submodule `path`, and the repository in which it is kept."""

    path: str
    oid: str
    place: Path


class Change(NamedTuple):
    """A submodule whose commit differs between two commits; `store` is the attempt's own."""

    path: str
    name: str
    before: str | None
    oid: str
    store: Path | None


async def keep(repo: Path, worktree: Path, attempt_id: str) -> list[SavedTip]:
    """Store the commits that only the submodules of a worktree have; those kept before, too.

    Args:
        repo: the project's checkout.
    """
    if not is_id(attempt_id):
        return []
    saved: list[SavedTip] = []
    found = await stores(worktree)
    names = {sub.path: sub.name for sub in await listed(worktree)} if found else {}
    for path, store in found.items():
        tips = await only_here(store)
        if not tips:
            continue
        place = await counterpart(repo, path, names.get(path, path)) or await common_dir(repo)
        if await trio.to_thread.run_sync(same_place, place, store):
            continue
        saved += [SavedTip(path, oid, place) for oid in tips]
        await _bring(store, place, attempt_id, tips)
    return saved


async def only_here(store: Path) -> list[str]:
    """The newest commits of a submodule that none of its remotes has; also those that are on no
    branch any more."""
    ask = ("rev-list", "--parents", f"--max-count={_MOST_COMMITS}", "--reflog", "--all")
    result = await run(store, *ask, "--not", "--remotes", "--glob=refs/anyon")
    lines = [line.split(" ") for line in result.out.decode("ascii", "replace").splitlines()]
    parents = {parent for line in lines for parent in line[1:]}
    return [line[0] for line in lines if line[0] not in parents][:_MOST_TIPS]


async def forget(repo: Path, attempt_id: str) -> None:
    """Let go of what was kept for an attempt."""
    common = await common_dir(repo)
    stores = [common, *(await trio.to_thread.run_sync(left_in, common)).values()]
    stores += [sub.store for sub in await listed(repo) if sub.store is not None]
    for place in stores if is_id(attempt_id) else ():
        refs = await run(place, "for-each-ref", "--format=%(refname)", f"{PREFIX}{attempt_id}/")
        for ref in refs.out.decode("ascii", "replace").split():
            await run(place, "update-ref", "-d", ref)


async def changes(worktree: Path, old: str, new: str) -> list[Change]:
    """The submodules whose commit is another one in `new` than in `old`, nested ones too."""
    own = await trio.to_thread.run_sync(git_dir, worktree)
    if own is None:
        return []
    known = {sub.path: sub for sub in await listed(worktree)}
    found: list[Change] = []
    waiting: list[tuple[Path, str, str | None, str]] = [(own, "", old, new)]
    while waiting:
        store, prefix, before, after = waiting.pop()
        for path, was, now in await _gitlinks_between(store, before, after):
            sub = known.get(f"{prefix}{path}")
            inner = sub.store if sub is not None else None
            name = sub.name if sub is not None else path
            found.append(Change(f"{prefix}{path}", name, was, now, inner))
            if inner is not None and await has(inner, now):
                start = was if was is not None and await has(inner, was) else None
                waiting.append((inner, f"{prefix}{path}/", start, now))
    return found


async def is_pushed(change: Change) -> bool:
    """Return whether the commit can be had from elsewhere, as far as the attempt's submodule
    knows.
    """
    if change.store is None or not await has(change.store, change.oid):
        return True
    ask = ("rev-list", "--max-count=1", change.oid, "--not", "--remotes")
    return not (await run(change.store, *ask)).out


async def hand_over(repo: Path, attempt_id: str, found: Sequence[Change]) -> list[Change]:
    """Bring the commits that a merge would name to the submodules of the project's checkout.

    Returns:
        Those that could be had nowhere after the merge: they are on no remote, and the project's
        checkout has no repository of the submodule.
    """
    missed: list[Change] = []
    for change in found:
        if change.store is None or not await has(change.store, change.oid):
            continue
        place = await counterpart(repo, change.path, change.name)
        if place is None:
            if not await is_pushed(change):
                missed.append(change)
        elif not await has(place, change.oid) or not await is_pushed(change):
            await _bring(change.store, place, attempt_id, [change.oid])
    return missed


async def follow(repo: Path, target: str, found: Sequence[Change]) -> list[str]:
    """Check out the new commits of submodules where the target is checked out, if nobody works in
    them: they stand, on no branch and unchanged, at the commit that was named before.

    Returns:
        The paths of those that stay behind.
    """
    trees = [tree for tree in await list_checkouts(repo) if tree.branch == target]
    behind: list[str] = []
    for tree in trees:
        if tree.bare or tree.prunable or tree.unreachable:
            continue
        for change in sorted(found, key=lambda change: change.path.count("/")):
            place = tree.path / change.path
            store = await trio.to_thread.run_sync(git_dir, place)
            if store is None or change.before is None:
                continue
            head = (await run(store, "rev-parse", "HEAD", work_tree=place)).text
            if head == change.oid:
                continue
            ask = ("symbolic-ref", "--quiet", "HEAD")
            on_branch = (await run(store, *ask, work_tree=place)).code == 0
            dirty = await run(store, "status", "--porcelain", "-uno", work_tree=place)
            if head != change.before or on_branch or dirty.code or dirty.out:
                behind.append(change.path)
                continue
            checkout = ("checkout", "--quiet", "--detach", "--no-overwrite-ignore", change.oid)
            if (await run(store, *checkout, work_tree=place)).code != 0:
                behind.append(change.path)
    return behind


async def _bring(store: Path, place: Path, attempt_id: str, oids: Sequence[str]) -> None:
    """Fetch commits, and name them so that they stay."""
    missing = [
        f"{oid}:{PREFIX}{attempt_id}/{oid}" for oid in oids if not await _is_named(place, oid)
    ]
    if not missing:
        return
    ask = (*FROM_DISK, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--update-shallow")
    fetched = await run(place, *ask, "--no-recurse-submodules", "--", store, *missing)
    if fetched.code != 0:
        # Whatever was to happen must not happen then.
        raise failure((*ask, "--", str(store)), fetched)


async def _is_named(place: Path, oid: str) -> bool:
    """Return whether a commit is there, and some branch, tag or other name has it."""
    found = await run(place, "rev-list", "--max-count=1", oid, "--not", "--all")
    return found.code == 0 and not found.out


async def _gitlinks_between(
    store: Path, old: str | None, new: str
) -> list[tuple[str, str | None, str]]:
    start = old or (await run(store, "hash-object", "-t", "tree", "/dev/null")).text
    ask = ("diff-tree", "-r", "-z", "--no-renames", "--ignore-submodules=none", "--raw")
    result = await run(store, *ask, "--no-abbrev", start, new, "--")
    fields = split(result.out)
    found: list[tuple[str, str | None, str]] = []
    for facts, path in zip(fields[::2], fields[1::2], strict=False):
        old_mode, new_mode, was, now, *_ = facts.lstrip(":").split(" ")
        if new_mode == GITLINK:
            found.append((path, was if old_mode == GITLINK else None, now))
    return found
