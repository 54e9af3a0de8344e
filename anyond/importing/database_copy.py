"""How a database of another program is read without a byte of it being written."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from anyond.model.errors import Invalid, Unavailable

_WAL = "-wal"


@contextmanager
def copied(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a private copy of the SQLite database at `path`; gone at the end. Blocks.

    The write-ahead log comes along, so that the copy has what was committed last. The original is
    only read, as any file is: SQLite itself never opens it, since even a reader of SQLite may
    change the files beside it.

    Raises:
        Invalid: there is no such file, or it is no SQLite database that is whole.
        Unavailable: it cannot be copied.
    """
    if not path.is_file():
        raise Invalid("path", f"there is no file {path}")
    with tempfile.TemporaryDirectory(prefix="anyon-import-") as folder:
        copy = Path(folder) / "copy.sqlite"
        try:
            shutil.copyfile(path, copy)
            wal = path.with_name(path.name + _WAL)
            if wal.is_file():
                shutil.copyfile(wal, copy.with_name(copy.name + _WAL))
        except OSError as error:
            raise Unavailable(f"{path} cannot be copied: {error.strerror}.") from error
        with closing(_opened(copy, path)) as connection:
            yield connection


def _opened(copy: Path, original: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(copy, isolation_level=None)
    # Text is hostile until decoded: one broken character must not hide a whole row.
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    try:
        [problem] = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        connection.close()
        raise Invalid("path", f"{original} is no SQLite database: {error}") from error
    if problem != "ok":
        connection.close()
        raise Invalid(
            "path",
            f"{original} is damaged, or its program was writing just now ({problem}). "
            "Stop that program and try again",
        )
    return connection
