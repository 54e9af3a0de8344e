"""The verbs `search` and `usage`: what was said once, and what it has cost."""

from __future__ import annotations

import re
import shutil
import time
from typing import TYPE_CHECKING

import click

from anyond.cli.finding.completion import PROJECT
from anyond.cli.frame.commands import Verb
from anyond.cli.frame.failures import CommandFailed
from anyond.cli.frame.session import current, print_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anyond.cli.rendering.colors import Painter
    from anyond.model.http.found import SearchHit

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Day(click.ParamType[str]):
    """A day, or how long ago it is."""

    name = "day"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """A moment as the API takes it."""
        from anyond.cli.rendering.times import parsed
        from anyond.model.ids import timestamp

        text = str(value)
        if _DAY.fullmatch(text):
            return text
        try:
            return timestamp(time.time() - parsed(text))
        except (ValueError, OverflowError):
            self.fail(f"{text!r} is no day such as 2025-01-31, nor a time such as 7d.", param, ctx)


@click.command(
    cls=Verb,
    short_help="Search tasks and conversations.",
    examples=[
        ("anyon search tea timer", "both words, in titles, messages, commands or paths"),
        ('anyon search "tea timer"', "one beside the other"),
        ("anyon search migration --agent codex --before 7d", "said more than a week ago"),
        ("anyon search oolong --open", "the conversation of the newest hit"),
    ],
)
@click.argument("words", nargs=-1, required=True)
@click.option("--project", metavar="NAME", type=PROJECT, help="Only in this project.")
@click.option("--agent", metavar="NAME", help="Only what this agent was at.")
@click.option("--before", type=Day(), help="Only before this day, or so long ago: 7d.")
@click.option("-n", "--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--open", "opens", is_flag=True, help="Print the conversation of the newest hit.")
def search(
    *,
    words: tuple[str, ...],
    project: str | None,
    agent: str | None,
    before: str | None,
    limit: int,
    opens: bool,
) -> None:
    """Search titles, descriptions, messages, commands and paths; the newest first.

    Each word may be the beginning of one. What a run has said is found when the run is over.
    """
    from anyond.api.search import SEARCH, Searched
    from anyond.cli.rendering.colors import Painter

    session = current()
    # An argument of several words was in quotes: these stand beside each other.
    parts = [f'"{_bare(word)}"' if re.search(r"\s", word) else word for word in words]
    for name, value in (("project", project), ("agent", agent), ("before", before)):
        if value is not None:
            parts.append(f'{name}:"{_bare(value)}"')
    hits: list[SearchHit] = []
    cursor = ""
    with session.client() as client:
        while len(hits) < (1 if opens else limit):
            asked = Searched(q=" ".join(parts), limit=min(100, limit - len(hits)), cursor=cursor)
            page = client.call(SEARCH, asked)
            hits.extend(page.hits)
            if page.cursor is None:
                break
            cursor = page.cursor
    if opens:
        _open(hits)
    elif session.as_json:
        session.print_json(hits)
    else:
        columns = shutil.get_terminal_size().columns if session.is_terminal else None
        for line in _lines(hits, Painter(session.colored()), columns):
            print_line(line)
        if not hits:
            session.notice("Nothing was found.")


def _bare(text: str) -> str:
    return text.replace('"', " ")


def _open(hits: list[SearchHit]) -> None:
    from anyond.cli.verbs.reading import logs

    number = next((hit.number for hit in hits if hit.number is not None), None)
    if number is None:
        raise CommandFailed("No conversation was found.", type="not_found")
    click.get_current_context().invoke(
        logs,
        reference=str(number),
        follow=False,
        last=None,
        raw=False,
        kinds=(),
        timestamps=False,
    )


def _lines(hits: list[SearchHit], paint: Painter, columns: int | None) -> Iterator[str]:
    from anyond.cli.rendering.colors import Style
    from anyond.cli.rendering.harmless import in_one_line
    from anyond.cli.rendering.tables import cut
    from anyond.cli.rendering.times import age

    for hit in hits:
        number = "-" if hit.number is None else str(hit.number)
        head = f"{age(hit.at)}  {hit.kind}  {in_one_line(hit.title)}"
        room = None if columns is None else columns - len(number) - 2
        yield f"{paint(number, Style.BOLD)}  {head if room is None else cut(head, room)}"
        text = in_one_line(hit.excerpt)
        if columns is not None and len(text) > columns - 4:
            yield f"    {cut(text, columns - 4)}"
            continue
        yield "    " + _marked(hit, paint)


def _marked(hit: SearchHit, paint: Painter) -> str:
    from anyond.cli.rendering.colors import Style
    from anyond.cli.rendering.harmless import part_of_line

    parts, end = [], 0
    for start, after in hit.ranges:
        parts.append(part_of_line(hit.excerpt[end:start]))
        parts.append(paint(part_of_line(hit.excerpt[start:after]), Style.ATTENTION))
        end = after
    return "".join([*parts, part_of_line(hit.excerpt[end:])]).strip()


@click.command(
    cls=Verb,
    short_help="Show what agents have used.",
    examples=[
        ("anyon usage", "by day"),
        ("anyon usage --by agent --since 30d", "of the last thirty days"),
        ("anyon usage --by task --json", "for scripts"),
    ],
)
@click.option(
    "--by",
    type=click.Choice(["task", "project", "agent", "day"]),
    default="day",
    show_default=True,
    help="What it is added up for.",
)
@click.option("--since", type=Day(), help="Only since this day, or so long ago: 30d.")
@click.option("--project", metavar="NAME", type=PROJECT, help="Only in this project.")
def usage(*, by: str, since: str | None, project: str | None) -> None:
    """Show tokens, money and time of runs that are over, as the agents told them.

    What an agent does not tell is `?`, and never 0: a sum with a `+` has more in it than is known.
    """
    from anyond.api.usage import GET_USAGE, UsageOf
    from anyond.cli.finding.projects import find_project
    from anyond.cli.rendering.colors import Painter
    from anyond.cli.rendering.usage import usage_lines
    from anyond.model.http.usage import UsageBy

    session = current()
    with session.client() as client:
        project_id = None if project is None else find_project(client, project).id
        found = client.call(GET_USAGE, UsageOf(by=UsageBy(by), since=since, project_id=project_id))
    if session.as_json:
        session.print_json(found)
        return
    columns = shutil.get_terminal_size().columns if session.is_terminal else None
    for line in usage_lines(found, by, Painter(session.colored()), columns):
        print_line(line)
    if not found:
        session.notice("Nothing was used.")
