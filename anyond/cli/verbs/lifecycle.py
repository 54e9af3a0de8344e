"""The verbs `new`, `stop`, `retry`, `rm` and `wait`: the life of tasks and attempts."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from anyond.cli.finding.completion import ATTEMPT, PROJECT
from anyond.cli.frame.commands import Verb
from anyond.cli.frame.exit_codes import ExitCode
from anyond.cli.frame.failures import CommandFailed
from anyond.cli.frame.session import current, print_line
from anyond.cli.verbs.run import Seconds, read_text, upload

_LOOKS_S = (0.1, 1.0)


@click.command(
    cls=Verb,
    short_help="Write down a task, without starting an agent.",
    examples=[
        ('anyon new "Describe the tea timer" -d "In the README."', "for later"),
        ("anyon new --from task.md", "the first line is its title"),
        ('anyon new "…" --parent 7', "it grew from attempt 7"),
    ],
)
@click.argument("title", required=False)
@click.option("-d", "--description", help="More than the title says.")
@click.option(
    "--from",
    "file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="Read title and description from a file, or `-`.",
)
@click.option(
    "--project", metavar="NAME", type=PROJECT, help="Else that of the repository one is in."
)
@click.option("--parent", metavar="ATTEMPT", type=ATTEMPT, help="The attempt that it grew from.")
@click.option(
    "-i",
    "--image",
    "images",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A picture that belongs to it. Repeatable.",
)
@click.option("-y", "--yes", is_flag=True, help="Make the repository a project without asking.")
def new(
    *,
    title: str | None,
    description: str | None,
    file: str | None,
    project: str | None,
    parent: str | None,
    images: tuple[Path, ...],
    yes: bool,
) -> None:
    """Write down a task; prints its id."""
    from anyond.api import tasks
    from anyond.api.declaration.params import Nothing
    from anyond.cli.finding.projects import find_project
    from anyond.cli.finding.references import resolve
    from anyond.cli.finding.repository import project_here, repository_here
    from anyond.cli.verbs.run import titled
    from anyond.model.http.bodies import NewTask

    session = current()
    if file is not None:
        if title is not None or description is not None:
            raise click.UsageError("A title, or --from, not both.")
        text = read_text(None, file)
        if not text.strip():
            raise click.UsageError("There is nothing in it.")
        title, description = titled(text, None)
    if not (title or "").strip():
        raise click.UsageError('What is the task? anyon new "Describe the tea timer"')
    with session.client() as client:
        owner = (
            find_project(client, project)
            if project is not None
            else project_here(session, client, repository_here(), yes=yes)
        )
        body = NewTask(
            project_id=owner.id,
            title=title or "",
            description=description,
            parent_task_attempt=None if parent is None else resolve(client, parent).id,
            image_ids=[upload(client, path) for path in images] or None,
        )
        task = client.call(tasks.CREATE_TASK, Nothing(), body)
    if session.as_json:
        session.print_json(task)
    else:
        print_line(task.id)


@click.command(
    cls=Verb,
    short_help="Stop all that runs in attempts.",
    examples=[("anyon stop 7", "its agent, scripts and dev servers"), ("anyon stop --all", "")],
)
@click.argument("references", metavar="[ATTEMPT]...", type=ATTEMPT, nargs=-1)
@click.option("--all", "every", is_flag=True, help="All that is at work.")
def stop(*, references: tuple[str, ...], every: bool) -> None:
    """Stop all that runs in attempts; returns when nothing of it is left. Nothing is lost."""
    from anyond.api import attempts
    from anyond.api.declaration.params import OfAttempt
    from anyond.cli.finding.references import resolve
    from anyond.model.http.summaries import AttemptState

    session = current()
    if every and references:
        raise click.UsageError("--all, or attempts, not both.")
    with session.client() as client:
        if every:
            at_work = {AttemptState.RUNNING, AttemptState.QUESTION}
            listed = client.call(
                attempts.LIST_ATTEMPT_SUMMARIES, attempts.SummarizedAttempts(limit=10_000)
            )
            found = [one for one in listed if one.state in at_work]
        else:
            found = [resolve(client, one) for one in references or (None,)]
        for one in found:
            client.call(attempts.STOP_EXECUTION, OfAttempt(task_attempt_id=one.id))
            if not session.as_json:
                session.notice(f"Stopped {one.number}.")
    if session.as_json:
        session.print_json([one.id for one in found])


@click.command(
    cls=Verb,
    short_help="Have the last message done once more.",
    examples=[
        ("anyon retry 7", "the same words again"),
        ('anyon retry 7 "Try it with uv."', "other words in their place"),
        ("anyon retry 7 --reset", "from the commit where that run began"),
    ],
)
@click.argument("reference", metavar="[ATTEMPT]", type=ATTEMPT, required=False)
@click.argument("text", required=False)
@click.option("--reset", is_flag=True, help="Set the worktree back to before that run.")
def retry(*, reference: str | None, text: str | None, reset: bool) -> None:
    """Do the last message of a person once more, in place of what came of it.

    Before a --reset the whole state of the worktree is kept: `anyon snapshots list`.
    """
    from anyond.api import attempts, processes
    from anyond.api.declaration.params import OfAttempt
    from anyond.cli.finding.references import resolve
    from anyond.model.http.bodies import FollowUp
    from anyond.model.rows import RunReason, ScriptRequest

    session = current()
    with session.client() as client:
        attempt = resolve(client, reference)
        asked = processes.ProcessesOfAttempt(task_attempt_id=attempt.id)
        rows = client.call(processes.LIST_EXECUTION_PROCESSES, asked)
        last = next((row for row in rows if row.run_reason is RunReason.CODING_AGENT), None)
        if last is None or isinstance(last.executor_action.typ, ScriptRequest):
            raise CommandFailed(f"No agent has run in {attempt.number} yet.", type="not_found")
        body = FollowUp(
            prompt=text or last.executor_action.typ.prompt,
            variant=last.executor_action.typ.executor_profile_id.variant,
            retry_process_id=last.id,
            perform_git_reset=reset,
            force_when_dirty=True,
        )
        process = client.call(attempts.SEND_FOLLOW_UP, OfAttempt(task_attempt_id=attempt.id), body)
    if session.as_json:
        session.print_json(process)
    else:
        session.notice(f"It runs again. To follow: `anyon attach {attempt.number}`.")


@click.command(
    cls=Verb,
    short_help="Delete tasks with their attempts.",
    examples=[("anyon rm 7", "asks before"), ("anyon rm 7 8 -y", "does not ask")],
)
@click.argument("references", metavar="ATTEMPT...", type=ATTEMPT, nargs=-1, required=True)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def rm(*, references: tuple[str, ...], yes: bool) -> None:
    """Delete the tasks of attempts, with all their attempts, conversations and worktrees.

    Branches stay, and the state of each worktree is kept before it goes: `anyon snapshots list`.
    """
    from anyond.api import tasks
    from anyond.api.declaration.params import OfTask
    from anyond.cli.finding.references import described, resolve
    from anyond.cli.frame.asking import agreed

    session = current()
    with session.client() as client:
        found = {one.task_id: one for one in (resolve(client, ref) for ref in references)}
        if not yes:
            for one in found.values():
                session.notice(f"  {described(one)}")
        agreed(session, "Delete, with all attempts at the same tasks?", yes=yes)
        for task_id in found:
            client.call(tasks.DELETE_TASK, OfTask(task_id=task_id))
    if session.as_json:
        session.print_json(list(found))
    else:
        session.notice(
            f"Deleted {len(found)}. Branches stay; worktrees as they were:"
            " `anyon snapshots list` in the repository."
        )


@click.command(
    cls=Verb,
    short_help="Wait for an attempt.",
    examples=[
        ("anyon wait 7", "until nothing runs, or it asks (exit code 6)"),
        ("anyon wait 7 --for done --timeout 30m", "whatever it asks"),
    ],
)
@click.argument("reference", metavar="[ATTEMPT]", type=ATTEMPT, required=False)
@click.option(
    "--for",
    "goal",
    type=click.Choice(["idle", "question", "done"]),
    default="idle",
    show_default=True,
    help="`idle`: nothing runs, or it asks. `question`: it asks. `done`: nothing runs.",
)
@click.option("--timeout", type=Seconds(), help="No longer than that, such as 30m.")
def wait(*, reference: str | None, goal: str, timeout: float | None) -> None:
    """Wait for an attempt; the exit code says how it stands then.

    0: it ended well, or asks and that was waited for. 5: it ended without success, or without the
    question. 6: it asks. 124: the time is up.
    """
    from anyond.cli.finding.references import by_id, resolve
    from anyond.model.http.summaries import AttemptState

    session = current()
    deadline = None if timeout is None else time.monotonic() + timeout
    pause, longest = _LOOKS_S
    with session.client() as client:
        attempt = resolve(client, reference)
        while True:
            asks = attempt.state is AttemptState.QUESTION
            runs = asks or attempt.state is AttemptState.RUNNING
            if not runs or (asks and goal != "done"):
                break
            if deadline is not None and time.monotonic() + pause > deadline:
                raise CommandFailed("The time is up.", ExitCode.TIME_IS_UP, "time_is_up")
            time.sleep(pause)
            pause = min(longest, 1.5 * pause)
            attempt = by_id(client, attempt.id)
    if session.as_json:
        session.print_json(attempt)
    else:
        print_line(attempt.state.value)
    if asks:
        sys.exit(ExitCode.DONE if goal == "question" else ExitCode.NEEDS_PERSON)
    well = {AttemptState.FINISHED, AttemptState.MERGED}
    if attempt.state not in well or goal == "question":
        sys.exit(ExitCode.AGENT_FAILED)
