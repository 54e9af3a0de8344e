"""Asking before something that cannot be undone by a command."""

from __future__ import annotations

import sys

import click

from anyond.cli.frame.exit_codes import ExitCode
from anyond.cli.frame.failures import CommandFailed
from anyond.cli.frame.session import Session


def agreed(session: Session, question: str, *, yes: bool) -> None:
    """Return if the person agrees, or has with `--yes`.

    Raises:
        CommandFailed: nobody does.
    """
    if yes:
        return
    if not session.can_ask:
        raise CommandFailed(
            "Nobody is here to be asked. Add --yes.", ExitCode.NEEDS_PERSON, "needs_person"
        )
    from anyond.cli.rendering.harmless import in_one_line

    click.echo(f"{in_one_line(question)} [y/N] ", nl=False, err=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CommandFailed("Nothing was done.", type="not_agreed")
