"""The verb `run`: from a sentence to a change, followed on the terminal."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anyond.cli.finding.completion import AGENT
from anyond.cli.frame.commands import Verb
from anyond.cli.frame.exit_codes import ExitCode
from anyond.cli.frame.failures import CommandFailed
from anyond.cli.frame.session import Session, current, print_line

if TYPE_CHECKING:
    from anyond.cli.following.follower import Ended
    from anyond.cli.following.questions import Rules
    from anyond.client import BlockingClient
    from anyond.model.http.summaries import AttemptSummary

_TITLE = 80
_AGAIN_S, _LOOK_S = 2.0, 0.02


class Seconds(click.ParamType[float]):
    """A limit of time such as `30m`."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Seconds."""
        from anyond.cli.rendering.times import parsed

        if isinstance(value, float):
            return value
        try:
            return parsed(str(value))
        except ValueError:
            self.fail(f"{value!r} is no time such as 90, 30m or 2h.", param, ctx)


@click.command(
    cls=Verb,
    short_help="Hand a task to an agent, and follow it.",
    examples=[
        ('anyon run "Describe the tea timer"', "in any repository"),
        ('anyon run -a codex -b develop "…"', "another agent, another base"),
        ('anyon run -n 3 "…"', "three attempts at once; see `anyon ps -w`"),
        ("anyon run -f task.md --merge", "from a file; merged if it ends well"),
        ('anyon run "…" --allow "*" --json', "for scripts: nobody is asked"),
    ],
)
@click.argument("prompt", required=False)
@click.option(
    "-a",
    "--agent",
    metavar="AGENT[:VARIANT]",
    type=AGENT,
    help="Which agent; else that of the settings.",
)
@click.option("-b", "--base", metavar="BRANCH", help="Where it begins; else the branch one is on.")
@click.option(
    "-n",
    "--attempts",
    "count",
    type=click.IntRange(1, 20),
    default=1,
    help="So many attempts; more than one are not followed.",
)
@click.option("-t", "--title", help="Of the task; else the beginning of the prompt.")
@click.option(
    "-i",
    "--image",
    "images",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A picture to show to the agent. Repeatable.",
)
@click.option(
    "-f",
    "--file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="Read the prompt from a file, or `-`.",
)
@click.option("-d", "--detach", is_flag=True, help="Do not follow it.")
@click.option(
    "--merge",
    type=click.Choice(["merge", "squash", "rebase"]),
    is_flag=False,
    flag_value="merge",
    help="Merge it if it ends well: by a merge, or --merge=squash.",
)
@click.option(
    "--allow",
    metavar="TOOL",
    multiple=True,
    help="Allow this tool without asking (`*` stands for any). Repeatable.",
)
@click.option("--deny", is_flag=True, help="Deny what is not allowed without asking.")
@click.option("--timeout", type=Seconds(), help="Follow it no longer than that, such as 30m.")
@click.option("-y", "--yes", is_flag=True, help="Make the repository a project without asking.")
def run(
    *,
    prompt: str | None,
    agent: str | None,
    base: str | None,
    count: int,
    title: str | None,
    images: tuple[Path, ...],
    file: str | None,
    detach: bool,
    merge: str | None,
    allow: tuple[str, ...],
    deny: bool,
    timeout: float | None,
    yes: bool,
) -> None:
    """Hand a task to an agent in a worktree of its own, and follow it to its end.

    Finds the repository one is in, makes it a project if it is none, and starts a daemon if none
    runs. The agent's questions are asked on the terminal; without one, what --allow and --deny do
    not decide ends this with exit code 6, and the agent waits. Ctrl+C leaves it running.
    """
    from anyond.cli.finding.daemon_start import ensure_daemon
    from anyond.cli.finding.repository import project_here, repository_here
    from anyond.cli.following.questions import Rules

    session = current()
    text = read_text(prompt, file)
    if not text.strip():
        raise click.UsageError('What is to be done? anyon run "Describe the tea timer"')
    here = repository_here()
    deadline = None if timeout is None else time.monotonic() + timeout
    ensure_daemon(session)
    with session.client() as client:
        project = project_here(session, client, here, yes=yes)
        branch = base or here.branch
        if branch is None:
            raise CommandFailed(
                "No branch is checked out here. Name one: --base BRANCH.", ExitCode.USAGE, "usage"
            )
        begun = _begun(
            client,
            project_id=project.id,
            text=text,
            title=title,
            agent=agent,
            branch=branch,
            images=images,
            count=count,
        )
        first = begun[0]
        if detach or count > 1:
            _leave(session, begun)
            return
        session.notice(f"{first.number} {first.executor} works on {first.branch} (from {branch})")
        rules = Rules(allow, deny)
        ended = _followed(session, client, first, rules, deadline)
        code = _finish(session, client, first, ended, merge)
    sys.exit(code)


def read_text(text: str | None, file: str | None) -> str:
    """The text of an argument, a file, or standard input (`-`). Raises `UsageError`."""
    if file is not None and text is not None:
        raise click.UsageError("A text, or --file, not both.")
    if file == "-" or (file is None and text == "-"):
        return sys.stdin.buffer.read().decode("utf-8", "replace")
    if file is not None:
        return Path(file).read_text(encoding="utf-8", errors="replace")
    return text or ""


def titled(text: str, title: str | None) -> tuple[str, str | None]:
    """The title and the description of a task: together they are the prompt, once."""
    if title is not None:
        return title, text
    first, _, rest = text.strip().partition("\n")
    if len(first) > _TITLE:
        return f"{first[: _TITLE - 1]}…", text.strip()
    return first.strip(), rest.strip() or None


def _begun(
    client: BlockingClient,
    *,
    project_id: str,
    text: str,
    title: str | None,
    agent: str | None,
    branch: str,
    images: tuple[Path, ...],
    count: int,
) -> list[AttemptSummary]:
    """The attempts of a new task, the first one first."""
    from anyond.api import attempts, system, tasks
    from anyond.api.declaration.params import Nothing
    from anyond.cli.finding.agents import find_agent
    from anyond.cli.finding.references import by_id, remember
    from anyond.model.http.bodies import CreateAndStart, NewAttempt, NewTask

    profile = find_agent(client.call(system.GET_SYSTEM_INFO), agent)
    named, description = titled(text, title)
    new = NewTask(
        project_id=project_id,
        title=named,
        description=description,
        image_ids=[upload(client, path) for path in images] or None,
    )
    start = CreateAndStart(task=new, executor_profile_id=profile, base_branch=branch)
    task = client.call(tasks.CREATE_AND_START_TASK, Nothing(), start)
    for _ in range(count - 1):
        more = NewAttempt(task_id=task.id, executor_profile_id=profile, base_branch=branch)
        client.call(attempts.CREATE_TASK_ATTEMPT, Nothing(), more)
    made = client.call(attempts.LIST_TASK_ATTEMPTS, attempts.AttemptsOfTask(task_id=task.id))
    found = [by_id(client, one.id) for one in reversed(made)]
    remember(found[0])
    return found


def upload(client: BlockingClient, path: Path) -> str:
    """The id of a picture that is sent to the daemon."""
    from anyond.api import images
    from anyond.api.declaration.params import Nothing

    return client.upload(images.UPLOAD_IMAGE, Nothing(), path.name, path.read_bytes()).id


def _leave(session: Session, begun: list[AttemptSummary]) -> None:
    if session.as_json:
        session.print_json(begun)
        return
    for one in begun:
        print_line(f"{one.number}  {one.branch}")
    session.notice(f"To follow: `anyon attach {begun[0].number}`; all of them: `anyon ps -w`.")


def _followed(
    session: Session,
    client: BlockingClient,
    attempt: AttemptSummary,
    rules: Rules,
    deadline: float | None,
) -> Ended:
    """Follow it to its end; Ctrl+C leaves it, and twice stops it."""
    from anyond.cli.finding.seen import mark_seen
    from anyond.cli.following.follower import Follower, Options
    from anyond.cli.verbs.conversation import screen_of

    options = Options(can_ask=session.can_ask, rules=rules, deadline=deadline)
    screen = screen_of(session)
    try:
        ended = Follower(client, attempt, screen, options, verbose=session.verbose).run()
        mark_seen(session, client, attempt.id)
        return ended
    except KeyboardInterrupt:
        # From here on another Ctrl+C is counted, and interrupts nothing: it may come at once.
        again: list[int] = []
        signal.signal(signal.SIGINT, lambda number, _: again.append(number))
        number = attempt.number
        session.notice(
            f"It goes on. Back: `anyon attach {number}`. Stop: `anyon stop {number}`"
            + (", or Ctrl+C again." if session.can_ask else ".")
        )
        _perhaps_stop(session, client, attempt, again)
        raise CommandFailed("", ExitCode.INTERRUPTED, "interrupted") from None


def _perhaps_stop(
    session: Session, client: BlockingClient, attempt: AttemptSummary, again: list[int]
) -> None:
    """Ask whether to stop it if Ctrl+C comes `again` in time."""
    from anyond.api import attempts
    from anyond.api.declaration.params import OfAttempt

    if not session.can_ask:
        return
    deadline = time.monotonic() + _AGAIN_S
    while not again and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not again:
        return
    sys.stderr.write("Stop it? [y/N] ")
    sys.stderr.flush()
    try:
        answer = sys.stdin.readline()
    except KeyboardInterrupt:
        answer = ""
        session.notice("")
    if answer.strip().lower() in ("y", "yes"):
        client.call(attempts.STOP_EXECUTION, OfAttempt(task_attempt_id=attempt.id))
        session.notice("Stopped.")


def _finish(
    session: Session,
    client: BlockingClient,
    attempt: AttemptSummary,
    ended: Ended,
    merge: str | None,
) -> ExitCode:
    """Report the end, and merge if that was wanted."""
    from anyond.api import branches
    from anyond.api.declaration.params import OfAttempt
    from anyond.cli.finding.references import by_id
    from anyond.cli.following.ending import exit_code_of, print_result, result_of
    from anyond.cli.verbs.conversation import screen_of
    from anyond.model.http.bodies import MergeStrategy, Merging

    result = result_of(client, by_id(client, attempt.id), ended)
    screen = screen_of(session)
    if not session.as_json:
        print_result(screen, result)
    if merge is not None and result.succeeded and result.files:
        body = Merging(strategy=MergeStrategy(merge))
        params = OfAttempt(task_attempt_id=attempt.id)
        client.call(branches.MERGE_TO_TARGET_BRANCH, params, body)
        session.notice(f"Merged into {attempt.target_branch}.")
        result = result_of(client, by_id(client, attempt.id), ended)
    if session.as_json:
        session.print_json(result)
    return exit_code_of(result)
