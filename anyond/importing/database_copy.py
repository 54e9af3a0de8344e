"""Reading a database of another program without a byte of it being written.

SQLite itself never opens the original, since even a reader of SQLite may change the files beside
it. What its readers do to see one state of the file is done here by hand: they hold locks. One
keeps others from writing into the database while there is a rollback journal, another keeps the
write-ahead log from beginning anew; it may grow meanwhile.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from anyond.model.errors import Unavailable
from anyond.model.refusals.requests import Invalid

_WAL, _JOURNAL, _INDEX = "-wal", "-journal", "-shm"
_WAL_HEAD = 32
"""Bytes at the beginning of a write-ahead log, which differ whenever it has begun anew."""
_CHUNK = 1 << 20
# Where SQLite locks the database, beyond all data: who wants to write takes the first byte for a
# moment, who reads the others. And of the index of a write-ahead log, one of the readers' bytes.
_PENDING, _SHARED, _SHARED_BYTES = 0x4000_0000, 0x4000_0002, 510
_READER = 124
COPY_TIMEOUT_S = 10.0
"""Seconds; others hold a lock for as long as one transaction takes."""
_ATTEMPTS = 5
_DESCRIPTORS = "/proc/self/fd"


@contextmanager
def copied(path: Path, timeout_s: float = COPY_TIMEOUT_S) -> Iterator[sqlite3.Connection]:
    """A connection to a private copy of the SQLite database at `path`. Blocks.

    The copy has no name any more: it is gone with the connection, even if that is never closed.

    The copy is what was committed last, also while its program is at work, and also if that has
    died in the middle of a transaction. The original is only read, as any file is.

    Args:
        timeout_s: seconds to wait for somebody who writes to it.

    Raises:
        Invalid: there is no such file, or it is no SQLite database that is whole.
        Unavailable: it cannot be copied, or the block was left by an error of SQLite.
    """
    if not path.is_file():
        raise Invalid("path", f"there is no file {path}")
    try:
        with ExitStack() as stack:
            folder = _Folder(stack)
            if not any(_copy(path, folder, timeout_s) for _ in range(_ATTEMPTS)):
                raise Unavailable(f"{path} is written all the time. Stop its program, try again.")
            connection = _opened(folder.named(), path)
    except OSError as error:
        raise Unavailable(f"{path} cannot be copied: {error.strerror}.") from error
    with closing(connection):
        _check(connection, path)
        try:
            yield connection
        except sqlite3.Error as error:
            # It was whole; so it is the disk, which SQLite needs for indexes and for sorting.
            raise Unavailable(f"The copy of {path} can be read no further: {error}.") from error


class _Folder:
    """A private folder for the copy and what SQLite wants beside it.

    Where the system knows files without a name, it is made when SQLite needs the names: a copy of
    gigabytes takes a while, and whoever kills us meanwhile shall not have to clean up.
    """

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._path: Path | None = None
        self._files: dict[str, BinaryIO] = {}

    def clear(self) -> None:
        """Begin anew."""
        for suffix, file in self._files.items():
            file.close()
            if self._path is not None:
                self._place(suffix).unlink(missing_ok=True)
        self._files.clear()

    def blank(self, suffix: str) -> BinaryIO:
        """A new file to write into."""
        file = self._nameless() or self._place(suffix).open("w+b")
        self._files[suffix] = self._stack.enter_context(file)
        return file

    def named(self) -> Path:
        """Give the copy its place, with the other files of it, until the stack is left."""
        place = self._place("")
        where = os.open(place.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            for suffix, file in self._files.items():
                file.flush()
                if os.fstat(file.fileno()).st_nlink == 0:
                    source = f"{_DESCRIPTORS}/{file.fileno()}"
                    os.link(source, self._place(suffix), src_dir_fd=where, follow_symlinks=True)
                file.close()
        finally:
            os.close(where)
        return place

    def _place(self, suffix: str) -> Path:
        if self._path is None:
            made = tempfile.TemporaryDirectory(prefix="anyon-import-")
            self._path = Path(self._stack.enter_context(made))
        return self._path / f"copy.sqlite{suffix}"

    def _nameless(self) -> BinaryIO | None:
        kind = getattr(os, "O_TMPFILE", None)
        if kind is None or not os.path.isdir(_DESCRIPTORS):
            return None
        with suppress(OSError):  # not every file system has them
            flags = kind | os.O_RDWR | os.O_CLOEXEC
            return os.fdopen(os.open(tempfile.gettempdir(), flags, 0o600), "w+b")
        return None


def _copy(path: Path, folder: _Folder, timeout_s: float) -> bool:
    """Return whether what was copied belongs together."""
    deadline = time.monotonic() + timeout_s
    wal = _sibling(path, _WAL)
    with ExitStack() as stack:
        # One descriptor for locking and copying: to close another would give up the lock.
        source = stack.enter_context(path.open("rb"))
        _lock(source, _PENDING, 1, deadline)
        _lock(source, _SHARED, _SHARED_BYTES, deadline)
        with suppress(OSError):
            fcntl.lockf(source, fcntl.LOCK_UN, 1, _PENDING)
        with suppress(FileNotFoundError):
            index = stack.enter_context(_sibling(path, _INDEX).open("rb"))
            _lock(index, _READER, 1, deadline)
        began = _head(wal)
        folder.clear()
        shutil.copyfileobj(source, folder.blank(""), _CHUNK)
        for suffix in (_WAL, _JOURNAL):
            with suppress(FileNotFoundError), _sibling(path, suffix).open("rb") as log:
                shutil.copyfileobj(log, folder.blank(suffix), _CHUNK)
        # What moved from the log into the database meanwhile is in the copy of the log too.
        return _head(wal) == began


def _lock(file: BinaryIO, start: int, length: int, deadline: float) -> None:
    """Take a reader's lock on these bytes, until `file` is closed.

    Raises:
        Unavailable: somebody keeps them for himself.
    """
    while True:
        try:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB, length, start)
            return
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                return  # a file system without locks; damage is looked for afterwards
        if time.monotonic() > deadline:
            raise Unavailable(f"Another program keeps {file.name} locked. Stop it, and try again.")
        time.sleep(0.01)


def _sibling(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_WAL_HEAD)
    except FileNotFoundError:
        return b""


def _opened(copy: Path, original: Path) -> sqlite3.Connection:
    """With all that SQLite needs names for behind it: no file is made beside it afterwards."""
    connection = sqlite3.connect(copy, isolation_level=None)
    # Text is hostile until decoded: one broken character must not hide a whole row.
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        connection.execute("PRAGMA journal_mode = OFF")
    except sqlite3.DatabaseError as error:
        connection.close()
        raise Invalid("path", f"{original} is no SQLite database: {error}") from error
    return connection


def _check(connection: sqlite3.Connection, original: Path) -> None:
    try:
        [problem] = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        raise Invalid("path", f"{original} is no SQLite database: {error}") from error
    if problem != "ok":
        raise Invalid(
            "path",
            f"{original} is damaged, or its program was writing just now ({problem}). "
            "Stop that program and try again",
        )
