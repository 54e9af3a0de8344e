"""Facts that several checks need, each found out once and without changing anything."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import cached_property
from typing import Any, TypeVar

import msgspec

from anyond.api import system
from anyond.client.address import find_daemon
from anyond.client.blocking import BlockingClient
from anyond.client.errors import ClientError
from anyond.editing import files
from anyond.host.app_paths import AppPaths
from anyond.host.daemon_file import DaemonFile
from anyond.model.configuration.settings import Config
from anyond.model.errors import AnyondError, Unavailable
from anyond.model.http.answers import UserSystemInfo
from anyond.model.rows import Project
from anyond.settings.config_upgrade import of_today
from anyond.settings.shape import fit
from anyond.store.board import projects
from anyond.store.engine.transaction import Reader, in_words

T = TypeVar("T")

_ANSWER_S = 10.0


class Facts:
    """The installation that is looked at; with or without a daemon.

    Args:
        paths: its directories.
        environ: the environment of the person.
    """

    def __init__(self, paths: AppPaths, environ: Mapping[str, str] | None = None) -> None:
        self.paths = paths
        self.environ = os.environ if environ is None else environ

    @cached_property
    def daemon_file(self) -> DaemonFile | None:
        """The file that the daemon has left of itself."""
        return DaemonFile.read(self.paths.daemon_file)

    @cached_property
    def asked(self) -> tuple[UserSystemInfo | None, str]:
        """The daemon's answer, and otherwise the reason why there is none."""
        file = self.daemon_file
        if file is None:
            return None, "no daemon runs"
        try:
            address = find_daemon(file.url, {**self.environ})
            with BlockingClient(address) as client:
                return client.call(system.GET_SYSTEM_INFO, timeout_s=_ANSWER_S), ""
        except (ClientError, AnyondError) as error:
            return None, str(error)

    @cached_property
    def settings(self) -> tuple[Config, list[str]]:
        """The settings, read without putting a damaged file aside; and what is wrong with it."""
        path = self.paths.config
        try:
            content = files.read(path)
        except Unavailable as error:
            return Config(), [str(error)]
        if content is None:
            return Config(), []
        try:
            found = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"), type=dict[str, Any])
        except (ValueError, RecursionError):
            return Config(), [f"{path} is no JSON object, so defaults are in force"]
        config, flaws = fit(Config, of_today(found))
        return config, [f"{path}: {name} {problem}" for name, problem in flaws]

    @cached_property
    def projects(self) -> list[Project]:
        """All projects; none where there is no database that can be read."""
        try:
            return self.read(projects.fetch_all)
        except Unavailable:
            return []  # the check of the database says why

    def prepare(self) -> None:
        """Find out what several checks need, before they run beside each other. Blocks."""
        _ = self.settings, self.asked, self.projects

    def read(self, work: Callable[[Reader], T]) -> T:
        """Read the database as it is, beside a daemon or without one; it is not migrated.

        Raises:
            Unavailable: it is not there, or cannot be read.
        """
        path = self.paths.database
        if not path.exists():
            raise Unavailable(f"There is no database yet ({path}).")
        try:
            address = f"{path.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
                connection.execute("PRAGMA busy_timeout = 5000")
                return work(Reader(connection))
        except sqlite3.Error as error:
            raise Unavailable(f"The database {path} cannot be read: {in_words(error)}.") from error
