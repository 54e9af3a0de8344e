"""Reads in the loop: what is small is answered at once, and nothing else holds it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import trio

from anyond.model.errors import Unavailable
from anyond.model.refusals.requests import NotFound
from anyond.store.engine.database import Store
from anyond.store.engine.small_reads import SmallReads, TooLong
from anyond.store.engine.transaction import Reader, Tx
from tests.store.engine.test_database import MANY, count


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store.open(tmp_path / "db") as store:
        yield store


def keep(tx: Tx) -> None:
    tx.execute("INSERT INTO meta VALUES ('tea', 'green')")


def kept(reader: Reader) -> str | None:
    row = reader.execute("SELECT value FROM meta WHERE key = 'tea'").fetchone()
    return None if row is None else str(row[0])


def here(_: Reader) -> int:
    return threading.get_ident()


def after_long(reader: Reader) -> int:
    assert count(reader) == MANY
    return threading.get_ident()


async def test_only_what_is_long_goes_to_another_thread(store: Store) -> None:
    assert await store.read(here) == threading.get_ident()
    assert await store.read(after_long) != threading.get_ident()
    assert await store.read(here) == threading.get_ident(), "the steps are counted anew"


async def test_many_rows_of_a_small_statement_are_long_too(store: Store) -> None:
    def add(tx: Tx) -> None:
        tx.execute("CREATE TABLE leaves (id INTEGER PRIMARY KEY, name TEXT)")
        rows = ((number, f"leaf {number}") for number in range(2000))
        for row in rows:
            tx.execute("INSERT INTO leaves VALUES (?, ?)", row)

    def each(reader: Reader) -> int:
        found = sum(
            len(reader.execute("SELECT * FROM leaves WHERE id = ?", (number,)).fetchall())
            for number in range(2000)
        )
        assert found == 2000
        return threading.get_ident()

    await store.write(add)
    assert await store.read(each) != threading.get_ident()


async def test_what_was_written_is_read(store: Store) -> None:
    assert await store.read(kept) is None
    await store.write(keep)
    assert await store.read(kept) == "green"


async def test_refusals_come_through_and_leave_nothing_open(store: Store) -> None:
    def refuse(_: Reader) -> None:
        raise NotFound("task", "x")

    for _ in range(2):
        with pytest.raises(NotFound):
            await store.read(refuse)
    await store.write(keep)
    assert await store.read(kept) == "green", "no old state is still held"


def test_a_locked_file_is_waited_for_by_somebody_else(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE meta (key TEXT, value TEXT)")
        other.execute("INSERT INTO meta VALUES ('tea', 'green')")
        reads = SmallReads(sqlite3.connect(path, isolation_level=None, timeout=0))
        assert reads.read(kept) == "green"
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(TooLong):
            reads.read(kept)
        other.execute("ROLLBACK")
        assert reads.read(kept) == "green"
        reads.close()


async def test_many_reads_in_a_row_let_others_have_their_turn(store: Store) -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        for _ in range(100):
            await store.read(here)
        nursery.cancel_scope.cancel()
    assert turns >= 10


async def test_who_was_cancelled_reads_nothing(store: Store) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        await store.read(here)
    assert scope.cancelled_caught


async def test_a_closed_store_refuses(tmp_path: Path) -> None:
    async with Store.open(tmp_path / "db") as store:
        pass
    with pytest.raises(Unavailable, match="closed"):
        await store.read(here)
