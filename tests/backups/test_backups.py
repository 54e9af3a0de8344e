"""Backups while agents work, and back: on pipes, on a terminal, interrupted and repeated."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trio

from anyond.backups import making, manifest, restoring
from anyond.backups.copying import copy
from anyond.host.app_paths import AppPaths
from anyond.model.refusals.requests import Invalid
from tests.support.terminals.command_line import CommandLine, command_line


@pytest.fixture
def anyon(tmp_path: Path) -> Iterator[CommandLine]:
    with command_line(tmp_path / "d") as made:
        yield made


def everything(anyon: CommandLine) -> dict[str, Any]:
    """What clients see of the attempts: states, messages and the whole logs."""
    attempts = anyon.json("ps", "-a")
    logs = {
        one["id"]: [anyon.well("logs", one["id"]), anyon.well("logs", "--raw", one["id"])]
        for one in attempts
    }
    return {"attempts": attempts, "logs": logs, "projects": anyon.json("projects")}


def paths_of(anyon: CommandLine) -> AppPaths:
    root = anyon.daemon.root
    return AppPaths(config_dir=root / "config", data_dir=root / "data", runtime_dir=root / "run")


def test_what_was_backed_up_beside_a_running_daemon_is_there_again(
    anyon: CommandLine, tmp_path: Path
) -> None:
    anyon.well("run", "-y", "Tea", "-a", "demo", "--allow", "*")
    before = everything(anyon)
    target = tmp_path / "backup"
    made = anyon.json("backup", str(target))
    assert made["path"] == str(target)
    modes = {path.stat().st_mode & 0o077 for path in target.rglob("*") if path.is_file()}
    assert modes == {0}
    # Later work is not in it; nor is it lost.
    anyon.well("run", "-y", "More", "-a", "demo", "--allow", "*")
    refused = anyon.run("restore", str(target))
    assert refused.returncode == 3  # a daemon runs
    trio.run(anyon.daemon.kill)
    with anyon.terminal("restore", str(target)) as shown:
        shown.expect(f"Restored what was backed up at {made['made_at']}.")
        shown.expect("is in ")
        assert shown.end() == 0
    aside = anyon.daemon.data / "replaced-1"
    with closing(sqlite3.connect(aside / "anyon.db")) as former:
        assert former.execute("SELECT count(*) FROM task_attempts").fetchone() == (2,)
    assert (anyon.daemon.root / "config" / "replaced-1" / "config.json").exists()
    trio.run(anyon.daemon.start)
    assert everything(anyon) == before


def test_a_backup_of_agents_at_work_shows_them_as_lost(anyon: CommandLine, tmp_path: Path) -> None:
    anyon.well("run", "-y", "-d", "Tea", "-a", "demo")
    deadline = time.monotonic() + 60
    while anyon.json("ps")[0]["state"] != "question":
        assert time.monotonic() < deadline
    target = tmp_path / "backup"
    with anyon.terminal("backup", str(target)) as shown:
        shown.expect(str(target))
        assert shown.end() == 0
    trio.run(anyon.daemon.kill)
    # The agent outlives the daemon; its files are not taken away under it.
    refused = anyon.run("restore", str(target), "--json")
    assert refused.returncode == 8
    assert json.loads(refused.stderr)["error"]["type"] == "agents_at_work"
    assert not (anyon.daemon.data / "replaced-1").exists()
    trio.run(anyon.daemon.start)
    anyon.well("stop", "-")
    trio.run(anyon.daemon.stop)
    anyon.well("restore", str(target))
    trio.run(anyon.daemon.start)
    deadline = time.monotonic() + 60
    while anyon.json("ps", "-a")[0]["state"] in ("running", "question"):
        assert time.monotonic() < deadline
    assert anyon.well("logs", "-")


def test_repeated_it_copies_what_has_changed_and_forgets_what_was_deleted(
    anyon: CommandLine, tmp_path: Path
) -> None:
    anyon.well("run", "-y", "Tea", "-a", "demo", "--allow", "*")
    target = tmp_path / "backup"
    anyon.well("backup", str(target))
    [log] = [path for path in target.glob("executions/*/log") if path.stat().st_size > 100]
    first = log.stat().st_ino
    anyon.well("backup", str(target))
    assert log.stat().st_ino == first
    anyon.well("rm", "-y", "-")
    anyon.well("backup", str(target))
    assert not log.parent.exists()


def test_a_killed_backup_leaves_the_former_one_and_can_be_repeated(
    anyon: CommandLine, tmp_path: Path
) -> None:
    anyon.well("run", "-y", "Tea", "-a", "demo", "--allow", "*")
    target = tmp_path / "backup"
    anyon.well("backup", str(target))
    former = manifest.read(target)
    assert former is not None
    large = anyon.daemon.data / "images" / "large.png"
    with large.open("wb") as file:
        for _ in range(64):
            file.write(os.urandom(1 << 20))
    program = subprocess.Popen(
        [sys.executable, "-m", "anyond", "backup", str(target)],
        env=anyon.environment,
        cwd=anyon.repository,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    half = target / "images" / "large.png.half"
    deadline = time.monotonic() + 60
    while not half.exists() and program.poll() is None:
        assert time.monotonic() < deadline
    program.send_signal(signal.SIGKILL)
    program.wait()
    if (now := manifest.read(target)) == former:
        trio.run(anyon.daemon.stop)
        anyon.well("restore", str(target))
        trio.run(anyon.daemon.start)
        assert len(anyon.json("ps", "-a")) == 1
    else:  # it was quicker than the signal
        assert now is not None
        assert now.made_at is not None
    anyon.well("backup", str(target))
    assert not half.exists()


def test_nothing_of_others_is_overwritten(anyon: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("mine")
    for path in (tmp_path / "mine", tmp_path / "mine" / "file", anyon.daemon.data / "backup"):
        refused = anyon.run("backup", str(path), "--json")
        assert refused.returncode == 1
        assert json.loads(refused.stderr)["error"]["field"] == "path"
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["file"]
    trio.run(anyon.daemon.stop)
    with pytest.raises(Invalid, match="no backup"):
        restoring.restore(paths_of(anyon), tmp_path / "mine", lambda *_: None)


def test_a_damaged_or_unfinished_backup_changes_nothing(anyon: CommandLine, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    trio.run(anyon.daemon.stop)
    paths = paths_of(anyon)
    making.make(paths, target, lambda *_: None)
    with (target / "anyon.db").open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(8192))
    before = paths.database.read_bytes()
    with pytest.raises(Invalid, match="damaged"):
        restoring.restore(paths, target, lambda *_: None)
    manifest.write(target, paths.data_dir, complete=False)
    with pytest.raises(Invalid, match="interrupted"):
        restoring.restore(paths, target, lambda *_: None)
    assert paths.database.read_bytes() == before
    assert not list(paths.data_dir.glob("replaced-*"))


def test_holes_stay_holes_and_links_are_left_out(tmp_path: Path) -> None:
    source = tmp_path / "log"
    with source.open("wb") as file:
        file.write(b"begin")
        file.seek(64 << 20)
        file.write(b"end")
    assert sum(copy(source, tmp_path / "copy")) == source.stat().st_size
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()
    assert (tmp_path / "copy").stat().st_blocks * 512 < 8 << 20
    (tmp_path / "link").symlink_to(source)
    assert list(copy(tmp_path / "link", tmp_path / "other")) == []
    assert not (tmp_path / "other").exists()
