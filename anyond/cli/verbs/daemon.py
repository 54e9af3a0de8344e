"""The verbs `status`, `restart`, `stop-daemon`, `paths`, `version` and `events`."""

from __future__ import annotations

import os

import click

from anyond import __version__
from anyond.cli.finding.daemon_process import (
    arguments_of,
    daemon_file,
    running_daemon,
    stop_running,
)
from anyond.cli.frame.commands import Verb
from anyond.cli.frame.session import current, print_line


@click.command(
    cls=Verb,
    short_help="Say how the daemon is.",
    examples=[
        ("anyon status", "address, version, what is at work"),
        ("anyon status --json", "exit code 7 if none answers"),
    ],
)
def status() -> None:
    """Say where the daemon is, since when, and how much is at work and waits."""
    from anyond.api import approvals, attempts, health, projects
    from anyond.cli.rendering.times import age
    from anyond.model.http.summaries import AttemptState
    from anyond.model.rows import ApprovalStatus

    session = current()
    with session.client() as client:
        client.call(health.CHECK_HEALTH, timeout_s=10.0)
        asked = attempts.SummarizedAttempts(limit=1)
        listed = client.call(attempts.LIST_ATTEMPT_SUMMARIES, asked)
        pending = approvals.ApprovalsWithStatus(status=ApprovalStatus.PENDING)
        questions = len(client.call(approvals.LIST_APPROVALS, pending))
        count = len(client.call(projects.LIST_PROJECTS))
        address = client.address
    at_work = sum(one.state in {AttemptState.RUNNING, AttemptState.QUESTION} for one in listed)
    file = daemon_file() if session.url is None and not os.environ.get("ANYON_URL") else None
    url = address.url if address.socket is None else f"unix:{address.socket}"
    if session.as_json:
        session.print_json(
            {
                "url": url,
                "pid": None if file is None else file.pid,
                "version": None if file is None else file.version,
                "started_at": None if file is None else file.started_at,
                "at_work": at_work,
                "questions": questions,
                "projects": count,
            }
        )
        return
    print_line(f"● {url}")
    if file is not None:
        print_line(f"  version {file.version}, process {file.pid}, for {age(file.started_at)}")
        if file.version != __version__:
            session.notice(f"This command is of version {__version__}: `anyon restart`.")
    parts = (f"{at_work} at work", _counted(questions, "question"), _counted(count, "project"))
    print_line(f"  {', '.join(parts)}")


@click.command(
    "stop-daemon",
    cls=Verb,
    short_help="Stop the daemon; agents go on.",
    examples=[("anyon stop-daemon", "the next one takes up its agents")],
)
def stop_daemon() -> None:
    """Stop the daemon. Agents go on, and the next daemon takes them up where they are."""
    session = current()
    pid = stop_running(session)
    if session.as_json:
        session.print_json({"pid": pid})
    else:
        session.notice("Stopped. Agents go on.")


@click.command(
    cls=Verb,
    short_help="Restart the daemon; agents go on.",
    examples=[("anyon restart", "after an upgrade")],
)
def restart() -> None:
    """Stop the daemon and start it again with the options that it had; agents go on.

    One that a service manager has started is restarted by that.
    """
    from anyond.cli.finding.daemon_start import start

    session = current()
    arguments = arguments_of(running_daemon(session).pid)
    stop_running(session)
    start(session, arguments, quiet=True)
    file = daemon_file()
    if session.as_json:
        session.print_json(file)
    elif file is not None:
        session.notice(f"Version {file.version} serves at {file.url}.")


@click.command(cls=Verb, short_help="Print where everything is.", examples=[("anyon paths", "")])
def paths() -> None:
    """Print the directories and files of Anyon."""
    from anyond.host.app_paths import AppPaths

    session = current()
    own = AppPaths.of()
    found = {
        "config": str(own.config),
        "profiles": str(own.profiles),
        "token": str(own.token),
        "data": str(own.data_dir),
        "database": str(own.database),
        "executions": str(own.executions),
        "worktrees": str(own.worktrees()),
        "daemon": str(own.daemon_file),
        "log": str(own.data_dir / "daemon.log"),
    }
    if session.as_json:
        session.print_json(found)
        return
    for name, path in found.items():
        print_line(f"{name:<12}{path}")


@click.command(
    cls=Verb,
    short_help="Print the versions of command and daemon.",
    examples=[("anyon version", "both")],
)
def version() -> None:
    """Print the version of this command, and of the daemon that runs."""
    session = current()
    file = daemon_file()
    if session.as_json:
        session.print_json({"command": __version__, "daemon": file.version if file else None})
        return
    print_line(f"anyon {__version__}")
    if file is not None:
        print_line(f"daemon {file.version}")


@click.command(
    cls=Verb,
    short_help="Print what happens, as lines of JSON.",
    examples=[
        ("anyon events", "until Ctrl+C"),
        ("anyon events --type approval_requested", "only questions"),
        ("anyon events --after 1200", "from a position on; nothing is missed"),
    ],
)
@click.option("--after", type=click.IntRange(0), help="Go on after this position.")
@click.option("--type", "types", multiple=True, metavar="NAME", help="Only these. Repeatable.")
def events(*, after: int | None, types: tuple[str, ...]) -> None:
    """Print each event of the daemon as a line of JSON: `type`, `position`, `data`."""
    from anyond.api import events as api

    session = current()
    known = api.FOLLOW_EVENTS.events
    for name in types:
        if name not in known:
            raise click.UsageError(f"There is no event `{name}`. There are: {', '.join(known)}.")
    with (
        session.client() as client,
        client.follow_events(api.FOLLOW_EVENTS, api.FollowedEvents(after=after)) as found,
    ):
        for event in found:
            if not types or event.name in types:
                session.print_json_line(
                    {"type": event.name, "position": event.position, "data": event.data}
                )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
