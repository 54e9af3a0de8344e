"""A file is replaced as a whole, and what killed writers of it have left goes away."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from anyond.editing import files

KILLED = """import os, signal, sys
from pathlib import Path
from anyond.editing import files
kill = lambda: os.kill(os.getpid(), signal.SIGKILL)
files.write(Path(sys.argv[1]), b"secret", only_if=kill)
"""


def kill_a_writer(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -9


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.json"


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_what_a_killed_writer_left_is_swept(path: Path) -> None:
    kill_a_writer(path)
    kill_a_writer(path.with_name("config.json.before-20260101T000000Z-2.bak"))
    assert len(names(path.parent)) == 2
    files.sweep(path)
    assert names(path.parent) == []


def test_the_next_writer_sweeps_too_and_beside_the_file_that_a_link_leads_to(
    path: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path.symlink_to(elsewhere / "mine.json")
    kill_a_writer(path)
    assert len(names(elsewhere)) == 1
    files.write(path, b"whole")
    assert names(elsewhere) == ["mine.json"]
    assert path.read_bytes() == b"whole"


def test_a_draft_that_is_being_written_stays(path: Path) -> None:
    ready, swept = threading.Event(), threading.Event()
    outcome: list[bool] = []

    def last_moment() -> bool:
        ready.set()
        return swept.wait(60)

    writer = threading.Thread(
        target=lambda: outcome.append(files.write(path, b"whole", only_if=last_moment))
    )
    writer.start()
    assert ready.wait(60)
    files.sweep(path)
    swept.set()
    writer.join()
    assert outcome == [True]
    assert names(path.parent) == ["config.json"]


def test_nothing_else_is_swept(path: Path) -> None:
    saved = [
        ".config.json.0123456789abcde",
        ".config.json.0123456789ABCDEF",
        ".config.json.0123456789abcdef.bak",
        ".config.json.mine.0123456789abcdef",
        ".profiles.json.0123456789abcdef",
        ".xconfig.json.0123456789abcdef",
        "config.json.0123456789abcdef",
    ]
    for name in saved:
        (path.parent / name).write_text("")
    (path.parent / ".config.json.0123456789abcdef").symlink_to("config.json")
    (path.parent / ".config.json.fedcba9876543210").mkdir()
    before = names(path.parent)
    files.sweep(path)
    assert names(path.parent) == before
