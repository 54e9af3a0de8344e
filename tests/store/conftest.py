"""Real database files: a transaction to try table functions in, and an open store."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from anyond.store.engine.database import Store
from anyond.store.engine.transaction import Tx
from tests.support.store.new_database import new_database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "anyon.db"


@pytest.fixture
def tx(path: Path) -> Iterator[Tx]:
    with closing(sqlite3.connect(new_database(path), isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN IMMEDIATE")
        yield Tx(connection)


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    async with Store.open(new_database(path)) as store:
        yield store
