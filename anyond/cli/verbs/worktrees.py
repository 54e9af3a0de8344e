"""The verbs `cd`, `exec`, `edit` and `open`: getting to the work of an attempt."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from anyond.cli.finding.completion import ATTEMPT
from anyond.cli.frame.commands import Verb
from anyond.cli.frame.exit_codes import ExitCode
from anyond.cli.frame.failures import CommandFailed
from anyond.cli.frame.session import current, print_line

if TYPE_CHECKING:
    from anyond.model.http.summaries import AttemptSummary


def worktree_of(attempt: AttemptSummary) -> str:
    """The path of its worktree.

    Raises:
        CommandFailed: it is not there, or on another machine.
    """
    path = attempt.container_ref
    if path is None or attempt.worktree_deleted or not os.path.isdir(path):
        raise CommandFailed(
            f"The worktree of {attempt.number} is not here. Its next run makes it anew.",
            ExitCode.FAILED,
            "no_worktree",
        )
    return path


@click.command(
    "cd",
    cls=Verb,
    short_help="Print the path of a worktree.",
    examples=[('cd "$(anyon cd 7)"', "go there")],
)
@click.argument("reference", metavar="[ATTEMPT]", type=ATTEMPT, required=False)
def print_path(*, reference: str | None) -> None:
    """Print the path of the worktree of an attempt; a program cannot change your directory."""
    from anyond.cli.finding.references import resolve

    session = current()
    with session.client() as client:
        path = worktree_of(resolve(client, reference))
    if session.as_json:
        session.print_json({"path": path})
    else:
        print_line(path)


@click.command(
    "exec",
    cls=Verb,
    short_help="Run a command in a worktree.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    examples=[("anyon exec 7 -- make test", "its exit code is that of the command")],
)
@click.argument("reference", metavar="ATTEMPT", type=ATTEMPT)
@click.argument("command", metavar="-- COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(*, reference: str, command: tuple[str, ...]) -> None:
    """Run a command of yours in the worktree of an attempt."""
    from anyond.cli.finding.references import resolve

    session = current()
    own = command[1:] if command[0] == "--" else command
    if not own:
        raise click.UsageError("Which command? anyon exec 7 -- make test")
    with session.client() as client:
        path = worktree_of(resolve(client, reference))
    try:
        code = subprocess.run(own, cwd=path, check=False).returncode
    except OSError as error:
        raise CommandFailed(f"{own[0]}: {error.strerror}.", type="tool_missing") from error
    sys.exit(code if code >= 0 else 128 - code)


@click.command(
    "edit",
    cls=Verb,
    short_help="Open a worktree in the editor of the settings.",
    examples=[("anyon edit 7", "the worktree"), ("anyon edit 7 src/tea.py", "a file in it")],
)
@click.argument("reference", metavar="[ATTEMPT]", type=ATTEMPT, required=False)
@click.argument("path", required=False)
def edit(*, reference: str | None, path: str | None) -> None:
    """Open the worktree of an attempt, or a file in it, in the editor of the settings."""
    from anyond.api import attempts
    from anyond.api.declaration.params import OfAttempt
    from anyond.cli.finding.references import resolve
    from anyond.model.http.bodies import OpenEditor

    session = current()
    with session.client() as client:
        attempt = resolve(client, reference)
        params = OfAttempt(task_attempt_id=attempt.id)
        opened = client.call(attempts.OPEN_IN_EDITOR, params, OpenEditor(file_path=path))
    if session.as_json:
        session.print_json(opened)
    elif opened.url is not None:
        print_line(opened.url)
    else:
        session.notice("The editor was started.")


@click.command(
    "open",
    cls=Verb,
    short_help="Print the address of the daemon.",
    examples=[("anyon open", "its address"), ("anyon open --browser", "in the browser")],
)
@click.option("--browser", is_flag=True, help="Open it in the browser as well.")
def open_address(*, browser: bool) -> None:
    """Print an address of the daemon for a browser. Where a token is wanted, or by the Unix socket,
    it is a link that lets in one browser once.
    """
    from anyond.api import access, health
    from anyond.api.declaration.params import Nothing
    from anyond.model.http.tokens import NewLink
    from anyond.model.refusals.access import NoLink
    from anyond.model.refusals.requests import Impossible

    session = current()
    with session.client() as client:
        client.call(health.CHECK_HEALTH)
        address = client.address
        url = address.url if address.socket is None else f"unix:{address.socket}"
        # Without a token, whoever reaches the port is let in, a browser as well.
        with suppress(NoLink, Impossible):
            url = client.call(access.CREATE_LINK, Nothing(), NewLink()).url
    if session.as_json:
        session.print_json({"url": url})
    else:
        print_line(url)
    if browser:
        if url.startswith("unix:"):
            raise CommandFailed("A browser reaches no Unix socket.", type="impossible")
        import webbrowser

        webbrowser.open(url)
