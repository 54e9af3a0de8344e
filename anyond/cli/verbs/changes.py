"""The verbs `diff`, `compare` and `undo`: what attempts have changed, and the way back."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import click

from anyond.cli.finding.completion import ATTEMPT
from anyond.cli.frame.commands import Verb
from anyond.cli.frame.failures import CommandFailed
from anyond.cli.frame.session import Session, current, print_line

if TYPE_CHECKING:
    from anyond.client import BlockingClient
    from anyond.model.http.changes import SavedState
    from anyond.model.http.summaries import AttemptSummary
    from anyond.model.rows import Diff

_BASE = "base"


@click.command(
    cls=Verb,
    short_help="Show what an attempt has changed.",
    examples=[
        ("anyon diff 7", "through the pager, as git does"),
        ("anyon diff 7 --stat", "files and lines only"),
        ("anyon diff 7 --since turn", "what the last turn has changed; `seen`, or a commit"),
        ("anyon diff 7 --against 8", "what it has otherwise than attempt 8"),
        ("anyon diff 7 --tool meld", "in a tool that git knows"),
        ("anyon diff 7 | git apply", "bring it elsewhere"),
    ],
)
@click.argument("reference", metavar="[ATTEMPT]", type=ATTEMPT, required=False)
@click.option("--stat", is_flag=True, help="Files with the number of their lines.")
@click.option("--name-only", is_flag=True, help="Only the names of the files.")
@click.option("--since", metavar="turn|seen|COMMIT", help="Only what has changed since then.")
@click.option("--against", metavar="ATTEMPT", type=ATTEMPT, help="Compare with another attempt.")
@click.option("--tool", metavar="NAME", help="In the worktree, as `git difftool --tool=NAME`.")
def diff(
    *,
    reference: str | None,
    stat: bool,
    name_only: bool,
    since: str | None,
    against: str | None,
    tool: str | None,
) -> None:
    """Show what differs from where the attempt left its target branch, uncommitted work too.

    Of another attempt, what it has committed counts.
    """
    from anyond.cli.finding.references import resolve
    from anyond.cli.finding.seen import looked_at
    from anyond.cli.following.feed import differences
    from anyond.cli.rendering.colors import Painter
    from anyond.cli.rendering.diffs import diff_lines

    session = current()
    if since is not None and against is not None:
        raise click.UsageError("--since, or --against, not both.")
    with session.client() as client:
        attempt = resolve(client, reference)
        other = since if against is None else resolve(client, against).id
        if tool is not None:
            _open_tool(client, attempt, other or _BASE, tool)
        if other is not None:
            _show_since(session, client, attempt, other, stat=stat, name_only=name_only)
            return
        with looked_at(session, client, attempt.id):
            found = differences(client, attempt.id, stats_only=stat or name_only)
    if session.as_json:
        session.print_json(found)
    elif name_only or stat:
        _print_files(session, found, stat=stat)
    else:
        _page(session, list(diff_lines(found, Painter(session.colored()))))


def _show_since(
    session: Session,
    client: BlockingClient,
    attempt: AttemptSummary,
    other: str,
    *,
    stat: bool,
    name_only: bool,
) -> None:
    from anyond.api import changes
    from anyond.cli.rendering.colors import Painter
    from anyond.cli.rendering.diffs import hunk_lines
    from anyond.model.rows import Diff

    asked = changes.ComparedAttempt(task_attempt_id=attempt.id, against=other)
    listed = client.call(changes.LIST_CHANGES, asked).files
    if stat or name_only:
        if session.as_json:
            session.print_json(listed)
            return
        rows = [
            Diff(
                change=one.change,
                old_path=one.old_path,
                new_path=one.path,
                additions=one.additions,
                deletions=one.deletions,
            )
            for one in listed
        ]
        _print_files(session, rows, stat=stat)
        return
    found = []
    for one in listed:
        of_file = changes.ComparedFile(
            task_attempt_id=attempt.id, against=other, path=one.path, old_path=one.old_path
        )
        found.append(client.call(changes.GET_FILE_CHANGES, of_file))
    if session.as_json:
        session.print_json(found)
    else:
        _page(session, list(hunk_lines(found, Painter(session.colored()))))


def _print_files(session: Session, found: list[Diff], *, stat: bool) -> None:
    from anyond.cli.rendering.colors import Painter
    from anyond.cli.rendering.diffs import stat_lines
    from anyond.cli.rendering.harmless import in_one_line

    if stat:
        _page(session, stat_lines(found, Painter(session.colored())))
        return
    for one in found:
        print_line(in_one_line(one.path))


def _page(session: Session, lines: list[str]) -> None:
    from anyond.cli.rendering.pager import print_lines

    if not lines:
        session.notice("Nothing has changed.")
    print_lines(lines, session.is_terminal)


def _open_tool(client: BlockingClient, attempt: AttemptSummary, other: str, tool: str) -> None:
    """Give the worktree to a tool of git, and end as that ends."""
    from anyond.api import changes
    from anyond.cli.verbs.worktrees import worktree_of

    path = worktree_of(attempt)
    asked = changes.ComparedAttempt(task_attempt_id=attempt.id, against=other)
    base = client.call(changes.LIST_CHANGES, asked).base
    if base is None:
        raise CommandFailed("There is no commit yet to compare with.", type="not_found")
    ask = ("git", "difftool", "--no-prompt", f"--tool={tool}", base, "--")
    try:
        sys.exit(subprocess.run(ask, cwd=path, check=False).returncode)
    except OSError as error:
        raise CommandFailed(f"git: {error.strerror}.", type="tool_missing") from error


@click.command(
    cls=Verb,
    short_help="Lay the changes of attempts side by side.",
    examples=[("anyon compare 7 8 9", "a file a line, an attempt a column")],
)
@click.argument("references", metavar="ATTEMPT ATTEMPT...", type=ATTEMPT, nargs=-1, required=True)
def compare(*, references: tuple[str, ...]) -> None:
    """Compare what attempts have changed, file by file."""
    from anyond.cli.finding.references import resolve
    from anyond.cli.following.feed import changed_files
    from anyond.cli.rendering.colors import Painter
    from anyond.cli.rendering.diffs import comparison_lines

    session = current()
    if len(references) < 2:
        raise click.UsageError("Name two attempts or more.")
    with session.client() as client:
        found = [resolve(client, reference) for reference in references]
        changes = [changed_files(client, one.id) for one in found]
    if session.as_json:
        session.print_json(
            [{"attempt": one, "files": files} for one, files in zip(found, changes, strict=True)]
        )
        return
    for line in comparison_lines(found, changes, Painter(session.colored())):
        print_line(line)


@click.command(
    cls=Verb,
    short_help="Bring back what the last destructive step replaced.",
    examples=[
        ("anyon undo 7", "the last rebase, abort, reset or deletion of a file"),
        ("anyon undo 7 --list", "all states that can be brought back"),
        ("anyon undo 7 --to 3", "one of them"),
        ("anyon undo 7 --to 3 --beside ../then", "in a new worktree; nothing else changes"),
    ],
)
@click.argument("reference", metavar="[ATTEMPT]", type=ATTEMPT, required=False)
@click.option("--list", "lists", is_flag=True, help="Only list the states.")
@click.option("--to", "number", type=click.IntRange(1), help="The number of a state.")
@click.option("--beside", metavar="PATH", help="Make a new worktree of it there.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def undo(
    *, reference: str | None, lists: bool, number: int | None, beside: str | None, yes: bool
) -> None:
    """Bring back, in place, the branch, index and files as they were before the last step that
    replaced any of them.

    What is there now is saved before, and can be brought back in the same way. Files that are new
    since then, and that git does not know, stay.
    """
    from anyond.api import changes
    from anyond.api.declaration.params import OfAttempt
    from anyond.cli.finding.references import resolve
    from anyond.cli.frame.asking import agreed
    from anyond.model.http.changes import Undoing

    session = current()
    with session.client() as client:
        attempt = resolve(client, reference)
        params = OfAttempt(task_attempt_id=attempt.id)
        states = client.call(changes.LIST_SAVED_STATES, params)
        if lists:
            _list_states(session, states)
            return
        chosen = _chosen(states, number)
        if beside is not None:
            _restore_beside(attempt, chosen, beside)
            return
        agreed(session, f"Bring back the state of {_described(chosen)}?", yes=yes)
        undone = client.call(changes.UNDO, params, Undoing(number=chosen.number))
    if session.as_json:
        session.print_json(undone)
    else:
        session.notice(
            f"It is as it was at {_described(undone.restored)}. What was there until now:"
            f" `anyon undo {attempt.number} --to {undone.before.number}`."
        )


def _chosen(states: list[SavedState], number: int | None) -> SavedState:
    from anyond.model.http.changes import REPLACES_NOTHING

    for state in states:
        if state.number == number or (number is None and state.reason not in REPLACES_NOTHING):
            return state
    what = "Nothing was replaced yet" if number is None else f"There is no state {number}"
    raise CommandFailed(f"{what}. `anyon undo --list` lists what there is.", type="not_found")


def _list_states(session: Session, states: list[SavedState]) -> None:
    if session.as_json:
        session.print_json(states)
        return
    for state in states:
        print_line(_described(state))
    if not states:
        session.notice("Nothing was replaced yet.")


def _described(state: SavedState) -> str:
    from anyond.cli.rendering.harmless import in_one_line
    from anyond.cli.rendering.times import age

    head = (state.head or "no commit")[:10]
    when = age(state.created_at)
    ago = when if when == "now" else f"{when} ago"
    return f"{state.number}  {ago}, before: {in_one_line(state.reason)} ({head})"


def _restore_beside(attempt: AttemptSummary, state: SavedState, path: str) -> None:
    from pathlib import Path

    from anyond.cli.snapshots import restore_snapshot
    from anyond.cli.verbs.worktrees import worktree_of

    click.get_current_context().invoke(
        restore_snapshot,
        repo=Path(worktree_of(attempt)),
        name=f"{attempt.id}/{state.number}",
        path=Path(path),
    )
