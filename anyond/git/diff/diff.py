"""The diff of an attempt: every difference of a commit to the working tree, or to another."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import trio

from anyond.git.diff.unedited import settle_copy
from anyond.git.disk.scratch import scratch
from anyond.git.files import blobs
from anyond.git.files.conversions import any_replaced, converted, stored
from anyond.git.files.earlier_attributes import differing
from anyond.git.files.index_stat import copy_index
from anyond.git.files.rename_index import write_pairs
from anyond.git.program.command import NOT_INSIDE, failure, git
from anyond.git.program.parsing import parsed
from anyond.git.program.text import as_utf8, split
from anyond.git.repo import branches, libgit2
from anyond.git.repo.repository import empty_tree, git_dir
from anyond.model.refusals.requests import NotFound
from anyond.model.rows import Diff

# As git: beyond this nobody counts lines any more.
BIG_FILE = 512 << 20
SNIFFED = 8000

LINK, SUBMODULE, ABSENT = 0o120000, 0o160000, 0

_CHANGES = {"A": "added", "D": "deleted", "R": "renamed", "C": "copied"}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file that differs.

    Args:
        change: added, deleted, modified, renamed, copied, permissionChange.
        old_path, new_path: where it was and is, as the file system spells it; None if it was not,
            or is not.
        old_oid: what it was; None for a new file.
        new_oid: what it is; None if that is to be read in the working tree.
        old_mode, new_mode: the kind of file, as git encodes it; 0 if there is none.
        additions, deletions: lines; 0 if it is binary.
        binary: it has no lines.
    """

    change: str
    old_path: str | None
    new_path: str | None
    old_oid: str | None
    old_mode: int
    new_mode: int
    additions: int = 0
    deletions: int = 0
    binary: bool = False
    new_oid: str | None = None

    @property
    def path(self) -> str:
        """The name that the file is known by: the new one if it has one."""
        return self.new_path if self.new_path is not None else self.old_path or ""

    def without_contents(self) -> Diff:
        """The row of a client that only wants numbers."""
        return self.row(None, None, omitted=True)

    def row(self, old: str | None, new: str | None, *, omitted: bool) -> Diff:
        """The row with these contents."""
        return Diff(
            change=self.change,
            old_path=None if self.old_path is None else as_utf8(self.old_path),
            new_path=None if self.new_path is None else as_utf8(self.new_path),
            old_content=old,
            new_content=new,
            content_omitted=omitted,
            additions=self.additions,
            deletions=self.deletions,
        )


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
    if await _may_be_unedited(worktree, tracked, untracked):
        tracked = await _without_unedited(worktree, base, tracked)
    deleted = [entry for entry in tracked if entry.change == "deleted"]
    files = [path for path in untracked if not path.endswith("/")]
    if files and deleted:
        # Somebody may have moved a file without telling git, so git has to see both ends.
        present = [entry for entry in tracked if entry.change != "deleted"]
        tracked = present + await _paired(worktree, deleted, files)
        untracked = [path for path in untracked if path.endswith("/")]
    new = await trio.to_thread.run_sync(lambda: [_untracked(worktree, path) for path in untracked])
    found = await _recounted(worktree, [entry for entry in new if entry])
    return sorted([*tracked, *found], key=lambda entry: entry.path)


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


async def _compare(worktree: Path, *base: str, env: dict[str, str] | None = None) -> list[Entry]:
    ask = ("diff", "--raw", "--numstat", "-z", "--no-abbrev", "--find-renames")
    plain = ("--no-ext-diff", "--no-textconv", "--no-color", "--no-relative", NOT_INSIDE)
    # Of a file that git believes to be unchanged since, it tells the blob: but the file counts.
    blobs_count = len(base) == 2
    parse = partial(_parse, blobs_count=blobs_count)
    result = await git(*ask, *plain, *base, "--", cwd=worktree, env=env, check=False)
    if result.code == 0:
        return await parsed(result.out, parse)
    # One file that may not be read ends git, before it has said anything of the others; so does
    # one of a partial clone that cannot be fetched.
    raw = ("diff", "--raw", "-z", "--no-abbrev", "--no-renames")
    named = await git(*raw, *plain, *base, "--", cwd=worktree, env=env)
    changed = await parsed(named.out, parse)
    shut = [] if blobs_count else await trio.to_thread.run_sync(_unreadable, worktree, changed)
    shut += await _absent(worktree, [entry for entry in changed if entry not in shut])
    if not shut:
        raise failure(ask, result)
    apart = (f":(exclude,literal){entry.path}" for entry in shut)
    result = await git(*ask, *plain, *base, "--", ".", *apart, cwd=worktree, env=env)
    return [*await parsed(result.out, parse), *shut]


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


async def _may_be_unedited(worktree: Path, tracked: list[Entry], untracked: list[str]) -> bool:
    """Return whether git may take files for changed that nobody has edited (see `unedited`)."""
    suspects = [entry.path for entry in tracked if entry.change == "modified"]
    if not suspects:
        return False
    rules = (path for path in (*(entry.path for entry in tracked), *untracked)
             if path.endswith(".gitattributes"))  # fmt: skip
    return (
        any(rules)
        or bool(await converted(worktree, suspects) or await differing(worktree))
        or await any_replaced(worktree)
    )


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
    binary = [e.path for e in new if e.binary and e.new_mode != SUBMODULE]
    texts = await stored(worktree, await converted(worktree, binary))
    counts = {path: _lines(data) for path, data in texts.items() if b"\0" not in data[:SNIFFED]}
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


# ---------------------------------------------------------------- what git says


def _parse(out: bytes, blobs_count: bool) -> list[Entry]:
    """The output of `git diff --raw --numstat -z`: first all raw entries, then all numbers.

    Args:
        blobs_count: whether the new side is what git says, rather than a working tree.
    """
    entries: dict[str, Entry] = {}
    fields = iter(os.fsdecode(out).split("\0"))
    for field in fields:
        if field.startswith(":"):
            entry = _raw(field, fields, blobs_count)
            entries[entry.path] = entry
        elif field:
            added, deleted, path = field.split("\t", 2)
            if not path:
                next(fields)
                path = next(fields)
            entries[path] = _counted(entries[path], added, deleted)
    return list(entries.values())


def _raw(field: str, fields: Iterator[str], blobs_count: bool) -> Entry:
    old_mode, new_mode, old_oid, new_oid, status = field[1:].split(" ")
    old_path = new_path = next(fields)
    if status[0] in "RC":
        new_path = next(fields)
    return Entry(
        change=_CHANGES.get(status[0], "modified"),
        old_path=None if status[0] == "A" else old_path,
        new_path=None if status[0] == "D" else new_path,
        old_oid=None if status[0] == "A" else old_oid,
        old_mode=int(old_mode, 8),
        new_mode=int(new_mode, 8),
        new_oid=new_oid if blobs_count and status[0] != "D" else None,
    )


def _counted(entry: Entry, added: str, deleted: str) -> Entry:
    if added == "-":
        return replace(entry, binary=True)
    change = entry.change
    same_text = added == deleted == "0"
    if change == "modified" and same_text and entry.old_mode != entry.new_mode:
        change = "permissionChange"
    return replace(entry, change=change, additions=int(added), deletions=int(deleted))


# ---------------------------------------------------------------- what git does not know yet


def _untracked(worktree: Path, path: str) -> Entry | None:
    """The entry of an untracked file, as git would count it; None if it is gone by now."""
    file = worktree / path
    new = Entry(
        change="added",
        old_path=None,
        new_path=path.rstrip("/"),
        old_oid=None,
        old_mode=ABSENT,
        new_mode=SUBMODULE,
        binary=True,
    )
    if path.endswith("/"):
        # A repository of its own inside this one; git does not look into it either.
        return new
    try:
        kind = file.lstat()
        if stat.S_ISLNK(kind.st_mode):
            return replace(new, new_mode=LINK, binary=False, additions=1)
        mode = 0o100755 if kind.st_mode & stat.S_IXUSR else 0o100644
        lines = _count(file) if kind.st_size <= BIG_FILE else None
    except FileNotFoundError:
        return None
    except OSError:
        # It exists, and may not be read: that much can be told.
        return replace(new, new_mode=0o100644)
    return replace(new, new_mode=mode, binary=lines is None, additions=lines or 0)


def _count(file: Path) -> int | None:
    """The number of lines, or None if the file is binary."""
    with blobs.open_file(file) as data:
        chunk = data.read(1 << 20)
        if b"\0" in chunk[:SNIFFED]:
            return None
        lines, last = 0, b"\n"
        while chunk:
            lines += chunk.count(b"\n")
            last = chunk[-1:]
            chunk = data.read(1 << 20)
    return lines + (last != b"\n")


def _lines(data: bytes) -> int:
    return data.count(b"\n") + (data[-1:] not in (b"", b"\n"))


def _has_text(entry: Entry) -> bool:
    return not entry.binary and SUBMODULE not in (entry.old_mode, entry.new_mode)


def _sides(entry: Entry) -> blobs.Sides:
    return blobs.Sides(
        old_oid=entry.old_oid,
        new_path=entry.new_path,
        new_oid=entry.old_oid if entry.change == "permissionChange" else entry.new_oid,
    )
