"""The verbs `attach`, `logs`, `send`, `answer` and `inbox`: talking with agents."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anyond.cli.finding.completion import ATTEMPT
from anyond.cli.frame.commands import Verb
from anyond.cli.frame.exit_codes import ExitCode
from anyond.cli.frame.failures import CommandFailed
from anyond.cli.frame.session import Session, current, print_line

if TYPE_CHECKING:
    from anyond.cli.following.screen import Screen

_LAST = 40


def screen_of(session: Session) -> Screen:
    """The screen of a call: with JSON as the answer, what happens is printed on stderr."""
    from anyond.cli.following.screen import Screen
    from anyond.cli.rendering.colors import Painter

    if session.as_json:
        return Screen(sys.stderr, Painter(session.colored(sys.stderr)), live=False)
    return Screen(sys.stdout, Painter(session.colored()), live=session.is_terminal)


@click.command(
    cls=Verb,
    short_help="Follow a conversation, type to send, answer questions.",
    examples=[
        ("anyon attach 7", "Ctrl+C leaves it running"),
        ("anyon attach -", "the one of last time"),
        ("anyon attach 7 --last 200", "begin further back"),
    ],
)
@click.argument("reference", metavar="[ATTEMPT]", type=ATTEMPT, required=False)
@click.option("--read-only", is_flag=True, help="Send nothing, and answer nothing.")
@click.option(
    "--last",
    type=click.IntRange(1, 100_000),
    default=_LAST,
    show_default=True,
    help="Begin with so many entries.",
)
def attach(*, reference: str | None, read_only: bool, last: int) -> None:
    """Show a conversation from its last entries on, and stay with it.

    Each line that is typed is sent to the agent: into its turn where it can be told something
    while it works, else as soon as nothing runs. Ctrl+C leaves it running.
    """
    from anyond.cli.finding.references import resolve
    from anyond.cli.finding.seen import mark_seen
    from anyond.cli.following.follower import Follower, Options

    session = current()
    talks = session.can_ask and not read_only
    options = Options(can_ask=talks, tail=last, stays=session.is_terminal, types=talks)
    with session.client() as client:
        attempt = resolve(client, reference)
        try:
            Follower(client, attempt, screen_of(session), options, verbose=session.verbose).run()
        except KeyboardInterrupt:
            session.notice(f"Back: `anyon attach {attempt.number}`.")
        mark_seen(session, client, attempt.id)


@click.command(
    cls=Verb,
    short_help="Send a message to the agent.",
    examples=[
        ('anyon send 7 "Mention oolong."', "it starts again with that"),
        ('anyon send 7 --steer "…"', "into the turn that runs"),
        ('anyon send 7 --queue "…"', "when the turn is over"),
        ("git log -3 | anyon send 7 --file -", "from a pipe"),
    ],
)
@click.argument("reference", metavar="ATTEMPT", type=ATTEMPT)
@click.argument("text", required=False)
@click.option("--queue", is_flag=True, help="Send it when nothing runs any more.")
@click.option("--steer", is_flag=True, help="Say it into the turn that runs.")
@click.option(
    "-i",
    "--image",
    "images",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A picture to show. Repeatable.",
)
@click.option(
    "-f",
    "--file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="Read the message from a file, or `-`.",
)
def send(
    *,
    reference: str,
    text: str | None,
    queue: bool,
    steer: bool,
    images: tuple[Path, ...],
    file: str | None,
) -> None:
    """Send a message to the agent of an attempt: its next turn."""
    from anyond.api import attempts, drafts
    from anyond.api.declaration.params import OfAttempt
    from anyond.cli.finding.references import resolve
    from anyond.cli.verbs.run import read_text, upload
    from anyond.model.drafts import DraftPatch, QueueWish
    from anyond.model.http.bodies import FollowUp

    session = current()
    message = read_text(text, file)
    if not message.strip():
        raise click.UsageError('What is to be sent? anyon send 7 "Mention oolong."')
    with session.client() as client:
        attempt = resolve(client, reference)
        pictures = [upload(client, path) for path in images]
        if queue:
            params = drafts.OfDraft(task_attempt_id=attempt.id)
            client.call(drafts.SAVE_DRAFT, params, DraftPatch(prompt=message, image_ids=pictures))
            queued = client.call(drafts.QUEUE_DRAFT_FOR_AUTO_SEND, params, QueueWish())
            answer: object = queued
            sentence = "Queued; it is sent when nothing runs any more."
        else:
            body = FollowUp(prompt=message, image_ids=pictures or None, steer=steer or None)
            of = OfAttempt(task_attempt_id=attempt.id)
            answer = client.call(attempts.SEND_FOLLOW_UP, of, body)
            sentence = f"Sent. To follow: `anyon attach {attempt.number}`."
    if session.as_json:
        session.print_json(answer)
    else:
        session.notice(sentence)


@click.command(
    cls=Verb,
    short_help="Answer a question of an agent.",
    examples=[
        ("anyon answer", "the only one that waits, on the terminal"),
        ("anyon answer 7 --yes", "by the number of the attempt"),
        ("anyon answer 7 --attempt", "yes, and this command again in this attempt"),
        ('anyon answer 4f1c --no "Use uv."', "by the beginning of its id"),
        ("anyon answer 7 --choice 2", "of a question with options"),
    ],
)
@click.argument("reference", metavar="[QUESTION]", required=False)
@click.option("-y", "--yes", is_flag=True, help="Allow it.")
@click.option("--turn", is_flag=True, help="Allow it, and the same until this run is over.")
@click.option("--attempt", is_flag=True, help="Allow it, and the same in this attempt.")
@click.option("--project", is_flag=True, help="Allow it, and the same in this project.")
@click.option(
    "-n",
    "--no",
    "--deny",
    "reason",
    metavar="REASON",
    is_flag=False,
    flag_value="",
    help="Deny it; the reason may be left out.",
)
@click.option(
    "--choice",
    "picks",
    multiple=True,
    help="The number of an option, or words of one's own; one for each question.",
)
def answer(
    *,
    reference: str | None,
    yes: bool,
    turn: bool,
    attempt: bool,
    project: bool,
    reason: str | None,
    picks: tuple[str, ...],
) -> None:
    """Answer a question: by its id, the number of its attempt, or the only one there is.

    The same is the very same command, or any use of another tool. Without any of these options it
    is asked on the terminal.
    """
    from anyond.cli.following import deciding
    from anyond.model.http.rules import ApprovalScope

    session = current()
    reaches = {
        ApprovalScope.TURN: turn,
        ApprovalScope.ATTEMPT: attempt,
        ApprovalScope.PROJECT: project,
    }
    scope = next((reach for reach, given in reaches.items() if given), None)
    if sum((yes, *reaches.values(), reason is not None, bool(picks))) > 1:
        raise click.UsageError("One of --yes, --turn, --attempt, --project, --no and --choice.")
    with session.client() as client:
        approval = deciding.find_question(client, reference)
        if picks:
            given = deciding.chosen(approval, picks)
        elif yes or scope is not None or reason is not None:
            given = deciding.decided(yes or scope is not None, reason, scope)
        elif session.can_ask:
            deciding.ask_each(session, client, [approval])
            return
        else:
            raise CommandFailed(
                "Nobody is here to be asked. Add --yes or --no.",
                ExitCode.NEEDS_PERSON,
                "needs_person",
            )
        deciding.respond(session, client, approval, given)


@click.command(
    cls=Verb,
    short_help="List what waits for a person.",
    examples=[
        ("anyon inbox", "on a terminal: questions are answered one by one"),
        ("anyon inbox --count", "for a prompt or a status bar"),
    ],
)
@click.option("--count", is_flag=True, help="Only how many questions wait.")
@click.option("--list", "only_list", is_flag=True, help="Only list, ask nothing.")
def inbox(*, count: bool, only_list: bool) -> None:
    """List what waits for a person: questions, failures, conflicts, results, begun messages.

    What has finished is there until it was seen: by `anyon attach`, `logs` or `diff`, or in
    another client.
    """
    from anyond.cli.following import deciding

    session = current()
    with session.client() as client:
        if count:
            pending = deciding.pending(client)
            if session.as_json:
                session.print_json({"questions": len(pending)})
            else:
                print_line(str(len(pending)))
            return
        items = deciding.inbox(client)
        if session.as_json:
            session.print_json(items)
            return
        asks = session.can_ask and session.is_terminal and not only_list
        deciding.print_inbox(session, items, questions_too=not asks)
        if asks:
            found = [item.approval for item in items if item.approval is not None]
            deciding.ask_each(session, client, found)
