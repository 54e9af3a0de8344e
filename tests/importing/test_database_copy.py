"""A database is copied as it was committed last, whatever its own program does meanwhile."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from anyond.importing.database_copy import copied
from anyond.model.errors import Unavailable

ROWS = 8_000
MEMORY = "/dev/shm"
"""A file system that knows files without a name, whatever that of the tests is."""


def accounts(path: Path, mode: str) -> None:
    """Thirty megabytes, in which the first and the last row always say the same."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA journal_mode = {mode}")
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, rest BLOB)")
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO t VALUES (?, 0, zeroblob(3500))", ((n,) for n in range(ROWS))
        )
        connection.execute("COMMIT")


@contextmanager
def program(path: Path, code: str) -> Iterator[subprocess.Popen[str]]:
    """Another program that has the database open, once it has said something; then killed."""
    opened = f"import sqlite3\nc = sqlite3.connect({str(path)!r}, isolation_level=None, timeout=60)"
    running = subprocess.Popen(
        [sys.executable, "-c", f"{opened}\n{code}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert running.stdout is not None
        assert running.stdout.readline() == "at work\n"
        yield running
    finally:
        running.kill()
        running.communicate()


def displayed(path: Path) -> tuple[int, int]:
    with copied(path) as copy:
        rows = copy.execute("SELECT n FROM t WHERE id IN (0, ?) ORDER BY id", (ROWS - 1,))
        (first,), (last,) = rows.fetchall()
    return first, last


@pytest.mark.parametrize("mode", ["DELETE", "TRUNCATE", "PERSIST", "WAL"])
def test_no_transaction_is_seen_by_half(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "db.sqlite"
    accounts(path, mode)
    writing = f"""
c.execute("PRAGMA synchronous = OFF")
n = 0
while True:
    n += 1
    c.execute("BEGIN IMMEDIATE")
    c.execute("UPDATE t SET n = ? WHERE id IN (0, {ROWS - 1})", (n,))
    c.execute("COMMIT")
    if n == 1:
        print("at work", flush=True)
"""
    with program(path, writing):
        seen = [displayed(path) for _ in range(5)]
    assert all(first == last for first, last in seen)
    assert seen == sorted(seen)


def test_what_was_not_committed_by_a_program_that_died_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite"
    accounts(path, "DELETE")
    dying = """
c.execute("PRAGMA cache_size = 5")  # so that it writes long before it commits
c.execute("BEGIN")
c.execute("UPDATE t SET n = 1")
print("at work", flush=True)
input()
"""
    with program(path, dying):
        pass
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert set(before) == {"db.sqlite", "db.sqlite-journal"}
    assert displayed(path) == (0, 0)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_program_that_keeps_its_database_for_itself_is_named(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite"
    accounts(path, "DELETE")
    keeping = 'c.execute("BEGIN EXCLUSIVE"); print("at work", flush=True); input()'
    refused = pytest.raises(Unavailable, match=r"keeps .*db\.sqlite locked")
    with program(path, keeping), refused, copied(path, timeout_s=0.1):
        pass
    assert displayed(path) == (0, 0)


@pytest.mark.skipif(not os.path.isdir(MEMORY), reason="files without a name are of Linux")
def test_a_copy_that_was_killed_in_the_middle_has_left_nothing(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite"
    accounts(path, "WAL")
    dying = f"""
import resource, signal
from pathlib import Path
from anyond.importing.database_copy import copied
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # who writes more than this is killed
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000_000, 10_000_000))
with copied(Path({str(path)!r})):
    pass
"""
    with tempfile.TemporaryDirectory(dir=MEMORY) as scratch:
        environment = os.environ | {"TMPDIR": scratch}
        killed = subprocess.run([sys.executable, "-c", dying], env=environment, check=False)
        assert killed.returncode == -signal.SIGXFSZ
        assert os.listdir(scratch) == []


def test_where_every_file_has_a_name_a_copy_is_taken_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    for mode in ("DELETE", "WAL"):
        path = tmp_path / f"{mode}.sqlite"
        accounts(path, mode)
        writing = 'c.execute("UPDATE t SET n = 7"); print("at work", flush=True); input()'
        with program(path, writing):
            assert displayed(path) == (7, 7)
