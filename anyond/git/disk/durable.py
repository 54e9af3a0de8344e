"""Durability of git's own files: which of them are on the disk, and repair of torn ones.

Git waits for the content of objects and refs (`core.fsync`), and not for their names, nor for the
few files that make a worktree. On a file system with a journal, names come to the disk in their
order, so one sync behind the last of them is enough.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from anyond.git.disk import plain_files

MOVES_REFS = frozenset({"branch", "commit", "merge", "rebase", "reset", "update-ref"})
"""Commands after which names must be on the disk, because rows tell of them. Whoever has a worktree
made waits for more (`sync_worktree`)."""

_NULL = b"0\n"
"""What the name of no object consists of."""

_HASHES = (("sha1", 20), ("sha256", 32))


def sync_names(directory: Path) -> None:
    """Let the names of all files that were made, renamed or deleted before survive a power loss.

    Blocking. A directory that does not take a file is left alone: then git has written nothing
    there either.

    Args:
        directory: any of the same file system.
    """
    name = directory / f"anyon-sync-{secrets.token_hex(6)}"
    with suppress(OSError):
        fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            _sync(fd)
        finally:
            os.close(fd)
            name.unlink()


def sync_worktree(path: Path, own: Path) -> None:
    """Let what makes a linked worktree survive a power loss: its link, and git's record. Blocking.

    Args:
        own: its git directory.
    """
    for file in (path / ".git", own / "HEAD", own / "gitdir", own / "commondir", own / "index"):
        with suppress(OSError):  # not there, or no file
            fd = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                _sync(fd)
            finally:
                os.close(fd)
    sync_names(own)
    with suppress(OSError):
        if path.stat().st_dev != own.stat().st_dev:
            sync_names(path)


def repair_worktree(shared: Path, own: Path | None, branch: str) -> bool:
    """Take away what a power loss has left torn of worktrees; no git may be at work. Blocking.

    Records that were lost before they led anywhere are deleted. Of this worktree, an index that
    git cannot read is set aside, and a lost HEAD stands on `branch` again; so does one that points
    at nothing, as `git worktree add` has it for a moment, and leaves it if it is killed then.

    Args:
        shared: the common directory of the repository.
        own: the git directory of the worktree, if it is known.

    Returns:
        Whether its index was set aside.
    """
    with suppress(FileNotFoundError):
        for record in (shared / "worktrees").iterdir():
            if record != own and _is_lost(record / "gitdir") and _is_lost(record / "HEAD"):
                shutil.rmtree(record, ignore_errors=True)
    if own is None or not own.is_dir():
        return False
    if _is_lost(own / "HEAD", zeros=b"\0" + _NULL):
        (own / "HEAD").write_bytes(b"ref: refs/heads/" + os.fsencode(branch) + b"\n")
    with suppress(OSError):
        if plain_files.read(own / "locked").strip() == b"initializing":
            (own / "locked").unlink()  # by git, for as long as it makes the worktree
    index = own / "index"
    if _is_whole(index):
        return False
    index.replace(own / "index.torn")
    return True


def _is_lost(file: Path, zeros: bytes = b"\0") -> bool:
    """Return whether it is there, and its bytes are not: empty, or zeros."""
    try:
        return not plain_files.read(file).strip(zeros)
    except OSError:
        return False


def _is_whole(index: Path) -> bool:
    try:
        content = plain_files.read(index)
    except OSError:
        return True  # there is none, or git says why not
    if not content.startswith(b"DIRC"):
        return False
    if not content[-20:].strip(b"\0"):
        return bool(content[12:-20].strip(b"\0"))  # `index.skipHash`: there is no checksum
    return any(
        content[-size:] == hashlib.new(name, content[:-size], usedforsecurity=False).digest()
        for name, size in _HASHES
    )


def _sync(fd: int) -> None:
    full = getattr(fcntl, "F_FULLFSYNC", None)
    if full is not None:  # macOS: fsync alone leaves the bytes in the disk's own cache
        with suppress(OSError):
            fcntl.fcntl(fd, full)
            return
    os.fsync(fd)
