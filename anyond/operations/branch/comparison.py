"""Comparisons of an attempt: with where it began, its last turn, what a person has seen."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path

import trio
from msgspec import Struct

from anyond.git.diff import diff, hunks
from anyond.git.diff.entry import SUBMODULE, Entry
from anyond.git.program.text import as_utf8
from anyond.git.repo import branches
from anyond.git.repo.repository import empty_tree, git_dir
from anyond.model.http.changes import ChangedFile, ChangeList, FileChanges
from anyond.model.ids import is_id
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.model.rows import RunReason
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.subject import read as read_subject
from anyond.store.board import attempts, seen
from anyond.store.runs import processes

BASE, TURN, SEEN = "base", "turn", "seen"
"""The names of what an attempt can be compared with, besides commits and other attempts."""
_HASHED_BYTES = 32 << 20
"""Of a larger file, size and time stand for its content."""


class Sides(Struct, frozen=True):
    """Two states.

    Args:
        place: where git is asked.
        base: a commit; None is nothing at all.
        head: a commit; None is the worktree at `place`.
    """

    place: Path
    base: str | None
    head: str | None


async def sides(
    resources: Resources, subject: Subject, against: str, commit: str | None = None
) -> Sides:
    """The two states that a person wants to see compared.

    Args:
        against: `base` (where the attempt left its target), `turn` (where its last turn began),
            `seen` (what there was when a person looked), the id of another attempt, or a commit.
        commit: only what this commit has changed.

    Raises:
        NotFound: there is no such commit or attempt, or the attempt has no branch yet.
    """
    place, head = await here(subject)
    if commit is not None:
        oid = await branches.commit(place, commit)
        try:
            parent: str | None = await branches.commit(place, f"{oid}^1")
        except NotFound:
            parent = None
        return Sides(place, parent, oid)
    base = await _named(resources, subject, place, against)
    if base is None:
        base = await _fork_point(resources, subject, place, head)
    return Sides(place, base, head)


async def files(found: Sides) -> ChangeList:
    """The files that differ, without their contents."""
    if found.head is not None:
        base = found.base or await empty_tree(found.place)
        entries = await diff.between(found.place, base, found.head)
    else:
        entries = await diff.snapshot(found.place, found.base)
    versions = await trio.to_thread.run_sync(_versions, found.place, entries)
    listed = [_file(entry, version) for entry, version in zip(entries, versions, strict=True)]
    return ChangeList(
        base=found.base,
        head=found.head,
        files=listed,
        additions=sum(one.additions for one in listed),
        deletions=sum(one.deletions for one in listed),
    )


async def file(
    found: Sides, path: str, old_path: str | None, context: int, *, ignore_whitespace: bool
) -> FileChanges:
    """The hunks of one file.

    Raises:
        Invalid: a path leads out of the worktree.
    """
    _check(path, "path")
    if old_path is not None:
        _check(old_path, "old_path")
    patch = await hunks.of_file(
        found.place,
        path,
        old_path,
        found.base,
        found.head,
        context=context,
        ignore_whitespace=ignore_whitespace,
    )
    return FileChanges(
        base=found.base,
        head=found.head,
        path=path,
        header=patch.header,
        hunks=patch.hunks,
        binary=patch.binary,
        cut=patch.cut,
    )


async def here(subject: Subject) -> tuple[Path, str | None]:
    """Return the place to ask git in, and the commit that stands for the attempt there; None is the
    worktree itself.
    """
    if subject.attempt.container_ref is not None:
        path = subject.worktree
        if await trio.to_thread.run_sync(git_dir, path) is not None:
            return path, None
    repository = subject.repository
    if not await trio.to_thread.run_sync(os.path.isdir, repository):
        raise NotFound("git repository at", repository)
    return repository, await branches.commit(repository, f"refs/heads/{subject.attempt.branch}")


async def _named(resources: Resources, subject: Subject, place: Path, against: str) -> str | None:
    """Return the commit; None if it is that where the attempt left its target."""
    attempt_id = subject.attempt.id
    if against == BASE:
        return None
    if against == TURN:
        rows = await resources.store.read(lambda r: processes.of_attempt(r, attempt_id))
        agents = [row for row in rows if row.run_reason is RunReason.CODING_AGENT]
        return agents[0].before_head_commit if agents else None
    if against == SEEN:
        oid = await resources.store.read(lambda r: seen.commit(r, attempt_id))
        return None if oid is None else await branches.commit(place, oid)
    if is_id(against):
        other = await read_subject(resources, against)
        return await branches.commit(place, f"refs/heads/{other.attempt.branch}")
    return await branches.commit(place, against)


async def _fork_point(
    resources: Resources, subject: Subject, place: Path, head: str | None
) -> str | None:
    target = subject.attempt.target_branch
    left = await resources.store.read(lambda r: attempts.base_commit(r, subject.attempt.id))
    if head is None:
        return await branches.fork_point(place, target, left)
    found = await branches.find(place, target)
    base = None if found is None else await branches.merge_base(place, head, found.oid)
    return base if base is not None else left


def texts(place: Path, paths: Sequence[str]) -> dict[str, str]:
    """The texts of files below `place` that are there, by their paths. Blocks on the disk.

    A path that leads out of it, or through a link, is none.
    """
    found = {}
    root = os.path.realpath(place)
    for path in paths:
        name = os.path.normpath(path)
        file = os.path.realpath(os.path.join(root, name))
        if file != os.path.join(root, name) or name.split("/", 1)[0] in {"..", ".git"}:
            continue
        try:
            if os.path.isfile(file) and os.path.getsize(file) <= _HASHED_BYTES:
                found[name] = Path(file).read_bytes().decode("utf-8", "replace")
        except OSError:
            continue  # gone in between, or not to be read: then nothing of it is there
    return found


def _check(path: str, field: str) -> None:
    parts = Path(path).parts
    if not parts or "\0" in path or path.startswith("/") or ".." in parts or ".git" in parts:
        raise Invalid(field, "must be a path inside the worktree")


def _file(entry: Entry, version: str) -> ChangedFile:
    return ChangedFile(
        change=entry.change,
        old_path=None if entry.old_path is None else as_utf8(entry.old_path),
        path=as_utf8(entry.path),
        additions=entry.additions,
        deletions=entry.deletions,
        binary=entry.binary,
        submodule=SUBMODULE in (entry.old_mode, entry.new_mode),
        version=version,
    )


def _versions(place: Path, entries: Sequence[Entry]) -> list[str]:
    return [_version(place, entry) for entry in entries]


def _version(place: Path, entry: Entry) -> str:
    """A text that stands for the content of a file. Blocks on the disk."""
    if entry.new_path is None:
        return ""
    if entry.new_oid is not None:
        return entry.new_oid
    path = place / entry.new_path
    digest = hashlib.blake2b(str(entry.new_mode).encode(), digest_size=20)
    try:
        kind = path.lstat()
        if stat.S_ISLNK(kind.st_mode):
            digest.update(os.fsencode(os.readlink(path)))
        elif stat.S_ISREG(kind.st_mode) and kind.st_size <= _HASHED_BYTES:
            digest.update(path.read_bytes())
        else:
            digest.update(f"{kind.st_size} {kind.st_mtime_ns}".encode())
    except OSError as error:
        # Gone or shut in between: that is a state of its own, too.
        digest.update(f"{error.errno}".encode())
    return digest.hexdigest()
