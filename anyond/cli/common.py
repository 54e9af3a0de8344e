"""Things that the commands have in common: exit codes, and the end of a command by a refusal."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable

import click

FAILED = 1
ALREADY_RUNNING = 3
INTERRUPTED = 130


def in_trio(work: Callable[[], Awaitable[None]]) -> None:
    """Run `work`; a refusal is a sentence on standard error, and exit code 1.

    Raises:
        KeyboardInterrupt: by itself, wherever in `work` it came.
    """
    import trio

    from anyond.model.errors import AnyondError
    from anyond.model.refusals.daemon import AlreadyRunning

    try:
        trio.run(work)
    except AlreadyRunning:
        raise
    except BaseExceptionGroup as group:
        if group.split(KeyboardInterrupt)[1] is not None:
            raise
        raise KeyboardInterrupt from None
    except AnyondError as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)
