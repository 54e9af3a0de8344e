"""Repositories are found near the top, quickly, and only where people keep them."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from anyond.files import repositories
from anyond.model.refusals.requests import NotFound

NEVER = threading.Event()


def repository(path: Path, used: int = 1_700_000_000) -> Path:
    (path / ".git").mkdir(parents=True)
    for touched in (path / ".git", path):
        os.utime(touched, (used, used))
    return path


def found(*starts: Path, **more: float) -> list[str]:
    entries = repositories.find(starts, NEVER, **more)  # type: ignore[arg-type]
    assert all(entry.is_directory and entry.is_git_repo for entry in entries)
    return [entry.path for entry in entries]


def test_repositories_are_found_and_nothing_else(tmp_path: Path) -> None:
    one = repository(tmp_path / "one")
    two = repository(tmp_path / "group/two")
    (tmp_path / "plain/deep").mkdir(parents=True)
    (tmp_path / "file").touch()
    assert sorted(found(tmp_path)) == sorted([str(one), str(two)])
    assert found(tmp_path / "plain") == []
    assert found(one) == [str(one)]


def test_a_pipe_is_no_repository_and_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "odd" / "inner").mkdir(parents=True)
    os.mkfifo(tmp_path / "odd" / ".git")
    one = repository(tmp_path / "odd" / "inner" / "one")
    thread = threading.Thread(target=lambda: reported.extend(found(tmp_path)), daemon=True)
    reported: list[str] = []
    thread.start()
    thread.join(20)
    assert reported == [str(one)]


def test_those_used_last_come_first(tmp_path: Path) -> None:
    for number, name in enumerate(["b", "c", "a"]):
        repository(tmp_path / name, 1_700_000_000 + number)
    os.utime(tmp_path / "b/.git", (1_800_000_000, 1_800_000_000))
    assert [Path(path).name for path in found(tmp_path)] == ["b", "a", "c"]


@pytest.mark.parametrize("name", ["node_modules", "target", "build", ".cache", ".hidden"])
def test_places_of_packages_and_builds_are_left_out(tmp_path: Path, name: str) -> None:
    repository(tmp_path / name / "inner")
    mine = repository(tmp_path / "mine")
    assert found(tmp_path) == [str(mine)]


def test_what_lies_too_deep_is_left_out(tmp_path: Path) -> None:
    repository(tmp_path / "1/2/3/4")
    shallow = repository(tmp_path / "1/2/shallow")
    assert found(tmp_path) == [str(shallow)]


def test_nothing_is_sought_inside_a_repository_and_linked_worktrees_are_none(
    tmp_path: Path,
) -> None:
    outer = repository(tmp_path / "outer")
    repository(outer / "inner")
    for name, text in {
        "linked": "gitdir: /r/.git/worktrees/x\n",
        "apart": "gitdir: /r.git\n",
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / ".git").write_text(text)
    assert sorted(found(tmp_path)) == sorted([str(outer), str(tmp_path / "apart")])


def test_links_and_loops_are_not_followed_and_nothing_is_told_twice(tmp_path: Path) -> None:
    one = repository(tmp_path / "projects/one")
    (tmp_path / "projects/loop").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path / "projects")
    assert found(tmp_path / "projects", tmp_path) == [str(one)]
    assert found(tmp_path / "again") == [str(tmp_path / "again/one")]


def test_a_start_that_is_not_there_is_an_error_only_if_it_is_the_only_one(tmp_path: Path) -> None:
    one = repository(tmp_path / "one")
    with pytest.raises(NotFound, match="nowhere"):
        found(tmp_path / "nowhere")
    assert found(tmp_path / "nowhere", tmp_path) == [str(one)]


def test_when_the_time_is_up_or_nobody_waits_the_search_is_over(tmp_path: Path) -> None:
    repository(tmp_path / "one")
    assert found(tmp_path, seconds=-1) == []
    gone = threading.Event()
    gone.set()
    assert repositories.find([tmp_path], gone) == []
