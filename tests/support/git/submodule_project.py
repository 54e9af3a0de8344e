"""A repository with a submodule, and an attempt of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.checkout import Checkout

ID = "11111111-1111-4111-8111-111111111111"


def made(path: Path, **files: str) -> Checkout:
    path.mkdir(parents=True)
    repo = Checkout(path)
    repo.git("init", "-q", "--template=")
    repo.commit({name.replace("_", "."): text for name, text in files.items()}, "first")
    return repo


@pytest.fixture
def project(tmp_path: Path) -> Checkout:
    """A repository with a submodule `vendor/lib` that has one itself, all checked out."""
    leaf, lib = made(tmp_path / "leaf", leaf_txt="leaf\n"), made(tmp_path / "lib", lib_txt="lib\n")
    lib.git("submodule", "--quiet", "add", leaf.path, "deep/leaf")
    lib.commit({}, "leaf")
    made(tmp_path / "origin", a_txt="a\n").git("submodule", "-q", "add", lib.path, "vendor/lib")
    origin = Checkout(tmp_path / "origin")
    origin.commit({}, "lib")
    origin.git("clone", "-q", "--recurse-submodules", origin.path, tmp_path / "project")
    return Checkout(tmp_path / "project")


def begun(project: Checkout) -> Checkout:
    return project.worktree("attempt", "work")


def unplug(project: Checkout) -> None:
    """Nothing can be had from elsewhere any more."""
    for name in ("leaf", "lib", "origin"):
        shutil.rmtree(project.path.parent / name)
