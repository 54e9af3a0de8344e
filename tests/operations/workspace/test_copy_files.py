"""What a project wants copied comes along, and nothing from or to anywhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from anyond.model.refusals.requests import Invalid
from anyond.operations.workspace.copy_files import copy, names


@pytest.fixture
def paths(tmp_path: Path) -> tuple[Path, Path]:
    """A repository, and an empty worktree."""
    source, target = tmp_path / "repository", tmp_path / "worktree"
    source.mkdir()
    target.mkdir()
    (tmp_path / "secret").write_text("of somebody else\n")
    return source, target


@pytest.mark.parametrize("text", ["/etc/hostname", "../secret", "a/../../secret", ".git/config"])
def test_paths_that_lead_elsewhere_are_refused(paths: tuple[Path, Path], text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        copy(f".env, {text}", *paths)
    assert refusal.value.field == "copy_files"
    assert list(paths[1].iterdir()) == []


def test_links_that_lead_elsewhere_are_not_followed(paths: tuple[Path, Path]) -> None:
    source, target = paths
    (source / "out").symlink_to("../secret")
    (source / "dir").symlink_to("..")
    (source / "in").mkdir()
    (source / "in" / "file").write_text("mine\n")
    (target / "in").symlink_to("..")
    copied, complaints = copy("out\ndir/secret\nin/file", source, target)
    assert copied == []
    assert len(complaints) == 3
    assert not (target / "out").exists()
    assert not (target.parent / "file").exists()


def test_what_is_there_already_is_not_overwritten(paths: tuple[Path, Path]) -> None:
    source, target = paths
    for name in (".env", "config.json"):
        (source / name).write_text("from the repository\n")
    (target / ".env").write_text("mine\n")
    assert copy(".env,config.json,missing", source, target) == (
        ["config.json"],
        ["copy_files: nothing matches 'missing'."],
    )
    assert (target / ".env").read_text() == "mine\n"
    assert (source / ".env").read_text() == "from the repository\n"


def test_a_pipe_does_not_hold_it_up(paths: tuple[Path, Path]) -> None:
    source, target = paths
    (source / "dir").mkdir()
    os.mkfifo(source / "dir" / "pipe")
    os.mkfifo(source / "pipe")
    (source / "dir" / "file").write_text("x")
    copied, complaints = copy("dir,pipe", source, target)
    assert copied == ["dir/file"]
    assert len(complaints) == 1


def test_links_that_lead_upwards_are_no_way_to_go(paths: tuple[Path, Path]) -> None:
    source, target = paths
    (source / "in").mkdir()
    for number in range(6):
        (source / f"loop{number}").symlink_to(".")
        (source / "in" / f"loop{number}").symlink_to("..")
    for name in (".env", "in/.env"):
        (source / name).write_text("x")
    assert copy("**/.env", source, target) == ([".env", "in/.env"], [])
    assert names("**/.env, in", source)[:2] == [".env", "in/.env"]


def test_a_directory_keeps_its_own_links(paths: tuple[Path, Path]) -> None:
    source, target = paths
    store = source / "node_modules" / ".store" / "tea"
    store.mkdir(parents=True)
    (store / "cli.js").write_text("tea\n")
    (source / "node_modules" / "tea").symlink_to(".store/tea")
    (source / "node_modules" / "bin.js").symlink_to("tea/cli.js")
    (source / "else.js").write_text("else\n")
    (source / "node_modules" / "else.js").symlink_to("../else.js")
    (source / "node_modules" / "itself").symlink_to("itself")
    copied, complaints = copy("node_modules", source, target)
    assert complaints == []
    assert copied == names("node_modules", source)
    there = target / "node_modules"
    assert os.readlink(there / "tea") == ".store/tea"
    assert (there / "bin.js").read_text() == "tea\n"
    assert (there / "bin.js").is_symlink()
    assert (there / "else.js").read_text() == "else\n"
    assert not (there / "else.js").is_symlink()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("*.json", ["a.json"]),
        ("**.json", ["a.json"]),
        ("d/**", ["d/.b.json", "d/e/c.json"]),
        ("**/*.json", ["a.json", "d/.b.json", "d/e/c.json"]),
        ("d/?.json, d/[.]b.json", ["d/.b.json"]),
        (".", ["a.json", "d/.b.json", "d/e/c.json"]),
        ("nothing", []),
    ],
)
def test_patterns_name_hidden_files_too(
    paths: tuple[Path, Path], text: str, found: list[str]
) -> None:
    source, target = paths
    (source / "d" / "e").mkdir(parents=True)
    (source / ".git").mkdir()
    for name in ("a.json", "d/.b.json", "d/e/c.json", ".git/x.json"):
        (source / name).write_text("{}")
    copied, _ = copy(text, source, target)
    assert sorted(copied) == found
    assert sorted(names(text, source)) == found


def test_what_is_kept_out_does_not_come_along(paths: tuple[Path, Path]) -> None:
    source, target = paths
    for name in (".env", "worktrees/x/.env", "worktrees2/.env"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("x")
    saved_out = source / "worktrees"
    found = [".env", "worktrees2/.env"]
    assert names("**/.env, worktrees", source, without=saved_out) == found
    assert copy("**/.env, worktrees", source, target, without=saved_out) == (found, [])


def test_a_link_that_leads_to_itself_costs_a_complaint(paths: tuple[Path, Path]) -> None:
    source, target = paths
    (source / ".env.local").symlink_to(".env.local")
    (source / ".env.a").symlink_to(".env.b")
    (source / ".env.b").symlink_to(".env.a")
    (source / ".env").write_text("x")
    copied, complaints = copy(".env*", source, target)
    assert copied == [".env"]
    assert len(complaints) == 3
    assert names(".env*", source) == [".env", ".env.a", ".env.b", ".env.local"]


def test_nothing_is_made_outside_not_even_a_directory(paths: tuple[Path, Path]) -> None:
    source, target = paths
    (source / "in" / "deep" / "er").mkdir(parents=True)
    (source / "in" / "deep" / "er" / "file").write_text("mine\n")
    outside = target.parent / "outside"
    outside.mkdir()
    (target / "in").symlink_to(outside)
    copied, complaints = copy("in/deep/er/file, in", source, target)
    assert copied == []
    assert len(complaints) == 2
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("text", [".git*", ".gi[t]/config", "**", "*/config", "alias", "in", "."])
def test_what_belongs_to_git_is_never_copied(paths: tuple[Path, Path], text: str) -> None:
    source, target = paths
    (source / ".git").mkdir()
    (source / ".git" / "config").write_text("[core]\n")
    (source / "alias").symlink_to(".git/config")
    (source / "in" / ".git").mkdir(parents=True)
    (source / "in" / ".git" / "config").write_text("[core]\n")
    (source / "in" / "more").symlink_to(".git/config")
    copied, _ = copy(text, source, target)
    assert copied == []
    found = [path for path in target.rglob("*") if path.name in {".git", "config", "alias", "more"}]
    assert found == []


@pytest.mark.parametrize("text", [".GIT/config", "a/.Git", "./.git"])
def test_capitals_do_not_help(paths: tuple[Path, Path], text: str) -> None:
    with pytest.raises(Invalid):
        copy(text, *paths)


def test_a_repository_below_a_directory_of_that_name_is_one_like_others(tmp_path: Path) -> None:
    source, target = tmp_path / ".git" / "repository", tmp_path / "worktree"
    source.mkdir(parents=True)
    target.mkdir()
    (source / ".env").write_text("x")
    assert copy(".env", source, target) == ([".env"], [])
