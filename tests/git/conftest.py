"""A clean home, and repositories that tests can say things about in one line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from anyond.git.repository import Repositories
from tests.git.driver import Checkout

GLOBAL = """\
[user]
    name = Ada
    email = ada@example.org
[init]
    defaultBranch = main
[advice]
    detachedHead = false
[protocol "file"]
    allow = always
[gc]
    auto = 0
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "home"
    directory.mkdir()
    (directory / ".gitconfig").write_text(GLOBAL)
    for key in [key for key in os.environ if key.startswith(("GIT_", "XDG_"))]:
        monkeypatch.delenv(key)
    monkeypatch.setenv("HOME", str(directory))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return directory


@pytest.fixture
def repo(tmp_path: Path) -> Checkout:
    """A repository with a commit of two files on `main`."""
    path = tmp_path / "repo"
    path.mkdir()
    made = Checkout(path)
    made.git("init", "-q")
    made.commit({"base.txt": "base\n", "other.txt": "other\n"}, "base")
    return made


@pytest.fixture
def attempt(repo: Checkout) -> Checkout:
    """A worktree of that repository on the branch `work`."""
    return repo.worktree("attempt", "work")


@pytest.fixture
def repos() -> Repositories:
    return Repositories()
