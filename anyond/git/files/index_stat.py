"""Copying an index file, and marking files as equal to its entries."""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

# See gitformat-index(5).
_HEADER = struct.Struct(">4sII")
_TIMES = struct.Struct(">6I")
_STAT = struct.Struct(">10I")
_SIZE_AT, _MODE_AT = 36, 24
_EXTENDED, _STAGE = 0x4000, 0x3000
_WORD = 0xFFFFFFFF


class _Entry(NamedTuple):
    at: int
    path: bytes
    stage: int


def copy_index(own: Path, to: Path) -> None:
    """Copy the index of the checkout whose git directory is `own`; nothing if it has none.

    With its time: git trusts a file that is older than the index, so an index that looks newer
    than it is would hide changes.
    """
    source = own / "index"
    if source.exists():
        shutil.copy2(source, to)


def freshen(index: bytes, since: int, files: Mapping[str, os.stat_result]) -> bytes:
    """`index` with what `files` look like now in their entries.

    Git trusts an entry whose file is older than the index. The new index is newer than the old one
    was, so all entries that git would not have trusted are marked for it to look at.

    Args:
        index: the content of an index file of version 2, 3 or 4.
        since: Unix seconds of the time of that file.
        files: path -> what `lstat` says; the caller knows that their contents are as checked out.

    Raises:
        ValueError, struct.error: it is no such file.
    """
    by_path = {os.fsencode(path): found for path, found in files.items()}
    fresh = bytearray(index)
    length = _hash_length(index)
    for entry in _entries(index, length):
        found = by_path.get(entry.path) if not entry.stage else None
        if found is not None:
            (mode,) = struct.unpack_from(">I", index, entry.at + _MODE_AT)
            _STAT.pack_into(fresh, entry.at, *_words(found, mode))
        elif _TIMES.unpack_from(index, entry.at)[2] >= since:
            struct.pack_into(">I", fresh, entry.at + _SIZE_AT, 0)
    if any(index[-length:]):  # else git was told to leave the checksum out
        digest = hashlib.sha1 if length == 20 else hashlib.sha256
        fresh[-length:] = digest(fresh[:-length], usedforsecurity=False).digest()
    return bytes(fresh)


def untouched(index: bytes, files: Mapping[str, os.stat_result]) -> set[str]:
    """The paths whose files look as when git last wrote or read them for their entries.

    Git forgets the size of an entry whose file was as old as the index and could not be told from
    a changed one; then the inode and the time of its last change must be the same.

    Args:
        files: path -> what `lstat` says.

    Raises:
        ValueError, struct.error: it is no index file of version 2, 3 or 4.
    """
    by_path = {os.fsencode(path): (path, found) for path, found in files.items()}
    same = set()
    for entry in _entries(index, _hash_length(index)):
        if entry.stage or entry.path not in by_path:
            continue
        path, found = by_path[entry.path]
        (mode,) = struct.unpack_from(">I", index, entry.at + _MODE_AT)
        then, now = _STAT.unpack_from(index, entry.at), _words(found, mode)
        modified, size = slice(2, 4), -1
        if then[modified] == tuple(now[modified]) and (
            then[size] == now[size] or (then[size] == 0 and then[:6] == tuple(now[:6]))
        ):
            same.add(path)
    return same


def _words(found: os.stat_result, mode: int) -> list[int]:
    times = (*divmod(found.st_ctime_ns, 10**9), *divmod(found.st_mtime_ns, 10**9))
    rest = (found.st_dev, found.st_ino, mode, found.st_uid, found.st_gid, found.st_size)
    return [word & _WORD for word in (*times, *rest)]


def _hash_length(index: bytes) -> int:
    """20 or 32, by which of the two the checksum at the end fits; without one, by the entries."""
    for length, digest in ((20, hashlib.sha1), (32, hashlib.sha256)):
        if digest(index[:-length], usedforsecurity=False).digest() == index[-length:]:
            return length
    try:
        paths = [entry.path for entry in _entries(index, 20)]
    except (struct.error, ValueError):
        return 32
    return 20 if paths == sorted(paths) and all(paths) else 32


def _entries(index: bytes, length: int) -> Iterator[_Entry]:
    signature, version, count = _HEADER.unpack_from(index)
    if signature != b"DIRC" or version not in (2, 3, 4):
        raise ValueError("not an index")
    at, path = _HEADER.size, b""
    for _ in range(count):
        (flags,) = struct.unpack_from(">H", index, at + _STAT.size + length)
        name_at = at + _STAT.size + length + 2 + (2 if flags & _EXTENDED else 0)
        if version == 4:
            dropped, name_at = _offset(index, name_at)
            end = index.index(b"\0", name_at)
            path = path[: len(path) - dropped] + index[name_at:end]
            following = end + 1
        else:
            end = index.index(b"\0", name_at)
            path = index[name_at:end]
            following = at + (end - at + 8) // 8 * 8
        yield _Entry(at, path, flags & _STAGE)
        at = following


def _offset(index: bytes, at: int) -> tuple[int, int]:
    """A number as git writes the offsets of packs, and where it ends."""
    byte = index[at]
    value = byte & 0x7F
    while byte & 0x80:
        at += 1
        byte = index[at]
        value = ((value + 1) << 7) | (byte & 0x7F)
    return value, at + 1
