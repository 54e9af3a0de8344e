"""One writer, readers beside it: who is answered what, and what is kept."""

from __future__ import annotations

import gc
import os
import resource
import sqlite3
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
import trio.testing
from msgspec import Struct

from anyond.model.errors import Unavailable
from anyond.model.refusals.requests import Deleted, NotFound
from anyond.store.engine import database
from anyond.store.engine.database import Store
from anyond.store.engine.transaction import Reader, Tx
from anyond.store.runs import intents, remarks
from anyond.store.runs.intents import Intent


def put(key: str, value: str = "") -> Callable[[Tx], str]:
    def work(tx: Tx) -> str:
        tx.execute("INSERT INTO meta VALUES (?, ?)", (key, value))
        return key

    return work


def keys(reader: Reader) -> list[str]:
    own = "SELECT key FROM meta WHERE key != 'archives_without_end' ORDER BY rowid"
    return [key for (key,) in reader.execute(own)]


MANY = 100_000


def count(reader: Reader) -> int:
    """What takes the database many steps."""
    sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
    (most,) = reader.execute(f"{sql} SELECT MAX(i) FROM n", (MANY,)).fetchone()
    assert isinstance(most, int)
    return most


class Note(Struct):
    text: str = "something"


class Gate:
    """Work that holds its thread until the test lets it go on."""

    def __init__(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        self._open = threading.Event()
        self.entered = trio.Event()

    def __call__(self, _: object) -> None:
        self._token.run_sync_soon(self.entered.set)
        assert self._open.wait(20)

    def open(self) -> None:
        self._open.set()


async def results(store: Store, gate: Gate, works: list[Callable[[Tx], object]]) -> list[object]:
    """What the `works` come to if all of them wait while the writer is busy."""
    found: list[object] = [None] * len(works)

    async def ask(nth: int) -> None:
        try:
            found[nth] = await store.write(works[nth])
        except Exception as error:
            found[nth] = error

    async with trio.open_nursery() as nursery:
        nursery.start_soon(store.write, gate)
        await gate.entered.wait()
        for nth in range(len(works)):
            nursery.start_soon(ask, nth)
        await trio.testing.wait_all_tasks_blocked()
        gate.open()
    return found


async def test_a_write_is_answered_with_its_result_and_is_read_afterwards(store: Store) -> None:
    assert await store.write(put("one")) == "one"
    assert await store.read(keys) == ["one"]


async def test_a_write_that_fails_among_others_fails_alone(store: Store) -> None:
    def fail(tx: Tx) -> None:
        put("half")(tx)
        tx.emit("never", Note())
        raise NotFound("thing", "x")

    first, second, third = await results(store, Gate(), [put("a"), fail, put("b")])
    assert (first, third) == ("a", "b")
    assert isinstance(second, NotFound)
    assert sorted(await store.read(keys)) == ["a", "b"]
    assert store.changes.end == 0


def intend(tx: Tx) -> None:
    intents.put(tx, Intent(attempt_id="x", kind="rename", name="n", tip="1", created_at="t"))


def remark(tx: Tx) -> None:
    remarks.put(tx, "x", "text", "t")


@pytest.mark.parametrize("work", [intend, remark])
async def test_what_is_written_about_a_row_that_was_deleted_meanwhile_is_refused(
    store: Store, work: Callable[[Tx], None]
) -> None:
    with pytest.raises(Deleted):
        await store.write(work)
    assert await store.write(put("a")) == "a"


async def test_all_that_waits_is_committed_together(store: Store) -> None:
    statements: list[str] = []
    await store.write(lambda tx: tx._connection.set_trace_callback(statements.append))
    waiting = [put(str(n)) for n in range(20)]
    await results(store, Gate(), list(waiting))
    # One commit answers the gate; the trace may or may not begin with the one that set it.
    assert statements[statements.index("BEGIN IMMEDIATE") :].count("COMMIT") == 2


async def test_the_work_of_a_cancelled_caller_is_kept(store: Store) -> None:
    gate = Gate()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(store.write, gate)
        await gate.entered.wait()
        nursery.start_soon(store.write, put("waited"))
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    with trio.move_on_after(0) as scope:
        await store.write(put("cancelled before"))
    assert scope.cancelled_caught
    gate.open()
    assert await store.write(put("after")) == "after"
    assert await store.read(keys) == ["waited", "cancelled before", "after"]


async def test_readers_do_not_wait_for_the_writer(store: Store) -> None:
    await store.write(put("before"))
    gate = Gate()

    def write(tx: Tx) -> None:
        put("during")(tx)
        gate(tx)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(store.write, write)
        await gate.entered.wait()
        with trio.fail_after(10):
            assert await store.read(keys) == ["before"]
        gate.open()
    assert await store.read(keys) == ["before", "during"]


async def test_a_slow_reader_delays_neither_readers_nor_writers_and_sees_one_state(
    store: Store,
) -> None:
    await store.write(put("before"))
    gate, seen = Gate(), []

    def slow(reader: Reader) -> None:
        assert count(reader) == MANY, "nothing small"
        seen.append(keys(reader))
        gate(reader)
        seen.append(keys(reader))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(store.read, slow)
        await gate.entered.wait()
        with trio.fail_after(10):
            await store.write(put("during"))
            assert await store.read(keys) == ["before", "during"]
        gate.open()
    assert seen == [["before"], ["before"]]


async def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(Unavailable, match="readonly"):
        await store.read(lambda reader: reader.execute("INSERT INTO meta VALUES ('k', 'v')"))
    assert await store.read(keys) == []


async def test_a_commit_that_fails_is_told_to_all_and_the_store_goes_on(store: Store) -> None:
    await store.write(put("before"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    gate = Gate()
    # No file may grow any more, as if the disk were full: the commit itself cannot be written.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
    try:
        found = await results(store, gate, [put("a"), put("b", "x" * 10_000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [type(error) for error in found] == [Unavailable, Unavailable]
    assert found[0] is not found[1]
    assert await store.write(put("after")) == "after"
    assert await store.read(keys) == ["before", "after"]


async def test_a_commit_that_is_refused_keeps_nothing_of_the_group(store: Store) -> None:
    def orphan(tx: Tx) -> None:
        tx.execute("PRAGMA defer_foreign_keys = ON")  # so that only the commit notices
        tx.execute(
            "INSERT INTO tasks (id, project_id, title, created_at, updated_at)"
            " VALUES ('t', 'nobody', 'T', '', '')"
        )

    found = await results(store, Gate(), [put("a"), orphan])
    assert [type(error) for error in found] == [sqlite3.IntegrityError] * 2
    assert await store.write(put("after")) == "after"
    assert await store.read(keys) == ["after"]


async def test_a_full_database_is_told_to_the_writer_that_fills_it(store: Store) -> None:
    (pages,) = await store.write(lambda tx: tx.execute("PRAGMA page_count").fetchone())
    await store.write(lambda tx: tx.execute(f"PRAGMA max_page_count = {pages + 1}").fetchone())
    with pytest.raises(Unavailable, match="full"):
        await store.write(put("large", "x" * 100_000))
    assert await store.write(put("small")) == "small"
    assert await store.read(keys) == ["small"]


async def test_what_was_asked_before_closing_is_answered_and_what_comes_later_is_refused(
    path: Path,
) -> None:
    answered: list[str] = []

    async def ask(store: Store, key: str) -> None:
        answered.append(await store.write(put(key)))

    async with trio.open_nursery() as nursery:
        gate = Gate()
        async with Store.open(path) as store:
            nursery.start_soon(store.write, gate)
            await gate.entered.wait()
            for key in "abc":
                nursery.start_soon(ask, store, key)
            await trio.testing.wait_all_tasks_blocked()
            gate.open()
    assert sorted(answered) == ["a", "b", "c"]
    with pytest.raises(Unavailable, match="closed"):
        await store.write(put("late"))
    with pytest.raises(Unavailable, match="closed"):
        await store.read(keys)
    with sqlite3.connect(path) as connection:
        assert sorted(keys(Reader(connection))) == ["a", "b", "c"]


async def test_closing_does_not_wait_for_ever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "CLOSE_SECONDS", 0.05)
    endless = (
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT SUM(i) FROM n"
    )
    refused: list[Exception] = []
    threads = threading.active_count()

    async def ask(store: Store) -> None:
        try:
            await store.write(lambda tx: tx.execute(endless).fetchone())
        except Unavailable as error:
            refused.append(error)

    with trio.fail_after(20):
        async with trio.open_nursery() as nursery, Store.open(path) as store:
            nursery.start_soon(ask, store)
            nursery.start_soon(ask, store)
            await trio.testing.wait_all_tasks_blocked()
        while threading.active_count() > threads:
            await trio.lowlevel.checkpoint()
    assert len(refused) == 2


async def test_a_cancelled_daemon_still_closes_in_good_order(path: Path) -> None:
    with trio.CancelScope() as scope:
        async with Store.open(path) as store:
            await store.write(put("kept"))
            scope.cancel()
            await trio.lowlevel.checkpoint()
    assert scope.cancelled_caught
    assert os.listdir(path.parent) == [path.name], "the log was not folded into the database"


async def test_an_error_of_the_body_comes_out_as_it_is(path: Path) -> None:
    with pytest.raises(NotFound):
        async with Store.open(path):
            raise NotFound("thing", "x")


@pytest.mark.parametrize("inline", [False, True])
async def test_both_modes_keep_the_same(inline: bool, path: Path) -> None:
    async with Store.open(path, inline=inline) as store:
        assert await store.write(put("a")) == "a"
        with pytest.raises(sqlite3.IntegrityError):
            await store.write(put("a"))
        with trio.move_on_after(0):
            await store.write(put("b"))
        await store.write(put("c"))
        assert await store.read(keys) == ["a", "b", "c"]
        await store.write(lambda tx: tx.emit("kind", Note()))
        assert (await store.changes.follow(0).next())[0].kind == "kind"
    with pytest.raises(Unavailable, match="closed"):
        await store.write(put("late"))


async def test_a_virtual_clock_stands_still_while_an_inline_store_works(
    path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with Store.open(path, inline=True) as store:
        with trio.fail_after(1):
            for number in range(50):
                await store.write(put(str(number)))
                await store.read(keys)
        await trio.sleep(3600)
        assert trio.current_time() == 3600


class Large:
    """Something that a work holds."""


async def test_what_a_work_holds_is_let_go_of_when_it_is_done(store: Store) -> None:
    held: list[weakref.ref[Large]] = []

    async def ask() -> None:
        written, read = Large(), Large()
        held.extend(map(weakref.ref, (written, read)))
        await store.write(lambda tx: tx.execute("SELECT 1") and id(written) and None)
        await store.read(lambda r: r.execute("SELECT 1") and id(read) and None)

    await ask()
    gc.collect()
    assert [ref() for ref in held] == [None, None]
