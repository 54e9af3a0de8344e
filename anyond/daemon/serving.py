"""The HTTP front on its listeners, and where clients and people learn of it."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

import structlog
import trio

from anyond import __version__
from anyond.host.daemon_file import published
from anyond.host.identity import token as user_token
from anyond.host.sd_notify import ServiceManager
from anyond.host.standard_streams import print_line
from anyond.http.app import create_app
from anyond.http.guard import Policy
from anyond.http.wire.listener_set import ListenerSet
from anyond.http.wire.listeners import Listener
from anyond.http.wire.partings import Partings
from anyond.http.wire.peers import Peers
from anyond.http.wire.server import serve
from anyond.services.services import Services
from anyond.settings.options import Auth, Options

log = structlog.get_logger()


@asynccontextmanager
async def serving(
    options: Options,
    listeners: ListenerSet,
    partings: Partings,
    services: Services,
    manager: ServiceManager,
) -> AsyncIterator[None]:
    """Answer clients during the block; at its end wait until the last of them has its answer.

    Args:
        partings: takes the clients in vibe-kanban's form that are parted from last of all.
        services: what they may ask; its `closing` must be set before the block ends.
        manager: is notified as soon as all listeners are served.
    """
    token = user_token(options.paths.token) if options.auth is Auth.TOKEN else None
    # Root can be whoever it likes, so to refuse it would keep nobody out.
    users = {0, os.getuid(), os.geteuid()}
    policy = Policy(
        options.allowed_hosts,
        options.allowed_origins,
        token,
        users,
        executions=options.paths.executions,
        tokens=services.tokens,
    )
    peers = Peers()
    app = create_app(services, policy)
    vk_app = app.gateway("vk").listener_app(options.ui) if listeners.vk else None
    policy.admit(_own_names(options, [*listeners.ours, *listeners.vk]))
    async with trio.open_nursery() as nursery:
        served = trio.Event()

        async def serve_http(*, task_status: trio.TaskStatus[tuple[list[str], str | None]]) -> None:
            try:
                async with trio.open_nursery() as fronts:
                    start = partial(serve, closing=services.closing, peers=peers)
                    urls = await fronts.start(start, app, listeners.ours)
                    start_vk = partial(start, partings=partings)
                    vk = await fronts.start(start_vk, vk_app, listeners.vk) if vk_app else []
                    task_status.started((urls, vk[0] if vk else None))
            finally:
                served.set()

        urls, vk_url = await nursery.start(serve_http)
        policy.url, policy.vk_url = urls[0], vk_url
        with published(options.paths.daemon_file, urls[0], vk_url):
            _tune_garbage_collection()
            nursery.start_soon(manager.keep_alive)
            manager.ready(f"Serving at {', '.join(urls)}")
            _report_addresses(urls, vk_url)
            if token is not None:
                print(f"Programs send the token in {options.paths.token}.")
                for url in [urls[0], *([vk_url] if options.ui and vk_url else [])]:
                    print_line(f"A browser gets in once by {url}/?token={policy.link()}")
            yield
            await served.wait()
        nursery.cancel_scope.cancel()


def _tune_garbage_collection() -> None:
    """The collector was off during the start."""
    gc.freeze()  # without collecting: that takes longer than what is gained
    # Not a million objects at once: nobody is served meanwhile.
    gc.set_threshold(1_000, 3, 30_000)
    gc.enable()


def _own_names(options: Options, listeners: Iterable[Listener]) -> set[str]:
    """Return the names by which the person who started the daemon calls its addresses."""
    names = {urlsplit(listener.url).hostname for listener in listeners}
    if options.host is not None:
        names.add(options.host.strip("[]"))
    return {name for name in names if name not in {None, "0.0.0.0", "::"}}


def _report_addresses(urls: list[str], vk_url: str | None) -> None:
    log.info("serving", version=__version__, urls=urls, vk_url=vk_url)
    print_line(f"Anyon {__version__} serves at {' and '.join(urls)}")
    if vk_url is not None:
        print_line(f"Clients of vibe-kanban are served at {vk_url}")
