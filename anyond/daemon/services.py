"""Everything between the resources and the HTTP front, with all that was running found again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import structlog
import trio

from anyond.actors.attempts import Attempts
from anyond.actors.core import keep
from anyond.actors.owner_check import OwnerCheck
from anyond.agents.roster import CAPABILITIES
from anyond.daemon.resources import Opened
from anyond.host.identity import user_id
from anyond.services.attempts import AttemptRequests
from anyond.services.board import BoardRequests
from anyond.services.branches import BranchRequests
from anyond.services.changes import ChangeRequests
from anyond.services.conversations import Conversations
from anyond.services.dev_servers import DevServers
from anyond.services.drafts import DraftRequests
from anyond.services.editors import Editors
from anyond.services.images import ImageRequests
from anyond.services.projects import ProjectRequests
from anyond.services.publishing import Publishing
from anyond.services.retention import Retention
from anyond.services.reviews import ReviewRequests
from anyond.services.services import Services, Settings
from anyond.services.sign_in import GitHubSignIn
from anyond.services.tokens import Tokens
from anyond.settings.options import Options
from anyond.watchers.availability import Agents
from anyond.watchers.diffs import Diffs
from anyond.watchers.janitor import Janitor, collect_garbage
from anyond.watchers.logs import Logs
from anyond.watchers.monitor import Monitor
from anyond.watchers.search_index import SearchIndex
from anyond.watchers.searches import Searches
from anyond.watchers.variant_forms import VariantForms

log = structlog.get_logger()


@asynccontextmanager
async def open_services(
    options: Options, opened: Opened, serving: trio.Event, closing: trio.Event
) -> AsyncIterator[Services]:
    """Recover what was at work, start the watchers, and offer the services, for the block.

    Args:
        serving: is set when clients are answered; what goes on from before is followed after that.
        closing: is set when all streams are to end; nothing here waits for it.
    """
    resources = opened.resources
    async with trio.open_nursery() as attempts_nursery:
        logs = Logs(resources.store, resources.launcher)
        attempts = Attempts(attempts_nursery, resources, logs)
        await attempts.recover(serving)
        drafts = DraftRequests(resources, attempts)
        await drafts.recover()
        async with trio.open_nursery() as watchers_nursery:
            janitor, monitor = Janitor(resources), Monitor(resources)
            agents = Agents(resources.profiles, opened.named_agents, resources.store)
            for name, watcher in (
                ("janitor", janitor.run),
                ("retention", Retention(resources, attempts).run),
                ("garbage", collect_garbage),
                ("monitor", monitor.run),
                ("owners", OwnerCheck(resources, attempts).run),
                ("agents", agents.run),
                ("search", SearchIndex(resources.store, logs).run),
            ):
                report = partial(_report_crash, name)
                watchers_nursery.start_soon(partial(keep, watcher, report=report))
            branches = BranchRequests(resources, attempts)
            await branches.recover()
            watchers_nursery.start_soon(branches.complete_worktrees)
            requests = AttemptRequests(resources, attempts, logs, janitor)
            yield Services(
                store=resources.store,
                settings=Settings(
                    resources.config, resources.profiles, user_id(options.paths.user_id)
                ),
                projects=ProjectRequests(resources, attempts, janitor),
                attempts=requests,
                board=BoardRequests(resources.store, requests),
                publishing=Publishing(resources, attempts, monitor),
                sign_in=GitHubSignIn(resources),
                images=ImageRequests(resources),
                branches=branches,
                changes=ChangeRequests(resources, attempts),
                conversations=Conversations(resources.store, logs),
                reviews=ReviewRequests(resources, requests, drafts),
                dev_servers=DevServers(resources, attempts),
                editors=Editors(watchers_nursery, resources, attempts),
                drafts=drafts,
                logs=logs,
                diffs=Diffs(watchers_nursery, resources, attempts.is_busy),
                searches=Searches(watchers_nursery, resources),
                agents=agents,
                forms=VariantForms(resources.profiles, resources.store),
                capabilities=CAPABILITIES,
                tokens=await Tokens.open(resources.store, resources.access_secret),
                closing=closing,
            )
            watchers_nursery.cancel_scope.cancel()
        attempts_nursery.cancel_scope.cancel()


def _report_crash(watcher: str, crash: Exception) -> None:
    log.error(watcher, exc_info=crash)
