"""The verb `review`: comments on lines, written in an editor, sent as one message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from anyond.cli.finding.completion import ATTEMPT
from anyond.cli.frame.commands import Verb
from anyond.cli.frame.session import Session, current, print_line

if TYPE_CHECKING:
    from anyond.client import BlockingClient
    from anyond.model.http.changes import FileChanges
    from anyond.model.http.reviews import Review


@click.command(
    cls=Verb,
    short_help="Comment on changes, and send all comments as one message.",
    examples=[
        ("anyon review 7", "the diff in your editor; lines with > are comments"),
        ("anyon review 7 --since turn --queue", "what is new; sent when the agent is free"),
        ("anyon review 7 --keep", "not sent yet: more can come"),
        ("anyon review 7 --list", "what was said, and whether the lines have changed since"),
    ],
)
@click.argument("reference", metavar="[ATTEMPT]", type=ATTEMPT, required=False)
@click.option("--since", metavar="turn|seen|COMMIT", help="Only what has changed since then.")
@click.option("--queue", is_flag=True, help="Send it when nothing runs any more.")
@click.option("--steer", is_flag=True, help="Say it into the turn that runs.")
@click.option("--keep", is_flag=True, help="Only collect the comments; nothing is sent.")
@click.option("--list", "lists", is_flag=True, help="Only list the comments.")
def review(
    *,
    reference: str | None,
    since: str | None,
    queue: bool,
    steer: bool,
    keep: bool,
    lists: bool,
) -> None:
    """Open the diff of an attempt in your editor (VISUAL, EDITOR) and send the comments in it.

    Comments that were collected before, here or in another client, go along.
    """
    from anyond.api import reviews
    from anyond.api.declaration.params import OfAttempt
    from anyond.cli.finding.references import resolve
    from anyond.model.http.reviews import Submission, SubmittedAs

    session = current()
    if sum((queue, steer, keep, lists)) > 1:
        raise click.UsageError("One of --queue, --steer, --keep and --list.")
    with session.client() as client:
        attempt = resolve(client, reference)
        params = OfAttempt(task_attempt_id=attempt.id)
        if lists:
            _list(session, client.call(reviews.LIST_REVIEWS, params))
            return
        collected = _collect(client, attempt.id, since or "base")
        if collected is None:
            session.notice("Nothing was written, and nothing is sent.")
            return
        if keep:
            made = collected
        else:
            how = SubmittedAs.MESSAGE
            how = SubmittedAs.QUEUE if queue else SubmittedAs.STEER if steer else how
            made = client.call(reviews.SUBMIT_REVIEW, params, Submission(submit_as=how))
    if session.as_json:
        session.print_json(made)
        return
    count = len(made.comments)
    comments = f"{count} comment{'' if count == 1 else 's'}"
    if keep:
        session.notice(f"{comments}, not sent yet: `anyon review {attempt.number}`.")
    else:
        session.notice(f"Sent {comments}. To follow: `anyon attach {attempt.number}`.")


def _collect(client: BlockingClient, attempt_id: str, against: str) -> Review | None:
    """Have comments written; returns the open review, or None if it has none."""
    from anyond.api import reviews
    from anyond.api.declaration.params import OfAttempt
    from anyond.cli.following.review_buffer import buffer_of, comments

    params = OfAttempt(task_attempt_id=attempt_id)
    found = client.call(reviews.LIST_REVIEWS, params)
    opened = next((one for one in found if one.submitted_at is None and one.comments), None)
    buffer = buffer_of(_changes(client, attempt_id, against))
    edited = click.edit(buffer.text, extension=".diff", require_save=True)
    if edited is None:
        return opened
    for new in comments(buffer, edited):
        opened = client.call(reviews.ADD_COMMENT, params, new)
    return opened


def _changes(client: BlockingClient, attempt_id: str, against: str) -> list[FileChanges]:
    from anyond.api import changes

    asked = changes.ComparedAttempt(task_attempt_id=attempt_id, against=against)
    return [
        client.call(
            changes.GET_FILE_CHANGES,
            changes.ComparedFile(
                task_attempt_id=attempt_id, against=against, path=one.path, old_path=one.old_path
            ),
        )
        for one in client.call(changes.LIST_CHANGES, asked).files
    ]


def _list(session: Session, found: list[Review]) -> None:
    from anyond.cli.rendering.harmless import in_one_line

    if session.as_json:
        session.print_json(found)
        return
    for one in found:
        for comment in one.comments:
            place = in_one_line(comment.path) or "-"
            if comment.start_line is not None:
                place += f":{comment.start_line}"
            print_line(f"{comment.state:<9}  {place}  {in_one_line(comment.body)}")
    if not any(one.comments for one in found):
        session.notice("Nothing was said yet.")
