"""The verb `logs`: what an agent said."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from anyond.cli.finding.completion import ATTEMPT
from anyond.cli.frame.commands import Verb
from anyond.cli.frame.session import Session, current, print_line

if TYPE_CHECKING:
    from anyond.client import BlockingClient
    from anyond.model.http.frames import IndexedEntry
    from anyond.model.http.summaries import AttemptSummary
    from anyond.model.rows import ExecutionProcess

_QUIET_S = 1.0


@click.command(
    cls=Verb,
    short_help="Print a conversation, or raw output.",
    examples=[
        ("anyon logs 7", "the whole conversation"),
        ("anyon logs 7 -f -n 20", "the last 20 entries, and what comes"),
        ("anyon logs 7 --raw", "what the programs wrote, as they did"),
        ("anyon logs 7 --kind tool_use --json", "for scripts: an entry a line"),
    ],
)
@click.argument("reference", metavar="[ATTEMPT]", type=ATTEMPT, required=False)
@click.option("-f", "--follow", is_flag=True, help="Stay until nothing runs any more.")
@click.option("-n", "--last", type=click.IntRange(1, 100_000), help="Only so many at the end.")
@click.option("--raw", is_flag=True, help="The output of the programs, not the conversation.")
@click.option("--kind", "kinds", multiple=True, help="Only entries of this type. Repeatable.")
@click.option("--timestamps", is_flag=True, help="The time before each entry.")
def logs(
    *,
    reference: str | None,
    follow: bool,
    last: int | None,
    raw: bool,
    kinds: tuple[str, ...],
    timestamps: bool,
) -> None:
    """Print what is there of a conversation; of a run at work, until it is quiet for a second."""
    from anyond.cli.finding.references import resolve
    from anyond.cli.finding.seen import looked_at

    session = current()
    with session.client() as client:
        attempt = resolve(client, reference)
        with looked_at(session, client, attempt.id):
            rows = _processes(client, attempt)
            if raw:
                _print_raw(session, client, rows, last, follow)
            elif session.as_json or kinds or timestamps:
                _print_entries(
                    session,
                    client,
                    rows,
                    last=last,
                    follow=follow,
                    look=(kinds, timestamps),
                )
            else:
                _print_conversation(session, client, attempt, rows, last=last, follow=follow)


def _processes(client: BlockingClient, attempt: AttemptSummary) -> list[ExecutionProcess]:
    """All executions but dev servers, the oldest first."""
    from anyond.api import processes
    from anyond.model.rows import RunReason

    asked = processes.ProcessesOfAttempt(task_attempt_id=attempt.id)
    rows = client.call(processes.LIST_EXECUTION_PROCESSES, asked)
    return [row for row in reversed(rows) if row.run_reason is not RunReason.DEV_SERVER]


def entries_of(
    client: BlockingClient, row: ExecutionProcess, tail: int | None, *, follow: bool
) -> Iterator[IndexedEntry]:
    """Each new state of each entry, until the end, or until it is quiet for a second."""
    from anyond.cli.following.feed import EntriesOver, EntryCame, Feed, StreamBroke
    from anyond.model.rows import ProcessStatus

    feed = Feed(client)
    feed.follow_entries(row.id, tail)
    while True:
        happening = feed.take(_QUIET_S)
        match happening:
            case EntryCame(_, frame):
                yield frame
            case EntriesOver():
                return
            case StreamBroke(error):
                raise error
            case None if not follow and row.status is ProcessStatus.RUNNING:
                return


def _latest(
    client: BlockingClient, rows: list[ExecutionProcess], last: int | None
) -> list[tuple[ExecutionProcess, list[IndexedEntry]]]:
    """The entries that are there, by process; of the last `last` of them, if that is given."""
    found: list[tuple[ExecutionProcess, list[IndexedEntry]]] = []
    left = last
    for row in reversed(rows):
        if left is not None and left <= 0:
            break
        states = {frame.index: frame for frame in entries_of(client, row, left, follow=False)}
        entries = [states[index] for index in sorted(states)]
        if left is not None:
            entries = entries[-left:]
            left -= len(entries)
        found.insert(0, (row, entries))
    return found


def _print_conversation(
    session: Session,
    client: BlockingClient,
    attempt: AttemptSummary,
    rows: list[ExecutionProcess],
    *,
    last: int | None,
    follow: bool,
) -> None:
    from anyond.cli.following.follower import Follower, Options
    from anyond.cli.following.screen import Screen
    from anyond.cli.following.transcript import Transcript
    from anyond.cli.rendering.colors import Painter
    from anyond.cli.rendering.pager import paged
    from anyond.cli.verbs.conversation import screen_of

    if follow:
        options = Options(can_ask=False, tail=last, asks=False)
        Follower(client, attempt, screen_of(session), options, verbose=session.verbose).run()
        return
    with paged(session.is_terminal) as out:
        screen = Screen(out, Painter(session.colored()), live=False)
        transcript = Transcript(screen, verbose=session.verbose)
        for _, entries in _latest(client, rows, last):
            transcript.begin()
            for entry in entries:
                transcript.put(entry)
        transcript.flush()


def _print_entries(
    session: Session,
    client: BlockingClient,
    rows: list[ExecutionProcess],
    *,
    last: int | None,
    follow: bool,
    look: tuple[tuple[str, ...], bool],
) -> None:
    import msgspec

    from anyond.cli.rendering.harmless import harmless

    kinds, timestamps = look

    def put(row: ExecutionProcess, entry: IndexedEntry) -> None:
        kind = str(entry.entry_type.__struct_config__.tag)
        if kinds and kind not in kinds:
            return
        if session.as_json:
            session.print_json_line({"execution_process_id": row.id, **msgspec.to_builtins(entry)})
            return
        at = f"{entry.timestamp}  " if timestamps else ""
        print_line(f"{at}{kind}: {harmless(entry.content)}")

    if follow and rows:
        for row in rows[:-1] if last is None else []:
            for entry in entries_of(client, row, None, follow=True):
                put(row, entry)
        for entry in entries_of(client, rows[-1], last, follow=True):
            put(rows[-1], entry)
        return
    for row, entries in _latest(client, rows, last):
        for entry in entries:
            put(row, entry)


def _print_raw(
    session: Session,
    client: BlockingClient,
    rows: list[ExecutionProcess],
    last: int | None,
    follow: bool,
) -> None:
    from anyond.cli.following.feed import Feed, OutputCame, OutputOver, StreamBroke
    from anyond.cli.rendering.harmless import harmless
    from anyond.model.rows import ProcessStatus

    for row in rows if last is None else rows[-1:]:
        feed = Feed(client)
        feed.follow_output(row.id, last)
        over = False
        while not over:
            match feed.take(_QUIET_S):
                case OutputCame(_, chunk):
                    if session.as_json:
                        session.print_json_line(chunk)
                    else:
                        # A program that reads it gets it as it is.
                        text = harmless(chunk.content) if sys.stdout.isatty() else chunk.content
                        click.echo(text, nl=False, color=True, err=chunk.type == "stderr")
                case OutputOver():
                    over = True
                case StreamBroke(error):
                    raise error
                case None:
                    over = not follow and row.status is ProcessStatus.RUNNING
