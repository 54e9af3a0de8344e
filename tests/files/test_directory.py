"""Directories are told within bounds, and nothing in them spoils the rest."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
import trio

from anyond.files import directory
from anyond.files.directory import in_thread, list_directory, place
from anyond.model.errors import Forbidden, TimedOut
from anyond.model.http.answers import Listing
from anyond.model.refusals.requests import Invalid, NotFound

NEVER = threading.Event()


def reported(path: Path, displayed: int = directory.ENTRIES_MOST) -> Listing:
    return list_directory(path, NEVER, displayed)


def test_directories_come_first_then_files_by_name_and_hidden_ones_are_left_out(
    tmp_path: Path,
) -> None:
    for name in ("beta", "Alpha", ".hidden"):
        (tmp_path / name).mkdir()
    (tmp_path / "beta/.git").mkdir()
    for name in ("b.txt", "A.txt", ".secret"):
        (tmp_path / name).write_text("x")
    os.utime(tmp_path / "A.txt", (1704672000, 1704672000))
    listing = reported(tmp_path)
    assert listing.current_path == str(tmp_path)
    assert not listing.truncated
    assert [(e.name, e.is_directory, e.is_git_repo) for e in listing.entries] == [
        ("Alpha", True, False),
        ("beta", True, True),
        ("A.txt", False, False),
        ("b.txt", False, False),
    ]
    assert listing.entries[2].path == str(tmp_path / "A.txt")
    assert listing.entries[2].last_modified == 1704672000000


def test_links_are_followed_and_dangling_ones_survive(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    found = {e.name: (e.is_directory, e.last_modified is None) for e in reported(tmp_path).entries}
    assert found == {
        "link": (True, False),
        "real": (True, False),
        "dangling": (False, True),
        "loop": (False, True),
    }


def test_names_that_are_no_text_survive(tmp_path: Path) -> None:
    try:
        (tmp_path / os.fsdecode(b"\xff.txt")).touch()
    except OSError:
        pytest.skip("this file system takes only text as names")
    assert len(reported(tmp_path).entries) == 1


def test_of_a_huge_directory_the_first_entries_are_told_and_that_there_are_more(
    tmp_path: Path,
) -> None:
    for number in range(200):
        (tmp_path / f"{number:03}.txt").touch()
    (tmp_path / "zebra").mkdir()
    listing = reported(tmp_path, 10)
    assert listing.truncated
    assert [e.name for e in listing.entries] == ["zebra", *(f"{n:03}.txt" for n in range(9))]
    assert not reported(tmp_path, 201).truncated


def test_what_is_no_readable_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotFound, match="nowhere"):
        reported(tmp_path / "nowhere")
    with pytest.raises(Invalid, match="file is not a directory"):
        reported(tmp_path / "file")
    refused = directory.refusal(tmp_path, PermissionError(13, "Permission denied"))
    assert isinstance(refused, Forbidden)
    assert str(tmp_path) in str(refused)


def test_a_place_is_absolute_or_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert place(None) == place("") == place("~") == tmp_path
    assert place("~/x") == tmp_path / "x"
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "link").symlink_to("a/b")
    assert place(f"{tmp_path}/link/..") == (tmp_path / "a").resolve()
    for text in ("relative", "./x", "~other", "/a\0b"):
        with pytest.raises(Invalid):
            place(text)


async def test_a_disk_that_does_not_answer_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(directory, "READ_TIMEOUT_S", 0.05)
    given_up = threading.Event()

    def stuck(abandoned: threading.Event) -> None:
        if abandoned.wait(20):
            given_up.set()

    with pytest.raises(TimedOut, match="/stuck does not answer"):
        await in_thread(stuck, "/stuck")
    assert given_up.wait(20)


async def test_whoever_goes_away_waits_for_no_thread() -> None:
    started = trio.Event()
    token = trio.lowlevel.current_trio_token()

    def slow(abandoned: threading.Event) -> None:
        token.run_sync_soon(started.set)
        abandoned.wait(20)

    begin = time.monotonic()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(in_thread, slow, "x")
        await started.wait()
        nursery.cancel_scope.cancel()
    assert time.monotonic() - begin < 10
