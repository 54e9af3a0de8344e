"""Stored snapshots by their refs: the facts that each has in its message."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote

from msgspec import Struct

from anyond.git.commits.commit import DURABLE, UTF_8
from anyond.git.program.command import git
from anyond.git.program.text import as_utf8
from anyond.model.ids import is_id, timestamp
from anyond.model.refusals.git import GitFailed
from anyond.model.refusals.requests import NotFound

PREFIX = "refs/anyon/snapshots/"

_REF = re.compile(re.escape(PREFIX) + r"([0-9a-f-]{36})/([1-9][0-9]{0,8})")


class Snapshot(Struct, frozen=True, kw_only=True):
    """One stored state.

    Args:
        ref: its name.
        oid: its commit.
        attempt_id: whose worktree it was.
        number: counts up from 1 within the attempt.
        created_at: RFC 3339.
        reason: why it was taken.
        branch: what was checked out; None if HEAD was detached.
        head: the commit that was checked out; None before the first one.
        op: the operation that was in progress.
        index: the commit whose tree is the index.
        conflicts: the commit with the versions of files in conflict, if there were any.
        empty: the note of empty directories, if there were any.
        submodules: paths, and commits that were kept because only the submodule there had them.
    """

    ref: str
    oid: str
    attempt_id: str
    number: int
    created_at: str
    reason: str
    branch: str | None
    head: str | None
    op: str | None
    index: str
    conflicts: str | None
    empty: str | None
    submodules: tuple[tuple[str, str], ...] = ()


async def list_snapshots(repo: Path, attempt_id: str | None = None) -> list[Snapshot]:
    """The snapshots of one attempt, or of all, the oldest first."""
    if attempt_id is not None and not is_id(attempt_id):
        return []
    below = f"{PREFIX}{attempt_id}/" if attempt_id else PREFIX
    fields = "%(refname)%00%(objectname)%00%(committerdate:unix)%00%(contents)%00"
    listed = await git(*UTF_8, "for-each-ref", f"--format={fields}", below, cwd=repo)
    found = (_snapshot(line) for line in listed.out.split(b"\0\n")[:-1])
    return sorted(
        (snapshot for snapshot in found if snapshot is not None),
        key=lambda snapshot: (snapshot.created_at, snapshot.attempt_id, snapshot.number),
    )


async def find(repo: Path, ref: str) -> Snapshot:
    """The snapshot of a ref.

    Raises:
        NotFound: no such snapshot.
    """
    match = _REF.fullmatch(ref)
    if match:
        for snapshot in await list_snapshots(repo, match[1]):
            if snapshot.ref == ref:
                return snapshot
    raise NotFound("snapshot", as_utf8(ref))


async def add(repo: Path, attempt_id: str, oid: str) -> str:
    """Give the commit the next free number; somebody else may be about to take the same."""
    failed: GitFailed | None = None
    for _ in range(5):
        number = (
            max((taken.number for taken in await list_snapshots(repo, attempt_id)), default=0) + 1
        )
        ref = f"{PREFIX}{attempt_id}/{number}"
        try:
            # An empty old value: it must not exist.
            await git(*DURABLE, "update-ref", ref, oid, "", cwd=repo)
        except GitFailed as error:
            failed = error
        else:
            return ref
    assert failed is not None
    raise failed


async def delete(repo: Path, ref: str) -> None:
    """Forget a snapshot.

    Raises:
        NotFound: no such snapshot.
    """
    found = await find(repo, ref)
    await git("update-ref", "-d", found.ref, found.oid, cwd=repo)


def _snapshot(line: bytes) -> Snapshot | None:
    """A snapshot from its ref and commit, or None if something else bears such a name."""
    ref, oid, date, message = (os.fsdecode(part) for part in line.split(b"\0", 3))
    match = _REF.fullmatch(ref)
    reason, _, rest = message.rpartition("\n\n")
    trailers = dict(row.split(": ", 1) for row in rest.splitlines() if ": " in row)
    if match is None or "Anyon-Index" not in trailers:
        return None
    return Snapshot(
        ref=ref,
        oid=oid,
        attempt_id=match[1],
        number=int(match[2]),
        created_at=timestamp(int(date)),
        reason=as_utf8(reason),
        branch=trailers.get("Anyon-Branch"),
        head=trailers.get("Anyon-Head"),
        op=trailers.get("Anyon-Operation"),
        index=trailers["Anyon-Index"],
        conflicts=trailers.get("Anyon-Conflicts"),
        empty=trailers.get("Anyon-Empty"),
        submodules=tuple(
            (unquote(path), commit)
            for path, _, commit in (
                word.partition("=")
                for word in trailers.get("Anyon-Submodules", "").split(" ")
                if word
            )
        ),
    )
