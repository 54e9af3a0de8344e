"""One file that differs, and reading what git says of all of them."""

from __future__ import annotations

import os
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from anyond.git.program.text import as_utf8
from anyond.model.rows import Diff

LINK, SUBMODULE, ABSENT = 0o120000, 0o160000, 0

_CHANGES = {"A": "added", "D": "deleted", "R": "renamed", "C": "copied"}


class Entry(Struct, frozen=True, kw_only=True):
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
        converted: whether git stores the file of now in another form than it has on the disk; None
            if nobody has asked.
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
    converted: bool | None = None

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


def parse(out: bytes, blobs_count: bool) -> list[Entry]:
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
