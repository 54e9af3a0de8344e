"""The resources below the operations, all of them real, in an empty directory."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from anyond.agents.roster import DEFAULT_PROFILES
from anyond.files.desktop_notifier import DesktopNotifier
from anyond.files.images import ImageFiles
from anyond.git.repo.repository import Repositories
from anyond.github.client import GitHub
from anyond.github.site import Site
from anyond.host.app_paths import AppPaths
from anyond.operations.resources import Resources
from anyond.procs.shims.launcher import Launcher
from anyond.settings.config import ConfigFile
from anyond.settings.profiles import Profiles
from anyond.store.engine.database import Store
from tests.support.git.deadly_git import deadly_git
from tests.support.operations.concluding import bench
from tests.support.store.new_database import new_database

__all__ = ["bench", "deadly_git"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "home"
    directory.mkdir()
    for key in [key for key in os.environ if key.startswith(("GIT_", "XDG_"))]:
        monkeypatch.delenv(key)
    monkeypatch.setenv("HOME", str(directory))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return directory


@pytest.fixture
async def resources(tmp_path: Path) -> AsyncIterator[Resources]:
    paths = AppPaths.under(tmp_path / "anyon")
    paths.create()
    async with (
        Store.open(new_database(paths.database)) as store,
        Launcher.open(paths.executions) as launcher,
        DesktopNotifier.open() as notifier,
    ):
        yield Resources(
            store=store,
            config=ConfigFile(paths.config),
            profiles=Profiles(paths.profiles, DEFAULT_PROFILES),
            paths=paths,
            repositories=Repositories(),
            launcher=launcher,
            github=GitHub(Site.of({})),
            images=ImageFiles(paths.images),
            notifier=notifier,
        )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit on `main`."""
    path = tmp_path / "repository"
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@localhost")
    subprocess.run(["git", "init", "-q", "-b", "main", path], check=True)
    first = ["git", *who, "commit", "-q", "--allow-empty", "-m", "First"]
    subprocess.run(first, cwd=path, check=True)
    return path
