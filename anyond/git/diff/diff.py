"""The diff of an attempt: every difference of a commit to the working tree, or to another."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import trio
from msgspec import Struct
from msgspec.structs import replace

from anyond.git.diff.entry import SUBMODULE, Entry, parse
from anyond.git.diff.unedited import settle_copy
from anyond.git.diff.untracked import is_text, lines, look
from anyond.git.disk.scratch import scratch
from anyond.git.files import blobs
from anyond.git.files.conversions import any_replaced, converted, stored
from anyond.git.files.earlier_attributes import differing
from anyond.git.files.index_stat import copy_index
from anyond.git.files.rename_index import write_pairs
from anyond.git.program.command import NOT_INSIDE, failure, git
from anyond.git.program.parsing import parsed
from anyond.git.program.text import split
from anyond.git.repo import branches, libgit2
from anyond.git.repo.repository import empty_tree, git_dir
from anyond.model.refusals.requests import NotFound
from anyond.model.rows import Diff

_ASKED_AT_ONCE = 2000
"""Of more files than this, git is asked for the attributes of those that are shown."""


async def snapshot(worktree: Path, base_oid: str | None) -> list[Entry]:
    """Compare the commit `base_oid` with the working tree, sorted by path.

    Committed, staged, unstaged and untracked changes count, ignored files do not. The user's index
    is not touched. Numbers are final; for contents see `contents`.

    Args:
        worktree: the top of a checkout.
        base_oid: the merge base with the target; None compares with nothing at all.

    Raises:
        NotFound: there is no checkout.
    """
    if git_dir(worktree) is None:
        raise NotFound("worktree", worktree)
    base = base_oid or await empty_tree(worktree)
    tracked, untracked = await _listed(worktree, base)
    files = [path for path in untracked if not path.endswith("/")]
    deleted = [entry for entry in tracked if entry.change == "deleted"]
    conversions, paired = _Conversions(), list[Entry]()
    # Somebody may have moved a file without telling git, so git has to see both ends.
    apart = bool(files and deleted)

    async def ask() -> None:
        nonlocal conversions
        conversions = await _conversions(worktree, tracked, untracked)

    async def pair() -> None:
        paired.extend(await _paired(worktree, deleted, files))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        if apart:
            nursery.start_soon(pair)
    if conversions.suspicious:
        tracked = await _without_unedited(worktree, base, tracked)
    if apart:
        tracked = [*(entry for entry in tracked if entry.change != "deleted"), *paired]
        untracked = [path for path in untracked if path.endswith("/")]
    new = await trio.to_thread.run_sync(look, worktree, untracked) if untracked else []
    new = await _recounted(worktree, [*map(conversions.of, new)])
    return sorted([*map(conversions.of, tracked), *new], key=lambda entry: entry.path)


async def between(repo: Path, before: str, after: str) -> list[Entry]:
    """Compare two commits, sorted by path; no working tree is looked at.

    Args:
        repo: anywhere in the repository; also what to give to `contents`.
        before, after: the ids of commits that are there.
    """
    return sorted(await _compare(repo, before, after), key=lambda entry: entry.path)


async def of_branch(repo: Path, branch: str, target: str, left: str | None) -> list[Entry]:
    """Return the changes of a local branch since it left `target`, sorted by path; none if there is
    no such branch.

    Args:
        left: where it once left it; see `branches.fork_point`.
    """
    found = await branches.find_all(repo, branch, target)
    mine = found.get(branch)
    if mine is None or mine.is_remote:
        return []
    base = None
    if target in found:
        base = await branches.merge_base(repo, mine.oid, found[target].oid)
    if base is None and left is not None and await branches.is_ancestor(repo, left, mine.oid):
        base = left
    return [] if base is None else await between(repo, base, mine.oid)


async def contents(
    worktree: Path, entries: list[Entry], *, budget: int = blobs.BUDGET
) -> list[Diff]:
    """The rows of `entries` with both texts.

    Binary files, files of more than 1 MiB on either side, and everything after `budget` bytes have
    `content_omitted` set instead.
    """
    diffs: list[Diff] = []
    with_text = [entry for entry in entries if _has_text(entry)]
    texts = await blobs.texts(worktree, [_sides(entry) for entry in with_text], budget=budget)
    found = dict(zip((entry.path for entry in with_text), texts, strict=True))
    for entry in entries:
        pair = found.get(entry.path)
        diffs.append(entry.row(*pair, omitted=False) if pair else entry.without_contents())
    return diffs


async def _listed(worktree: Path, base: str) -> tuple[list[Entry], list[str]]:
    """The changes of files that git knows, and the names of those that it does not."""
    tracked: list[Entry] = []
    untracked: list[str] = []

    async def compare() -> None:
        tracked.extend(await _compare(worktree, base))

    async def look_around() -> None:
        ask = ("ls-files", "--others", "--exclude-standard", "-z")
        untracked.extend(await parsed((await git(*ask, cwd=worktree)).out, split))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(compare)
        nursery.start_soon(look_around)
    return tracked, untracked


async def _compare(worktree: Path, *base: str, env: dict[str, str] | None = None) -> list[Entry]:
    ask = ("diff", "--raw", "--numstat", "-z", "--no-abbrev", "--find-renames")
    plain = ("--no-ext-diff", "--no-textconv", "--no-color", "--no-relative", NOT_INSIDE)
    # Of a file that git believes to be unchanged since, it tells the blob: but the file counts.
    blobs_count = len(base) == 2
    read = partial(parse, blobs_count=blobs_count)
    result = await git(*ask, *plain, *base, "--", cwd=worktree, env=env, check=False)
    if result.code == 0:
        return await parsed(result.out, read)
    # One file that may not be read ends git, before it has said anything of the others; so does
    # one of a partial clone that cannot be fetched.
    raw = ("diff", "--raw", "-z", "--no-abbrev", "--no-renames")
    named = await git(*raw, *plain, *base, "--", cwd=worktree, env=env)
    changed = await parsed(named.out, read)
    shut = [] if blobs_count else await trio.to_thread.run_sync(_unreadable, worktree, changed)
    shut += await _absent(worktree, [entry for entry in changed if entry not in shut])
    if not shut:
        raise failure(ask, result)
    apart = (f":(exclude,literal){entry.path}" for entry in shut)
    result = await git(*ask, *plain, *base, "--", ".", *apart, cwd=worktree, env=env)
    return [*await parsed(result.out, read), *shut]


async def _absent(worktree: Path, entries: list[Entry]) -> list[Entry]:
    """The same for those whose blobs are not here."""
    oids = {oid for entry in entries for oid in (entry.old_oid, entry.new_oid) if oid}
    try:
        gone = await libgit2.missing(worktree, [*oids])
    except libgit2.Refused:
        return []
    return [replace(e, binary=True) for e in entries if {e.old_oid, e.new_oid} & gone]


def _unreadable(worktree: Path, entries: list[Entry]) -> list[Entry]:
    """Those of which no more can be told than that they are there."""
    return [
        replace(entry, binary=True)
        for entry in entries
        if entry.new_path is not None
        and os.path.isfile(worktree / entry.new_path)
        and not os.access(worktree / entry.new_path, os.R_OK)
    ]


class _Conversions(Struct, frozen=True):
    """The files that git converts, of those that it was asked for.

    Args:
        asked: these were.
        converted: of these, it stores something else than their bytes.
        suspicious: it may take files for changed that nobody has edited (see `unedited`).
    """

    asked: frozenset[str] = frozenset()
    converted: frozenset[str] = frozenset()
    suspicious: bool = False

    def of(self, entry: Entry) -> Entry:
        """The same entry, and whether its file is converted."""
        path = entry.new_path
        if path not in self.asked:
            return entry
        return replace(entry, converted=path in self.converted)


async def _conversions(
    worktree: Path, tracked: Sequence[Entry], untracked: Sequence[str]
) -> _Conversions:
    suspects = [entry.path for entry in tracked if entry.change == "modified"]
    present = [entry.path for entry in tracked if entry.change != "deleted"]
    asked = [*present, *untracked] if len(present) + len(untracked) <= _ASKED_AT_ONCE else suspects
    rules = any(
        path.endswith(".gitattributes") for path in (*(e.path for e in tracked), *untracked)
    )
    found: list[str] = []
    others: list[bool] = []

    async def convert() -> None:
        found.extend(await converted(worktree, asked))

    async def look_back() -> None:
        others.append(bool(await differing(worktree)) or await any_replaced(worktree))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(convert)
        if suspects and not rules:
            nursery.start_soon(look_back)
    reasons = rules or any(others) or not set(found).isdisjoint(suspects)
    return _Conversions(frozenset(asked), frozenset(found), bool(suspects) and reasons)


async def _without_unedited(worktree: Path, base: str, tracked: list[Entry]) -> list[Entry]:
    own = git_dir(worktree)
    if own is None:
        raise NotFound("worktree", worktree)
    with scratch(own) as private:
        index = private / "index"
        await trio.to_thread.run_sync(copy_index, own, index)
        if await settle_copy(worktree, index, [entry.path for entry in tracked]):
            return await _compare(worktree, base, env={"GIT_INDEX_FILE": os.fspath(index)})
    return tracked


async def _recounted(worktree: Path, new: list[Entry]) -> list[Entry]:
    """Text in an encoding that git converts looks like no text on the disk."""
    binary = [entry for entry in new if entry.binary and entry.new_mode != SUBMODULE]
    unknown = [entry.path for entry in binary if entry.converted is None]
    sought = {entry.path for entry in binary if entry.converted}
    texts = await stored(worktree, [*sought, *await converted(worktree, unknown)])
    counts = {path: lines(data) for path, data in texts.items() if is_text(data)}
    return [
        replace(entry, binary=False, additions=counts[entry.path])
        if entry.path in counts
        else entry
        for entry in new
    ]


async def _paired(worktree: Path, deleted: list[Entry], files: list[str]) -> list[Entry]:
    """Pair deleted and untracked files, renames among them.

    By a second comparison, of nothing but these files, so that its cost is that of the changes and
    not of the repository.
    """
    were = {entry.path: (entry.old_mode, entry.old_oid or "") for entry in deleted}
    own = git_dir(worktree)
    if own is None:
        raise NotFound("worktree", worktree)
    with scratch(own) as private:
        index = private / "index"
        await trio.to_thread.run_sync(write_pairs, index, were, files)
        return await _compare(worktree, env={"GIT_INDEX_FILE": os.fspath(index)})


def _has_text(entry: Entry) -> bool:
    return not entry.binary and SUBMODULE not in (entry.old_mode, entry.new_mode)


def _sides(entry: Entry) -> blobs.Sides:
    return blobs.Sides(
        old_oid=entry.old_oid,
        new_path=entry.new_path,
        new_oid=entry.old_oid if entry.change == "permissionChange" else entry.new_oid,
        converted=entry.converted,
    )
