"""One daemon for one data directory, and a file that tells where it is."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from anyond.host.daemon_file import DaemonFile, published
from anyond.host.lock import sole_daemon
from anyond.model.refusals.daemon import AlreadyRunning

HOLDER = """
import sys
from pathlib import Path
from anyond.host.lock import sole_daemon
from anyond.host.daemon_file import published
lock, daemon_file = map(Path, sys.argv[1:])
with sole_daemon(lock), published(daemon_file, "http://127.0.0.1:1"):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(tmp_path: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "lock"), str(tmp_path / "daemon.json")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_the_second_daemon_learns_who_and_where_the_first_one_is(tmp_path: Path) -> None:
    with holder(tmp_path) as first:
        with (
            pytest.raises(AlreadyRunning) as refusal,
            sole_daemon(tmp_path / "lock", tmp_path / "daemon.json"),
        ):
            pytest.fail("two daemons hold one lock")
        assert (refusal.value.pid, refusal.value.url) == (first.pid, "http://127.0.0.1:1")
        assert str(refusal.value) == (
            f"Anyon is already running (process {first.pid}) at http://127.0.0.1:1."
        )
        first.communicate()
    with sole_daemon(tmp_path / "lock"):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
    assert not (tmp_path / "daemon.json").exists()


def test_a_killed_daemon_leaves_no_lock_behind(tmp_path: Path) -> None:
    with holder(tmp_path) as first:
        first.send_signal(signal.SIGKILL)
        first.communicate()
    with sole_daemon(tmp_path / "lock", tmp_path / "daemon.json"):
        assert DaemonFile.read(tmp_path / "daemon.json") is not None


def test_a_full_disk_does_not_keep_the_daemon_from_its_lock(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))  # no file may grow, as if it were full
    try:
        with sole_daemon(tmp_path / "lock"):
            size = (tmp_path / "lock").stat().st_size
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert size == 0


def test_what_the_daemon_starts_does_not_keep_the_lock(tmp_path: Path) -> None:
    with sole_daemon(tmp_path / "lock"):
        child = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"],
            stdin=subprocess.PIPE,
            close_fds=False,
        )
    with child, sole_daemon(tmp_path / "lock"):
        assert child.poll() is None
        child.communicate()


def test_the_daemon_is_announced_in_a_private_file_while_it_runs(tmp_path: Path) -> None:
    path = tmp_path / "daemon.json"
    with published(path, "http://127.0.0.1:8096") as mine:
        assert DaemonFile.read(path) == mine
        assert (mine.url, mine.pid) == ("http://127.0.0.1:8096", os.getpid())
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


def test_the_announcement_of_another_daemon_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "daemon.json"
    other = b'{"url":"u","pid":1,"started_at":"t","version":"v"}'
    with published(path, "http://127.0.0.1:8096"):
        path.write_bytes(other)
    assert path.read_bytes() == other


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"url":1}'])
def test_an_illegible_announcement_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "daemon.json"
    path.write_bytes(content)
    assert DaemonFile.read(path) is None
