"""aiosqlite under Trio, and the private names of it that this rests on."""

from __future__ import annotations

import inspect
import queue
import sqlite3
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from sqlite3 import Connection

import aiosqlite
import aiosqlite.core
import pytest
import trio

from anyond.model.errors import Unavailable
from anyond.store.engine.connection import InlineConnection, ThreadConnection

Kind = type[ThreadConnection] | type[InlineConnection]


def connector(path: Path) -> partial[sqlite3.Connection]:
    return partial(sqlite3.connect, path, isolation_level=None)


def test_aiosqlite_still_has_the_names_that_are_overridden_and_used() -> None:
    assert aiosqlite.__version__.startswith("0.22.")
    connection = aiosqlite.Connection(lambda: sqlite3.connect(":memory:"), iter_chunk_size=64)
    assert isinstance(connection._thread, threading.Thread)
    assert isinstance(connection._tx, queue.SimpleQueue)
    assert connection._running is True
    assert connection._connection is None
    assert callable(connection._connector)
    for name in ("_execute", "_connect", "stop", "close", "interrupt"):
        assert name in vars(aiosqlite.Connection), name
    assert list(inspect.signature(aiosqlite.Connection._execute).parameters) == [
        "self",
        "fn",
        "args",
        "kwargs",
    ]


def test_the_worker_of_aiosqlite_answers_through_the_loop_of_the_future() -> None:
    reported: list[object] = []

    class Loop:
        def call_soon_threadsafe(self, function: object, *arguments: object) -> None:
            reported.append((function, *arguments))

    class Future:
        def get_loop(self) -> Loop:
            return Loop()

    future, error = Future(), ValueError("no")

    def fail() -> None:
        raise error

    work: queue.SimpleQueue[object] = queue.SimpleQueue()
    work.put((future, lambda: 42))
    work.put((future, fail))
    work.put((None, lambda: aiosqlite.core._STOP_RUNNING_SENTINEL))
    aiosqlite.core._connection_worker_thread(work)  # type: ignore[arg-type]
    assert reported == [
        (aiosqlite.core.set_result, future, 42),
        (aiosqlite.core.set_exception, future, error),
    ]


async def test_the_public_interface_of_aiosqlite_works_under_trio(path: Path) -> None:
    connection = await ThreadConnection.open(connector(path))
    await connection.execute("CREATE TABLE numbers (n)")
    await connection.executemany("INSERT INTO numbers VALUES (?)", [(1,), (2,), (3,)])
    async with connection.execute("SELECT n FROM numbers ORDER BY n") as cursor:
        assert [row async for row in cursor] == [(1,), (2,), (3,)]
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await connection.execute("SELECT * FROM missing")
    await connection.close()


def _answer(number: int, _: Connection) -> int:
    return number


@pytest.mark.parametrize("kind", [ThreadConnection, InlineConnection])
async def test_work_is_done_in_order_and_errors_come_back(kind: Kind, path: Path) -> None:
    connection = await _opened(kind, path)
    assert await connection.run(lambda c: c.execute("SELECT 1").fetchone()) == (1,)
    with pytest.raises(ZeroDivisionError):
        await connection.run(lambda c: 1 // 0)
    order: list[int] = []
    for number in range(5):
        connection.submit(partial(_answer, number), lambda a: order.append(a.result()))
    await connection.close()
    assert order == [0, 1, 2, 3, 4]
    with pytest.raises(Unavailable):
        await connection.run(lambda c: None)
    await connection.close()


async def test_a_cancelled_caller_leaves_at_once_and_its_work_is_done(path: Path) -> None:
    connection = await ThreadConnection.open(connector(path))
    started, go_on, done = trio.Event(), threading.Event(), []
    token = trio.lowlevel.current_trio_token()

    def slow(_: sqlite3.Connection) -> None:
        token.run_sync_soon(started.set)
        assert go_on.wait(10)
        done.append(True)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(connection.run, slow)
        await started.wait()
        nursery.cancel_scope.cancel()
    assert not done
    go_on.set()
    assert await connection.run(lambda c: list(done)) == [True]
    await connection.close()


async def test_a_connector_that_fails_leaves_no_thread(tmp_path: Path) -> None:
    before = threading.active_count()
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        await ThreadConnection.open(connector(tmp_path / "nowhere" / "x.db"))
    with trio.fail_after(10):
        while threading.active_count() > before:
            await trio.lowlevel.checkpoint()


async def test_the_file_of_an_inline_connection_is_closed_with_it(path: Path) -> None:
    connection = InlineConnection(connector(path))
    file = await connection.run(lambda c: c)
    await connection.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        file.execute("SELECT 1")
    with pytest.raises(Unavailable):
        await connection.run(lambda c: c)


def test_an_unclosed_connection_does_not_keep_the_interpreter_from_ending(path: Path) -> None:
    program = (
        "import sqlite3, sys, trio\n"
        "from anyond.store.engine.connection import ThreadConnection\n"
        "async def main():\n"
        "    global kept\n"
        "    kept = await ThreadConnection.open(lambda: sqlite3.connect(sys.argv[1]))\n"
        "trio.run(main)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True, timeout=30)


async def _opened(kind: Kind, path: Path) -> ThreadConnection | InlineConnection:
    if issubclass(kind, InlineConnection):
        return InlineConnection(connector(path))
    return await ThreadConnection.open(connector(path))
