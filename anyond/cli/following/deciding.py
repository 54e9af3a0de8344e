"""Questions of agents, answered outside of what one follows."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from anyond.api import approvals
from anyond.api import inbox as api_inbox
from anyond.cli.following import questions
from anyond.cli.following.keyboard import read_key, read_line, single_keys
from anyond.cli.frame.failures import CommandFailed
from anyond.cli.frame.session import Session, print_line
from anyond.cli.rendering.attempts import attempt_lines
from anyond.cli.rendering.colors import Painter, Style
from anyond.cli.rendering.harmless import in_one_line
from anyond.client import Refused
from anyond.model.http.bodies import Answer
from anyond.model.http.inbox import InboxItem, InboxKind
from anyond.model.http.rules import ApprovalScope
from anyond.model.rows import Approval, ApprovalStatus

if TYPE_CHECKING:
    from anyond.client import BlockingClient


def pending(client: BlockingClient) -> list[Approval]:
    """All questions that wait for an answer, the oldest first."""
    asked = approvals.ApprovalsWithStatus(status=ApprovalStatus.PENDING)
    found = client.call(approvals.LIST_APPROVALS, asked)
    return sorted(found, key=lambda one: one.created_at)


def inbox(client: BlockingClient) -> list[InboxItem]:
    """All that waits for a person."""
    return client.call(api_inbox.LIST_INBOX, api_inbox.InboxOf())


def find_question(client: BlockingClient, reference: str | None) -> Approval:
    """The question that is meant: by its id, by its attempt, or the only one.

    Raises:
        CommandFailed: there is none, or several.
    """
    from anyond.cli.finding.references import resolve

    found = pending(client)
    if reference is not None:
        named = [one for one in found if len(reference) >= 3 and one.id.startswith(reference)]
        if not named:
            attempt = resolve(client, reference)
            named = [one for one in found if one.task_attempt_id == attempt.id]
        found = named
    if len(found) == 1:
        return found[0]
    if not found:
        raise CommandFailed("No question waits there.", type="not_found")
    listed = "\n".join(f"  {one.id[:8]}  {in_one_line(one.tool_name)}" for one in found)
    raise CommandFailed(f"{len(found)} questions wait:\n{listed}\nName one.", type="ambiguous")


def decided(yes: bool, reason: str | None, scope: ApprovalScope | None = None) -> Answer:
    """A yes with its reach, or a no with its reason."""
    return questions.approved(scope=scope) if yes else questions.denied(reason or None)


def chosen(approval: Approval, picks: Sequence[str]) -> Answer:
    """The answer that picks an option for each of its questions. Raises `UsageError`."""
    found = questions.choices(approval)
    if len(found) != len(picks):
        raise click.UsageError(f"It asks {len(found)} questions; {len(picks)} have a --choice.")
    return questions.approved(
        {
            choice.key: questions.picked(choice, [pick])
            for choice, pick in zip(found, picks, strict=True)
        }
    )


def respond(session: Session, client: BlockingClient, approval: Approval, given: Answer) -> None:
    """Send an answer; the first one wins. Raises `Refused` if another was first."""
    params = approvals.OfApproval(approval_id=approval.id)
    made = client.call(approvals.RESPOND_TO_APPROVAL, params, given)
    if session.as_json:
        session.print_json(made)
    else:
        session.notice(f"{made.status}: {in_one_line(approval.tool_name)}")


def print_inbox(session: Session, items: Sequence[InboxItem], *, questions_too: bool) -> None:
    """Print what waits: a table of attempts, then what is in the way of each.

    Args:
        questions_too: with the text of the questions, where nobody will be asked them.
    """
    paint = Painter(session.colored())
    columns = shutil.get_terminal_size().columns if session.is_terminal else None
    listed = {item.attempt.id: item.attempt for item in items}
    for line in attempt_lines(list(listed.values()), paint, columns) if listed else ():
        print_line(line)
    for item in items:
        number = item.attempt.number
        if item.kind is InboxKind.CONFLICT:
            print_line()
            print_line(paint(f"✕ {number} has stopped at a conflict", Style.ATTENTION))
            print_line(f"  `anyon rebase {number} --abort`, or solve it: `anyon edit {number}`")
        elif item.kind is InboxKind.DRAFT and item.draft is not None:
            print_line()
            print_line(paint(f"… {number} has a message that was not sent", Style.ATTENTION))
            print_line(f"  {in_one_line(item.draft.prompt)}")
        elif item.approval is not None and questions_too:
            print_line()
            print_line(paint(f"? {number} asks ({item.approval.id[:8]})", Style.ATTENTION))
            for line in questions.question_lines(item.approval):
                print_line(f"  {line}")
    if not items:
        session.notice("Nothing waits for you.")


def ask_each(session: Session, client: BlockingClient, found: Sequence[Approval]) -> None:
    """Have the person answer on the terminal, one by one."""
    paint = Painter(session.colored(sys.stderr))
    for approval in found:
        click.echo(paint(f"? {approval.id[:8]}", Style.ATTENTION), err=True, color=True)
        for line in questions.question_lines(approval):
            click.echo(f"  {line}", err=True)
        given = _asked(approval)
        if given is None:
            continue
        try:
            respond(session, client, approval, given)
        except Refused as refused:
            click.echo(str(refused), err=True)


def _asked(approval: Approval) -> Answer | None:
    """The answer; None to go on to the next."""
    found = questions.choices(approval)
    if found:
        answers = {}
        for choice in found:
            text = read_line("Your choice (a number, or words of your own; nothing for later): ")
            if not text:
                return None
            answers[choice.key] = questions.picked(choice, [text])
        return questions.approved(answers)
    while True:
        click.echo(
            "[y]es  yes, for this [t]urn  for this [a]ttempt  for the [p]roject"
            "  [n]o  no, with a [r]eason  [s]kip  [?] all of it",
            err=True,
        )
        with single_keys() as keyboard:
            key = read_key(keyboard)
        match key:
            case "y":
                return questions.approved()
            case "t":
                return questions.approved(scope=ApprovalScope.TURN)
            case "a":
                return questions.approved(scope=ApprovalScope.ATTEMPT)
            case "p":
                return questions.approved(scope=ApprovalScope.PROJECT)
            case "n":
                return questions.denied()
            case "r":
                return questions.denied(read_line("Why not? ") or None)
            case "s" | "":
                return None
            case "?":
                for line in questions.whole_lines(approval):
                    click.echo(f"  {line}", err=True)
