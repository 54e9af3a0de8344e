"""The verb `archive`: what is put away, and taken back."""

from __future__ import annotations

import click

from anyond.cli.finding.completion import ATTEMPT
from anyond.cli.frame.commands import Verb
from anyond.cli.frame.failures import CommandFailed
from anyond.cli.frame.session import current


@click.command(
    cls=Verb,
    short_help="Put tasks away.",
    examples=[
        ("anyon archive 7 8", "gone from `anyon ps`, and from the board"),
        ("anyon archive 7 --undo", "there again"),
        ("anyon archive 8 --attempt", "this attempt only, not its task"),
    ],
)
@click.argument("references", metavar="[ATTEMPT]...", type=ATTEMPT, nargs=-1)
@click.option("--undo", is_flag=True, help="Take them back.")
@click.option("--attempt", "alone", is_flag=True, help="Only the attempts, not their tasks.")
def archive(*, references: tuple[str, ...], undo: bool, alone: bool) -> None:
    """Put the tasks of attempts away. Nothing of them is removed, and nothing is stopped."""
    from anyond.api import board
    from anyond.api.declaration.params import Nothing, OfAttempt
    from anyond.cli.finding.references import resolve
    from anyond.model.http.board import Archiving, Bulk, PlacingMany

    session = current()
    with session.client() as client:
        found = [resolve(client, one) for one in references or (None,)]
        answer: list[object] = []
        if alone:
            for one in found:
                params = OfAttempt(task_attempt_id=one.id)
                body = Archiving(archived=not undo)
                answer.append(client.call(board.ARCHIVE_ATTEMPT, params, body))
        else:
            task_ids = list(dict.fromkeys(one.task_id for one in found))
            bulk = Bulk(task_ids=task_ids, place=PlacingMany(archived=not undo))
            outcomes = client.call(board.CHANGE_MANY_TASKS, Nothing(), bulk)
            refused = [one.refusal.message for one in outcomes if one.refusal is not None]
            if refused:
                raise CommandFailed("\n".join(refused))
            answer.extend(outcomes)
    if session.as_json:
        session.print_json(answer)
        return
    numbers = " ".join(str(one.number) for one in found)
    if undo:
        session.notice(f"There again: {numbers}.")
    else:
        session.notice(f"Put away: {numbers}. Back: `anyon archive {numbers} --undo`.")
