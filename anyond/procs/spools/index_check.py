"""Checking that an index belongs to its log, and making it anew from the log if not.

Beside them lies `log.sum`: the sizes of both and the checksum of the index, as found right.
Only for spools of which no shim lives.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import msgspec
import structlog
from msgspec import Struct

from anyond.procs.spools.record_scanner import OUTPUT, Scanner
from anyond.procs.spools.spool_files import make_way, read_plain
from anyond.shim.spool.log import write_json

log = structlog.get_logger()

_AT_ONCE = 1 << 20
_LARGEST = 1 << 30


class _Sums(Struct, frozen=True):
    log: int
    index: int
    crc32: int


def ensure(spool: Path) -> bool:
    """Check the index; make it anew if it is torn, shortened, of another log, or garbage. Blocking.

    Returns:
        Whether it was as it should be.

    Raises:
        OSError: the disk refuses.
    """
    try:
        make_way(spool)
        size = (spool / "log").stat().st_size
    except FileNotFoundError:
        return True  # nothing was said
    content = _content(spool / "log.idx", size)
    if _stored(spool / "log.sum") == _Sums(size, len(content), zlib.crc32(content)):
        return True
    right, reached = _scan(spool)
    good = content == right or (reached < size and _may_be(content, right, size))
    if not good:
        half = spool / "log.idx.tmp"
        half.write_bytes(right)
        os.chmod(half, 0o600)
        os.replace(half, spool / "log.idx")
        content = right
        log.warning("index_made_anew", spool=str(spool), frames=len(right) // 8)
    sums = _Sums(size, len(content), zlib.crc32(content))
    write_json(str(spool / "log.sum"), msgspec.to_builtins(sums))
    return good


def _scan(spool: Path) -> tuple[bytes, int]:
    """The index as the log would have it, and how far the log could be read."""
    entries: list[int] = []
    scanner, position = Scanner(spool), 0
    try:
        while True:
            records, position, crossed = scanner.read(position, _AT_ONCE)
            if crossed is not None:
                # Nobody looks these up: a reader that meets the gap goes on behind it.
                missing = range(crossed.end_frame - len(entries))
                entries.extend(crossed.start + number for number in missing)
            entries.extend(record.position for record in records if record.stream in OUTPUT)
            if not records:
                break
    finally:
        scanner.close()
    return b"".join(entry.to_bytes(8, "little") for entry in entries), position


def _may_be(content: bytes, begin: bytes, size: int) -> bool:
    """Return whether an index goes on in order behind the part of a log that can be read."""
    if len(content) % 8 or not content.startswith(begin):
        return False
    entries = [int.from_bytes(content[at : at + 8], "little") for at in range(0, len(content), 8)]
    return all(a < b for a, b in zip(entries, [*entries[1:], size], strict=True))


def _content(path: Path, largest: int) -> bytes:
    """The index; nothing if it is larger than its log, which no index is."""
    try:
        return read_plain(path, min(largest, _LARGEST))
    except OSError:
        return b""


def _stored(path: Path) -> _Sums | None:
    try:
        return msgspec.json.decode(read_plain(path), type=_Sums)
    except (OSError, ValueError, RecursionError):
        return None  # it was never checked, or that is damaged, too
