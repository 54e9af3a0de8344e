"""Databases for tests to begin with: copies of one, so that not each test migrates its own."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from anyond.store.engine.migrate import create_private, make_current


def new_database(path: Path) -> Path:
    """`path`, and there an empty database of the newest schema, unless there is one already.

    It is as a store leaves it that was closed. Two dozen migrations, with what they wait for the
    disk, cost more than most tests.
    """
    if not path.exists():
        create_private(path)
        path.write_bytes(_migrated())
    return path


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "anyon.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            make_current(connection, path)
            connection.execute("PRAGMA journal_mode = WAL")
        return path.read_bytes()
