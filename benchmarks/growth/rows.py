"""Curves against rows of the database: tasks, and days of changes."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from urllib.parse import urlsplit

import httpx

from benchmarks.daemon import Daemon
from benchmarks.filling import filled
from benchmarks.growth import small
from benchmarks.growth.curve import Point
from benchmarks.lab import Lab

CHANGES_A_DAY = 5_000
BEFORE_THE_END = 10


def tasks(lab: Lab, sizes: Sequence[int]) -> Iterator[Point]:
    """One of so many tasks is asked for, and changed."""
    for size in sizes:
        daemon, projects = filled(lab, [size], 0)
        daemon.start()
        try:
            task = _newest(daemon, projects[0])
            yield small.point(daemon, size, small.get(f"/api/tasks/{task}"), task)
        finally:
            daemon.stop()


def days(lab: Lab, sizes: Sequence[int]) -> Iterator[Point]:
    """Events are joined ten changes before their end, when so many days of them are stored."""
    for size in sizes:
        daemon, projects = filled(lab, [100], 0)
        _age(daemon, size * CHANGES_A_DAY)
        daemon.start()
        try:
            task = _newest(daemon, projects[0])
            yield small.point(daemon, size, _resume(daemon), task)
        finally:
            daemon.stop()


def _newest(daemon: Daemon, project: str) -> str:
    return str(daemon.ask("GET", f"/api/tasks?project_id={project}")[0]["id"])


def _age(daemon: Daemon, changes: int) -> None:
    """Repeat the newest change of the database so many times."""
    with closing(sqlite3.connect(daemon.root / "data" / "anyon.db")) as connection, connection:
        columns = "at, kind, project_id, key, data"
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
            f"INSERT INTO changes ({columns}) SELECT {columns} FROM n, "
            f"(SELECT {columns} FROM changes ORDER BY rowid DESC LIMIT 1)",
            (changes,),
        )


def _resume(daemon: Daemon) -> Callable[[httpx.Client], object]:
    """A client of the events that comes back, gets what it missed, and goes."""
    place = urlsplit(daemon.url)
    with closing(sqlite3.connect(daemon.root / "data" / "anyon.db")) as connection:
        (end,) = connection.execute("SELECT max(rowid) FROM changes").fetchone()
    request = (
        f"GET /api/events?after={end - BEFORE_THE_END} HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n"
    )

    def resume(_: httpx.Client) -> None:
        with socket.create_connection((place.hostname, place.port), timeout=60) as client:
            client.sendall(request.encode())
            received = b""
            while received.count(b"event: ") < BEFORE_THE_END:
                data = client.recv(1 << 16)
                assert data, received
                received += data

    return resume
