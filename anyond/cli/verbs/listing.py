"""The verbs `ps` and `inbox`: which attempts there are, and which wait for a person."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from anyond.cli.finding.completion import PROJECT
from anyond.cli.frame.commands import Verb
from anyond.cli.frame.session import Session, current, print_line

if TYPE_CHECKING:
    from anyond.client import BlockingClient
    from anyond.model.http.summaries import AttemptSummary

_LISTED = 50
_LOOK_S = 1.0


@click.command(
    cls=Verb,
    short_help="List attempts.",
    examples=[
        ("anyon ps", "what is not done, at work first"),
        ("anyon ps --needs-me", "only what waits for you"),
        ("anyon ps -w", "stay, and follow what happens"),
        ("anyon ps --json | jq '.[].branch'", "for scripts"),
    ],
)
@click.option("-a", "--all", "every", is_flag=True, help="Also of tasks that are done.")
@click.option("-w", "--watch", is_flag=True, help="Follow what happens, until Ctrl+C.")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), help="At most so many.")
@click.option(
    "--project", metavar="NAME", type=PROJECT, help="Only those of this project (or id, or path)."
)
@click.option("--needs-me", is_flag=True, help="Only those that wait for a person.")
@click.option("--ids", is_flag=True, help="Only the ids, one a line.")
def ps(
    *,
    every: bool,
    watch: bool,
    limit: int | None,
    project: str | None,
    needs_me: bool,
    ids: bool,
) -> None:
    """List attempts: number, state, since when, title, agent, branch, and the last message.

    The number is a name for every other command, such as `anyon diff 7`.
    """
    session = current()
    with session.client() as client:
        project_id = None
        if project is not None:
            from anyond.cli.finding.projects import find_project

            project_id = find_project(client, project).id

        def fetch() -> list[AttemptSummary]:
            return _fetched(client, every, needs_me, project_id, limit)

        if watch and session.is_terminal:
            _watch(session, fetch, limit)
            return
        found = fetch()
    if session.as_json:
        session.print_json(found[: limit or len(found)])
    elif ids:
        for one in found[: limit or len(found)]:
            print_line(one.id)
    else:
        _print(session, found, limit)


def _fetched(
    client: BlockingClient, every: bool, needs_me: bool, project_id: str | None, limit: int | None
) -> list[AttemptSummary]:
    from anyond.api import attempts
    from anyond.model.http.summaries import AttemptState

    asked = attempts.SummarizedAttempts(
        project_id=project_id, closed=every, limit=min(10_000, (limit or _LISTED) + 1)
    )
    found = client.call(attempts.LIST_ATTEMPT_SUMMARIES, asked)
    if needs_me:
        waits = {AttemptState.QUESTION, AttemptState.FAILED, AttemptState.FINISHED}
        found = [one for one in found if one.state in waits]
    return found


def _print(session: Session, found: list[AttemptSummary], limit: int | None) -> None:
    for line in _lines(session, found, limit):
        print_line(line)
    if not found:
        session.notice(
            'Nothing is open. `anyon run "…"` in a repository begins; `anyon ps -a` lists what is'
            " done, too."
        )
    elif len(found) > (limit or _LISTED):
        session.notice("There are more: `anyon ps -n 1000`.")


def _lines(session: Session, found: list[AttemptSummary], limit: int | None) -> list[str]:
    from anyond.cli.rendering.attempts import attempt_lines
    from anyond.cli.rendering.colors import Painter

    if not found:
        return []
    columns = shutil.get_terminal_size().columns if session.is_terminal else None
    return attempt_lines(found[: limit or _LISTED], Painter(session.colored()), columns)


def _watch(session: Session, fetch: Callable[[], list[AttemptSummary]], limit: int | None) -> None:
    from anyond.client.errors import Unanswered

    try:
        while True:
            try:
                lines = _lines(session, fetch(), limit)
            except Unanswered as error:
                lines = [str(error)]
            room = shutil.get_terminal_size().lines - 2
            # From the top of the screen; what was there before is wiped line by line.
            text = "".join(f"{line}\x1b[K\n" for line in lines[: max(1, room)])
            sys.stdout.write(f"\x1b[H{text}\x1b[J")
            sys.stdout.flush()
            time.sleep(_LOOK_S)
    except KeyboardInterrupt:
        sys.stdout.write("\n")
