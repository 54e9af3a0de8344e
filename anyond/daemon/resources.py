"""The resources that everything else works with: store, launcher, settings, repositories."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct

from anyond.agents.roster import DEFAULT_PROFILES, fits
from anyond.files.desktop_notifier import DesktopNotifier
from anyond.files.images import ImageFiles
from anyond.git.repo.repository import Repositories
from anyond.github.client import GitHub
from anyond.github.site import Site
from anyond.operations.resources import Resources
from anyond.operations.run import copied_data
from anyond.operations.workspace import git_programs
from anyond.procs.shims.launcher import Launcher
from anyond.settings.acp_agents import AcpAgentsFile
from anyond.settings.config import ConfigFile
from anyond.settings.options import Options
from anyond.settings.profiles import Profiles
from anyond.store.access import tokens
from anyond.store.engine.database import Store


class Opened(Struct, frozen=True):
    """The resources of operations, and the agents that a person has named, which they do not
    reach.
    """

    resources: Resources
    named_agents: AcpAgentsFile


@asynccontextmanager
async def open_resources(options: Options, url: str) -> AsyncIterator[Opened]:
    """Read the settings, and open the database and the directory of spools, for the block.

    Args:
        url: where executions find the daemon.

    Raises:
        AnyondError: one of them cannot be read or opened; the sentence says what to do.
    """
    paths = options.paths
    github = GitHub(Site.of(os.environ))
    config = ConfigFile(paths.config)
    named = AcpAgentsFile(paths.acp_agents)
    named.load()
    profiles = Profiles(paths.profiles, DEFAULT_PROFILES, named.before(fits))
    async with (
        Store.open(paths.database) as store,
        Launcher.open(paths.executions) as launcher,
        DesktopNotifier.open() as notifier,
    ):
        secret = await store.write(tokens.secret)
        resources = Resources(
            store=store,
            config=config,
            profiles=profiles,
            paths=paths,
            repositories=Repositories(),
            launcher=launcher,
            github=github,
            images=ImageFiles(paths.images),
            notifier=notifier,
            access_secret=secret,
            url=url,
        )
        await copied_data.notice(resources)
        await git_programs.load(resources)
        yield Opened(resources, named)
