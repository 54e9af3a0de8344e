"""Small private files: read without trust, replaced without a moment of half a file."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from anyond.model.errors import TooLarge, Unavailable

LARGEST = 16 * 1024 * 1024


def read(path: Path) -> bytes | None:
    """All bytes of `path`, or None if there is no such file.

    Raises:
        Unavailable: it is there, but cannot be read, or is a pipe or a device.
    """
    try:
        # Without O_NONBLOCK a pipe would be waited for, until somebody writes into it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise Unavailable(f"{path} cannot be read: it is no ordinary file.")
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > LARGEST:
        raise Unavailable(f"{path} is larger than {LARGEST} bytes; that cannot be ours.")
    return content


def write(
    path: Path,
    content: bytes | Iterable[bytes],
    mode: int = 0o600,
    only_if: Callable[[], bool] | None = None,
) -> bool:
    """Replace `path` by `content` at once and durably, readable by its owner only.

    A symbolic link stays one: the file that it points to is replaced.

    Args:
        content: its pieces, if together they are much.
        mode: who may do what with it, if it shall not be private.
        only_if: asked last, when all is ready to take the old file's place.

    Returns:
        Whether it was replaced, which only `only_if` can prevent.

    Raises:
        Unavailable: it could not be written; the old file is as it was.
    """
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, fresh = _draft(target)
        try:
            with os.fdopen(descriptor, "wb") as file:  # and so locked, until it has its name
                os.fchmod(file.fileno(), mode)
                file.writelines((content,) if isinstance(content, bytes) else content)
                file.flush()
                _sync(file.fileno())
                if only_if is not None and not only_if():
                    fresh.unlink()
                    return False
                fresh.replace(target)
        except BaseException:  # cancelled or failed: nothing half written stays; it is raised again
            fresh.unlink(missing_ok=True)
            raise
        sweep(target)
        sync_directory(target.parent)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}.") from error
    return True


def _draft(target: Path) -> tuple[int, Path]:
    """A new file beside `target`, locked so that `sweep` can tell that it is being written."""
    while True:
        fresh = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with suppress(OSError):  # where there are no locks, nothing is swept either
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor, fresh
        os.close(descriptor)  # swept in the moment before it was locked


def sweep(path: Path) -> None:
    """Remove drafts of `path`, and of copies of it, whose writer was killed: secrets are in them.

    Those that somebody is writing stay, and so does all that is named in any other way. What
    cannot be removed stays, too: it does no harm where it is.
    """
    target = Path(os.path.realpath(path))
    copy = r"(?:\.(?:before|damaged)-\d{8}T\d{6}Z(?:-\d+)?\.bak)?"
    draft = re.compile(rf"\.{re.escape(target.name)}{copy}\.[0-9a-f]{{16}}")
    try:
        found = [name for name in os.listdir(target.parent) if draft.fullmatch(name)]
    except OSError:
        return
    for name in found:
        with suppress(OSError):
            _remove_unlocked(target.with_name(name))


def _remove_unlocked(draft: Path) -> None:
    descriptor = os.open(draft, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            draft.unlink()
    finally:
        os.close(descriptor)


def _sync(descriptor: int) -> None:
    full = getattr(fcntl, "F_FULLFSYNC", None)
    if full is not None:  # macOS: fsync alone leaves the bytes in the disk's own cache
        try:
            fcntl.fcntl(descriptor, full)
            return
        except OSError:
            pass  # not every file system there has it; the ordinary call is what remains
    os.fsync(descriptor)


def sync_directory(directory: Path) -> None:
    """Let what was made, renamed and deleted in it survive a power loss. Raises `OSError`."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # some network file systems refuse it for directories; the rename itself has happened
    finally:
        os.close(descriptor)


def keep_copy(path: Path) -> Path | None:
    """Copy a file that is about to be written in another way to `<name>.before-<UTC time>.bak`.

    Returns:
        The copy; None if there is no file.

    Raises:
        Unavailable: it cannot be read, or the copy not be written.
    """
    content = read(path)
    if content is None:
        return None
    copy = _sibling(path, "before")
    write(copy, content)
    return copy


def _sibling(path: Path, why: str) -> Path:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    found = path.with_name(f"{path.name}.{why}-{stamp}.bak")
    number = 1
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}.{why}-{stamp}-{number}.bak")
    return found


def set_aside(path: Path) -> Path:
    """Rename a damaged file to `<name>.damaged-<UTC time>.bak`, so that nothing of it is lost."""
    aside = _sibling(path, "damaged")
    try:
        path.rename(aside)
    except OSError as error:
        raise Unavailable(f"{path} is damaged and cannot be renamed: {error.strerror}.") from error
    return aside


def read_object(path: Path) -> tuple[dict[str, Any] | None, str | None]:
    """The JSON object that `path` holds, and a warning for the person.

    Returns:
        `(object, None)`; `(None, None)` if there is no file; `(None, warning)` if it was damaged
        and has been set aside.

    Raises:
        Unavailable: the file is there but cannot be read, or not be set aside.
    """
    content = read(path)
    if content is None:
        return None, None
    try:
        found = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if isinstance(found, dict):
        return found, None
    aside = set_aside(path)
    return None, f"{path} is not a JSON object; it is now {aside.name}, and defaults are in force."


def write_object(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON object for people to read; otherwise as `write`.

    Raises:
        TooLarge: `read` would refuse it from then on; the old file is as it was.
    """
    text = msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"
    if len(text) > LARGEST:
        raise TooLarge(f"body: would make {path.name} larger than {LARGEST} bytes.")
    write(path, text)
