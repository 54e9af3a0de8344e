"""The command `demo`."""

from __future__ import annotations

import sys

import click

from anyond.cli.common import FAILED


@click.command(short_help="Watch a made-up task become a merged change.")
@click.option("--keep", is_flag=True, help="Show it on the board, too, until Ctrl+C is pressed.")
def demo(*, keep: bool) -> None:
    """Watch a made-up task go from an idea to a merged change, without network or keys."""
    from anyond.demo import tour
    from anyond.model.errors import AnyondError

    try:
        code = tour.run(keep=keep)
    except AnyondError as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)
    sys.exit(code)
