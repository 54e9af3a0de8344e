"""The daemon's process, from open listeners to an exit code."""

from __future__ import annotations

import sys

import structlog
import trio

from anyond.daemon.resources import open_resources
from anyond.daemon.services import open_services
from anyond.daemon.serving import serving
from anyond.daemon.signals import stop_signals
from anyond.editing.files import sweep
from anyond.host.sd_notify import ServiceManager
from anyond.http.wire.listener_set import ListenerSet
from anyond.http.wire.partings import Partings
from anyond.model.errors import AnyondError
from anyond.settings.options import Options

log = structlog.get_logger()


def run(options: Options, listeners: ListenerSet) -> int:
    """Serve until SIGTERM or SIGINT, or until its terminal is closed (SIGHUP, unless ignored).

    Args:
        options: what was asked for.
        listeners: of `listening`, which are open; they are closed when this returns.

    Returns:
        The exit code: 0 after a proper stop, 1 if it cannot serve.
    """
    partings = Partings()
    try:
        for path in options.paths.replaced:
            sweep(path)
        trio.run(_main, options, listeners, partings)
    except AnyondError as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except BaseExceptionGroup as group:
        refusals, bugs = group.split(AnyondError)
        if bugs is not None or refusals is None:
            raise
        print("; ".join(str(error) for error in _leaves(refusals)), file=sys.stderr)
        return 1
    finally:
        listeners.close()
        partings.close()
    return 0


async def _main(options: Options, listeners: ListenerSet, partings: Partings) -> None:
    manager = ServiceManager.of()
    answering, closing = trio.Event(), trio.Event()
    with stop_signals() as signals:
        async with (
            open_resources(options, listeners.ours[0].url) as resources,
            open_services(options, resources, answering, closing) as services,
            serving(options, listeners, partings, services, manager),
        ):
            answering.set()
            log.info("stopping", signal=await signals.next())
            manager.stopping()
            closing.set()
        await signals.forget()
    log.info("stopped")


def _leaves(group: BaseExceptionGroup[AnyondError]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found
