"""The composition root: what starts in which order, and stops in reverse.

Started top-down: the lock and the listeners (`anyond/start.py`), the store, the shims' launcher,
the attempts that were at work, the services, and last the HTTP front. Stopped bottom-up: first the
streams end, then the front closes, then the actors let go of their processes, which live on, and
last the store is closed. vibe-kanban's boards hear of it after that.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

import structlog
import trio

from anyond import __version__
from anyond.actors.attempts import Attempts
from anyond.actors.core import keep
from anyond.actors.owner_check import OwnerCheck
from anyond.agents.roster import CAPABILITIES, DEFAULT_PROFILES, fits
from anyond.editing.files import sweep
from anyond.files.desktop_notifier import DesktopNotifier
from anyond.files.images import ImageFiles
from anyond.git.repo.repository import Repositories
from anyond.github.client import GitHub
from anyond.github.site import Site
from anyond.host.daemon_file import published
from anyond.host.identity import token as user_token
from anyond.host.identity import user_id
from anyond.host.sd_notify import ServiceManager
from anyond.host.standard_streams import tell
from anyond.http.app import create_app
from anyond.http.guard import Policy
from anyond.http.wire.listener_set import ListenerSet
from anyond.http.wire.listeners import Listener
from anyond.http.wire.partings import Partings
from anyond.http.wire.peers import Peers
from anyond.http.wire.server import serve
from anyond.model.errors import AnyondError
from anyond.operations.resources import Resources
from anyond.operations.workspace import git_programs
from anyond.procs.shims.launcher import Launcher
from anyond.services.attempts import AttemptRequests
from anyond.services.branches import BranchRequests
from anyond.services.dev_servers import DevServers
from anyond.services.drafts import DraftRequests
from anyond.services.editors import Editors
from anyond.services.images import ImageRequests
from anyond.services.projects import ProjectRequests
from anyond.services.publishing import Publishing
from anyond.services.services import Services, Settings
from anyond.services.sign_in import GitHubSignIn
from anyond.settings.acp_agents import AcpAgentsFile
from anyond.settings.config import ConfigFile
from anyond.settings.options import Auth, Options
from anyond.settings.profiles import Profiles
from anyond.store.engine.database import Store
from anyond.watchers.availability import Agents
from anyond.watchers.diffs import Diffs
from anyond.watchers.janitor import Janitor, collect_garbage
from anyond.watchers.logs import Logs
from anyond.watchers.monitor import Monitor
from anyond.watchers.searches import Searches
from anyond.watchers.variant_forms import VariantForms

log = structlog.get_logger()


def run(options: Options, listeners: ListenerSet) -> int:
    """Serve until SIGTERM or SIGINT, or until its terminal is closed (SIGHUP, unless ignored).

    Args:
        options: what was asked for.
        listeners: of `anyond.start.first`, which are open; they are closed when this returns.

    Returns:
        The exit code: 0 after a proper stop, 1 if it cannot serve.
    """
    partings = Partings()
    try:
        for path in options.places.replaced:
            sweep(path)
        trio.run(_main, options, listeners, partings)
    except AnyondError as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except BaseExceptionGroup as group:
        refusals, bugs = group.split(AnyondError)
        if bugs is not None or refusals is None:
            raise
        print("; ".join(str(e) for e in _leaves(refusals)), file=sys.stderr)
        return 1
    finally:
        listeners.close()
        partings.close()
    return 0


async def _main(options: Options, listeners: ListenerSet, partings: Partings) -> None:
    manager = ServiceManager.of()
    endings = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # else it is to stay (nohup)
        endings.append(signal.SIGHUP)
    # What the receiver puts back when it is closed. Not SIG_IGN, which programs would inherit.
    signal.pthread_sigmask(signal.SIG_BLOCK, endings)
    for ending in endings:
        signal.signal(ending, _has_stopped)
    with trio.open_signal_receiver(*endings) as signals:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, endings)
        closing = trio.Event()
        async with open_services(options, closing) as services:
            token = user_token(options.places.token) if options.auth is Auth.TOKEN else None
            # Root can be whoever it likes, so to refuse it would keep nobody out.
            users = {0, os.getuid(), os.geteuid()}
            policy = Policy(options.allowed_hosts, options.allowed_origins, token, users)
            peers = Peers() if token is None else None
            app = create_app(services, policy)
            other = app.gateway("vk").listener_app(options.ui) if listeners.vk else None
            policy.admit(_own_names(options, [*listeners.ours, *listeners.vk]))
            async with trio.open_nursery() as nursery:
                served = trio.Event()

                async def front(
                    *, task_status: trio.TaskStatus[tuple[list[str], str | None]]
                ) -> None:
                    try:
                        async with trio.open_nursery() as fronts:
                            door = partial(serve, closing=closing, peers=peers)
                            urls = await fronts.start(door, app, listeners.ours)
                            last = partial(door, partings=partings)
                            vk = await fronts.start(last, other, listeners.vk) if other else []
                            task_status.started((urls, vk[0] if vk else None))
                    finally:
                        served.set()

                urls, vk_url = await nursery.start(front)
                with published(options.places.daemon_file, urls[0], vk_url):
                    gc.freeze()  # without collecting: that takes longer than what is gained
                    # Not a million objects at once: nobody is served meanwhile.
                    gc.set_threshold(1_000, 3, 30_000)
                    gc.enable()
                    nursery.start_soon(manager.keep_alive)
                    manager.ready(f"Serving at {', '.join(urls)}")
                    _say_where(urls, vk_url)
                    if token is not None:
                        print(f"Programs send the token in {options.places.token}.")
                    for url in [urls[0], *([vk_url] if options.ui and vk_url else [])]:
                        if token is not None:
                            tell(f"A browser gets in once by {url}/?token={policy.link()}")
                    async for number in signals:
                        log.info("stopping", signal=signal.Signals(number).name)
                        break
                    manager.stopping()
                    closing.set()
                    await served.wait()
                nursery.cancel_scope.cancel()
        await _forget(signals)
    for ending in endings:  # nothing is started any more; Python ends for a while yet
        signal.signal(ending, signal.SIG_IGN)
    log.info("stopped")


def _has_stopped(_number: int, _frame: object) -> None:
    """To be told so again makes nothing of a stop that went well."""


async def _forget(signals: AsyncIterator[int]) -> None:
    """Trio delivers what was not looked at again, to a process that has stopped already."""
    with trio.move_on_after(0.01):
        async for _ in signals:
            pass


@asynccontextmanager
async def open_services(options: Options, closing: trio.Event) -> AsyncIterator[Services]:
    """Everything below the HTTP front, open, with all that was running found again."""
    places = options.places
    github = GitHub(Site.of(os.environ))
    config = ConfigFile(places.config)
    named = AcpAgentsFile(places.acp_agents)
    named.load()
    profiles = Profiles(places.profiles, DEFAULT_PROFILES, named.before(fits))
    async with (
        Store.open(places.database) as store,
        Launcher.open(places.executions) as launcher,
        DesktopNotifier.open() as notifier,
        trio.open_nursery() as attempts_nursery,
    ):
        resources = Resources(
            store=store,
            config=config,
            profiles=profiles,
            places=places,
            repositories=Repositories(),
            launcher=launcher,
            github=github,
            images=ImageFiles(places.images),
            notifier=notifier,
        )
        await git_programs.load(resources)
        logs = Logs(store, launcher)
        awake = Attempts(attempts_nursery, resources, logs)
        await awake.recover()
        drafts = DraftRequests(resources, awake)
        await drafts.recover()
        async with trio.open_nursery() as services_nursery:
            janitor, monitor = Janitor(resources), Monitor(resources)
            agents = Agents(profiles, named, store)
            for name, service in (
                ("janitor", janitor.run),
                ("garbage", collect_garbage),
                ("monitor", monitor.run),
                ("owners", OwnerCheck(resources, awake).run),
                ("agents", agents.run),
            ):
                report = partial(_report_crash, name)
                services_nursery.start_soon(partial(keep, service, report=report))
            branches = BranchRequests(resources, awake)
            await branches.recover()
            services_nursery.start_soon(branches.complete_worktrees)
            yield Services(
                store=store,
                settings=Settings(config, profiles, user_id(places.user_id)),
                projects=ProjectRequests(resources, awake, janitor),
                attempts=AttemptRequests(resources, awake, logs, janitor),
                publishing=Publishing(resources, awake, monitor),
                sign_in=GitHubSignIn(resources),
                images=ImageRequests(resources),
                branches=branches,
                dev_servers=DevServers(resources, awake),
                editors=Editors(services_nursery, resources, awake),
                drafts=drafts,
                logs=logs,
                diffs=Diffs(services_nursery, resources, awake.is_busy),
                searches=Searches(services_nursery, resources),
                agents=agents,
                forms=VariantForms(profiles, store),
                capabilities=CAPABILITIES,
                closing=closing,
            )
            services_nursery.cancel_scope.cancel()
        attempts_nursery.cancel_scope.cancel()


def _report_crash(service: str, crash: Exception) -> None:
    log.error(service, exc_info=crash)


def _own_names(options: Options, listeners: Iterable[Listener]) -> set[str]:
    """What the person who started the daemon calls the addresses it listens at."""
    names = {urlsplit(listener.url).hostname for listener in listeners}
    if options.host is not None:
        names.add(options.host.strip("[]"))
    return {name for name in names if name not in {None, "0.0.0.0", "::"}}


def _say_where(urls: list[str], vk_url: str | None) -> None:
    log.info("serving", version=__version__, urls=urls, vk_url=vk_url)
    tell(f"Anyon {__version__} serves at {' and '.join(urls)}")
    if vk_url is not None:
        tell(f"Clients of vibe-kanban are served at {vk_url}")


def _leaves(group: BaseExceptionGroup[AnyondError]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found
