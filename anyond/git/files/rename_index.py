"""Writing an index file that has nothing but the two ends of possible renames."""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

# See gitformat-index(5), version 3.
_HEADER = struct.Struct(">4sII")
_STAT = struct.Struct(">6II3I")
_EXTENDED, _LONGEST_NAME, _INTENT_TO_ADD = 0x4000, 0xFFF, 0x2000


def write_pairs(index: Path, deleted: Mapping[str, tuple[int, str]], new: Iterable[str]) -> None:
    """Write `index` so that `git diff` with it compares these files only.

    Git itself could only make such an index by reading and hashing what is in it. A path that is
    in both stands for a file that git forgot while it stayed where it was.

    Args:
        index: the file to write.
        deleted: path -> (mode, blob) of what was; not empty.
        new: paths of what is there now.
    """
    length = len(next(iter(deleted.values()))[1])
    digest = hashlib.sha1 if length == 40 else hashlib.sha256
    empty = digest(b"blob 0\0", usedforsecurity=False).digest()
    entries = {os.fsencode(path): _entry(0o100644, empty, path, _INTENT_TO_ADD) for path in new}
    for path, (mode, oid) in deleted.items():
        entries[os.fsencode(path)] = _entry(mode, bytes.fromhex(oid), path, 0)
    content = _HEADER.pack(b"DIRC", 3, len(entries))
    content += b"".join(entries[path] for path in sorted(entries))
    index.write_bytes(content + digest(content, usedforsecurity=False).digest())


def _entry(mode: int, oid: bytes, path: str, extended: int) -> bytes:
    """One entry without any knowledge of the file itself, so that git will look at it."""
    name = os.fsencode(path)
    flags = min(len(name), _LONGEST_NAME) | (_EXTENDED if extended else 0)
    more = struct.pack(">H", extended) if extended else b""
    entry = _STAT.pack(0, 0, 0, 0, 0, 0, mode, 0, 0, 0) + oid + struct.pack(">H", flags)
    entry += more + name
    # At least one NUL, up to a multiple of eight.
    return entry + b"\0" * (8 - len(entry) % 8)
