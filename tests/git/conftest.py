"""A clean home, and repositories that tests can say things about in one line."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from anyond.git.disk import locations
from anyond.git.repo.repository import Repositories
from tests.support.checkout import Checkout

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


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where the one repository is that all others are copied from."""
    return {"path": tmp_path_factory.mktemp("template")}


@pytest.fixture
def repo(tmp_path: Path, templates: dict[str, Path]) -> Checkout:
    """A repository with a commit of two files on `main`."""
    template = Checkout(templates["path"])
    if not (template.path / ".git").exists():
        template.git("init", "-q", "--template=")
        (template.path / ".git" / "info").mkdir()
        template.commit({"base.txt": "base\n", "other.txt": "other\n"}, "base")
    # With their times, or git would have to read the files again.
    shutil.copytree(template.path, tmp_path / "repo", symlinks=True)
    made = Checkout(tmp_path / "repo")
    made.git("update-index", "-q", "--refresh")
    locations.remember(made.path, made.path / ".git", made.path / ".git")
    return made


@pytest.fixture
def attempt(repo: Checkout) -> Checkout:
    """A worktree of that repository on the branch `work`."""
    made = repo.worktree("attempt", "work")
    locations.remember(made.path, repo.path / ".git")
    return made


@pytest.fixture
def repos() -> Repositories:
    return Repositories()
