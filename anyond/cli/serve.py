"""The command `serve`: the daemon."""

from __future__ import annotations

import gc
import sys
from typing import Any

import click

from anyond.cli.common import ALREADY_RUNNING, FAILED
from anyond.cli.options import as_click
from anyond.settings.options import LogFormat, Options, declared_options


@click.command(params=[as_click(option) for option in declared_options()])
def serve(**given: Any) -> None:
    """Run the daemon until it is told to stop."""
    # What is loaded from here on stays; looking through it for garbage took a sixth of the start.
    # The daemon enables this again as soon as it serves.
    gc.disable()
    from anyond.host import standard_streams

    standard_streams.prepare()

    from anyond.daemon.listening import listening
    from anyond.host.app_paths import AppPaths
    from anyond.model.errors import AnyondError
    from anyond.model.refusals.daemon import AlreadyRunning
    from anyond.model.refusals.requests import Invalid

    try:
        asked = Options.given(AppPaths.of(), given)
    except Invalid as error:
        raise click.UsageError(str(error)) from error
    try:
        # Clients can wait from here on, while everything else is loaded.
        with listening(asked) as listeners:
            _load_structlog()
            from anyond.host.logging import configure

            configure(asked.log_level, as_json=asked.log_format is LogFormat.JSON)
            from anyond.daemon.run import run

            code = run(asked, listeners)
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
