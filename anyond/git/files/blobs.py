"""Reading the two texts of a changed file, within limits and without following links."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import trio
from msgspec import Struct

from anyond.git.files.conversions import converted, stored
from anyond.git.program.command import git
from anyond.git.repo import libgit2

FILE_LIMIT = 1 << 20
BUDGET = 20 << 20

# What stands in the repository for a file that git LFS keeps elsewhere.
POINTER = b"version https://git-lfs.github.com/spec/"


class Sides(Struct, frozen=True):
    """The places of the two texts.

    Args:
        old_oid: the blob; None if the file is new.
        new_path: the file, relative to the worktree; None if it was deleted.
        new_oid: the blob in which the new text is to be read instead of the file.
        converted: whether git stores the file in another form; None if nobody has asked.
    """

    old_oid: str | None
    new_path: str | None
    new_oid: str | None = None
    converted: bool | None = None


Texts = tuple[str | None, str | None]


async def texts(
    worktree: Path, sides: Sequence[Sides], *, budget: int = BUDGET
) -> list[Texts | None]:
    """Old and new text of each, or None where one is too large, unreadable or beyond the budget.

    Both are in the form that git stores: line ends and encodings are no differences.

    Args:
        worktree: the top of the checkout.
        sides: what to read, in the order in which the budget (bytes) is spent.
    """
    sizes = await _sizes(worktree, _oids(sides))
    chosen = await trio.to_thread.run_sync(_choose, worktree, sides, sizes, budget)
    found = await _blobs(worktree, _oids([sides[n] for n in chosen]))
    files = [side for n in chosen if (side := sides[n]).new_path and not side.new_oid]
    unknown = [side.new_path for side in files if side.new_path and side.converted is None]
    known = [side.new_path for side in files if side.new_path and side.converted]
    written = await stored(worktree, [*known, *await converted(worktree, unknown)])
    return await trio.to_thread.run_sync(_pairs, worktree, sides, chosen, found, written)


def open_file(path: str | Path) -> BinaryIO:
    """Open a regular file for reading; never what a link points to, and never a pipe.

    Raises:
        OSError: it is gone, may not be read, or is something else.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is not a regular file")
    return os.fdopen(descriptor, "rb")


def _oids(sides: Sequence[Sides]) -> list[str]:
    """All blobs that have to be read, each once."""
    both = (oid for side in sides for oid in (side.old_oid, side.new_oid))
    return list(dict.fromkeys(oid for oid in both if oid))


async def _sizes(worktree: Path, oids: list[str]) -> dict[str, int]:
    try:
        return await libgit2.sizes(worktree, oids) if oids else {}
    except libgit2.Refused:
        pass  # git knows more kinds of repositories
    ask = ("cat-file", "--batch-check=%(objectname) %(objectsize)", "--buffer")
    found = await git(*ask, cwd=worktree, input=_lines(oids))
    pairs = (line.split(" ") for line in found.out.decode("ascii").splitlines())
    return {oid: int(size) for oid, size in pairs if size != "missing"}


async def _blobs(worktree: Path, oids: list[str]) -> dict[str, bytes]:
    try:
        return await libgit2.contents(worktree, oids) if oids else {}
    except libgit2.Refused:
        pass
    ask = ("cat-file", "--batch=%(objectname) %(objectsize)", "--buffer")
    out = (await git(*ask, cwd=worktree, input=_lines(oids))).out
    found: dict[str, bytes] = {}
    at = 0
    while at < len(out):
        end = out.index(b"\n", at)
        oid, size = out[at:end].decode("ascii").split(" ")
        if size == "missing":
            at = end + 1
            continue
        at = end + 1 + int(size) + 1
        found[oid] = out[end + 1 : at - 1]
    return found


def _lines(oids: list[str]) -> bytes:
    return "".join(f"{oid}\n" for oid in dict.fromkeys(oids)).encode("ascii")


def _choose(
    worktree: Path, sides: Sequence[Sides], sizes: dict[str, int], budget: int
) -> list[int]:
    """Choose those that fit; the first that does not ends it, so that a client sees where it
    ended.
    """
    chosen: list[int] = []
    for number, side in enumerate(sides):
        old = sizes.get(side.old_oid, FILE_LIMIT + 1) if side.old_oid else 0
        if side.new_oid:
            new = sizes.get(side.new_oid, FILE_LIMIT + 1)
        else:
            new = _new_size(worktree, side.new_path)
        if old > FILE_LIMIT or new > FILE_LIMIT:
            continue
        if old + new > budget:
            break
        budget -= old + new
        chosen.append(number)
    return chosen


def _new_size(worktree: Path, path: str | None) -> int:
    if path is None:
        return 0
    try:
        return os.lstat(os.path.join(worktree, path)).st_size
    except OSError:
        # Gone since; the next comparison will say so.
        return 0


def _pairs(
    worktree: Path,
    sides: Sequence[Sides],
    chosen: Sequence[int],
    found: dict[str, bytes],
    written: dict[str, bytes],
) -> list[Texts | None]:
    pairs: list[Texts | None] = [None] * len(sides)
    for number in chosen:
        side = sides[number]
        before = found.get(side.old_oid) if side.old_oid else None
        if side.new_oid:
            after = found.get(side.new_oid)
        else:
            converted_text = written.get(side.new_path or "")
            after = _new(worktree, side.new_path) if converted_text is None else converted_text
        lost = (side.old_oid and before is None) or (side.new_path is not None and after is None)
        # A pointer on one side and the file itself on the other are not two texts to compare.
        is_stored = side.new_oid or side.new_path in written
        both = (before or b"", (after or b"") if is_stored else b"")
        if not lost and not any(text.startswith(POINTER) for text in both):
            pairs[number] = (_text(before), _text(after))
    return pairs


def _new(worktree: Path, path: str | None) -> bytes | None:
    if path is None:
        return None
    file = os.path.join(worktree, path)
    try:
        if stat.S_ISLNK(os.lstat(file).st_mode):
            return os.fsencode(os.readlink(file))
        with open_file(file) as data:
            # Not for the limit at once: that much memory would be taken for each file.
            found = data.read(min(os.fstat(data.fileno()).st_size, FILE_LIMIT) + 1)
            if len(found) <= FILE_LIMIT:
                found += data.read(FILE_LIMIT + 1 - len(found))
    except OSError:
        # Gone, or not readable: the row says that its content is left out.
        return None
    return found if len(found) <= FILE_LIMIT else None


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode("utf-8", "replace")
