"""The command `serve`: the daemon."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import click

from anyond.cli.common import ALREADY_RUNNING, FAILED


@click.command()
@click.option(
    "--host",
    envvar="ANYON_HOST",
    show_envvar=True,
    help="Address to listen on; 127.0.0.1 if not given.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    envvar="ANYON_PORT",
    show_envvar=True,
    help="Port to listen on; 8096 if not given, 0 takes any free one.",
)
@click.option(
    "--unix",
    type=click.Path(path_type=Path),
    help="Listen on this Unix socket; on TCP too only if --host or --port is given.",
)
@click.option(
    "--vk-port",
    type=click.IntRange(0, 65535),
    envvar="ANYON_VK_PORT",
    show_envvar=True,
    help="Serve clients of vibe-kanban at this port as well; 0 takes any free one.",
)
@click.option(
    "--ui",
    type=click.Path(path_type=Path),
    help="Serve the built front end in this directory there too.",
)
@click.option(
    "--allowed-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="Accept this name in the Host header, beside those of loopback. Repeatable.",
)
@click.option(
    "--allowed-origin",
    "allowed_origins",
    multiple=True,
    metavar="ORIGIN",
    help="Accept requests of web pages from this origin. Repeatable.",
)
@click.option(
    "--auth",
    type=click.Choice(["none", "token"]),
    default="none",
    show_default=True,
    help="Whether requests must bring the token, which is told at the start.",
)
@click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False),
    default="info",
    show_default=True,
)
def serve(
    *,
    host: str | None,
    port: int | None,
    unix: Path | None,
    vk_port: int | None,
    ui: Path | None,
    allowed_hosts: tuple[str, ...],
    allowed_origins: tuple[str, ...],
    auth: str,
    log_format: str,
    log_level: str,
) -> None:
    """Run the daemon until it is told to stop."""
    # What is loaded from here on stays; looking through it for garbage took a sixth of the start.
    # The daemon enables this again as soon as it serves.
    gc.disable()
    from anyond.host import standard_streams

    standard_streams.prepare()

    from anyond import start
    from anyond.host.lock import AlreadyRunning
    from anyond.host.places import Places
    from anyond.model.errors import AnyondError, Invalid
    from anyond.settings.options import HOST, PORT, Auth, Options

    only_unix = unix is not None and host is None and port is None
    try:
        options = Options(
            places=Places.of(),
            host=None if only_unix else HOST if host is None else host,
            port=PORT if port is None else port,
            unix=None if unix is None else Path(os.path.abspath(unix)),
            vk_port=vk_port,
            ui=None if ui is None else Path(os.path.abspath(ui)),
            allowed_hosts=tuple(name.lower() for name in allowed_hosts),
            allowed_origins=tuple(origin.lower().rstrip("/") for origin in allowed_origins),
            auth=Auth(auth),
        )
    except Invalid as error:
        raise click.UsageError(str(error)) from error
    try:
        # Clients can wait from here on, while everything else is loaded.
        with start.first(options) as doors:
            _load_structlog()
            from anyond.host.logging import LogFormat, configure

            configure(LogFormat(log_format), log_level)
            from anyond import daemon

            code = daemon.run(options, doors)
    except AlreadyRunning as error:
        click.echo(str(error), err=True)
        sys.exit(ALREADY_RUNNING)
    except Invalid as error:
        raise click.UsageError(str(error)) from error
    except AnyondError as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)
    sys.exit(code)


def _load_structlog() -> None:
    """Without rich, which it loads wherever it is installed, for tracebacks we do not let it print.

    That would be a fifteenth of the daemon's start and 3 MB of its memory.
    """
    if "rich" not in sys.modules and "structlog" not in sys.modules:
        sys.modules["rich"] = None  # type: ignore[assignment]  # so that importing it fails
        try:
            import structlog  # noqa: F401
        finally:
            del sys.modules["rich"]
