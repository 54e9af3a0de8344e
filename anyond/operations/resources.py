"""The resources of operations: everything that they may reach, already open."""

from __future__ import annotations

from msgspec import Struct

from anyond.files.desktop_notifier import DesktopNotifier
from anyond.files.images import ImageFiles
from anyond.git.repo.repository import Repositories
from anyond.github.client import GitHub
from anyond.host.app_paths import AppPaths
from anyond.procs.shims.launcher import Launcher
from anyond.settings.config import ConfigFile
from anyond.settings.profiles import Profiles
from anyond.store.engine.database import Store


class Resources(Struct, frozen=True):
    """One of each, for the life of the daemon.

    Args:
        access_secret: what the tokens of executions are derived from; with "" they get none.
        url: where they find the daemon.
    """

    store: Store
    config: ConfigFile
    profiles: Profiles
    paths: AppPaths
    repositories: Repositories
    launcher: Launcher
    github: GitHub
    images: ImageFiles
    notifier: DesktopNotifier
    access_secret: str = ""
    url: str = ""
