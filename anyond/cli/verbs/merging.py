"""The verbs `merge`, `rebase`, `push` and `pr`: work of an attempt goes where it belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from anyond.cli.finding.completion import ATTEMPT
from anyond.cli.frame.commands import Verb
from anyond.cli.frame.exit_codes import ExitCode
from anyond.cli.frame.failures import CommandFailed
from anyond.cli.frame.session import Session, current, print_line

if TYPE_CHECKING:
    from anyond.client import BlockingClient
    from anyond.model.http.summaries import AttemptSummary
    from anyond.model.rows import BranchStatus


@click.command(
    cls=Verb,
    short_help="Merge an attempt into its target branch.",
    examples=[
        ("anyon merge 7", "your checkout is touched only where it must be"),
        ("anyon merge 7 --squash", "as one commit"),
        ("anyon merge 7 --dry-run", "say what there is to merge"),
        ("anyon merge 7 --into develop", "elsewhere than planned"),
    ],
)
@click.argument("reference", metavar="[ATTEMPT]", type=ATTEMPT, required=False)
@click.option("--squash", is_flag=True, help="As one commit.")
@click.option("--rebase", is_flag=True, help="Commit by commit, without a merge commit.")
@click.option("--into", metavar="BRANCH", help="Make this the target branch first.")
@click.option("--dry-run", is_flag=True, help="Only say how the branches stand.")
def merge(
    *, reference: str | None, squash: bool, rebase: bool, into: str | None, dry_run: bool
) -> None:
    """Merge an attempt into its target branch; it is refused before anything changes, or done."""
    from anyond.api import branches
    from anyond.api.declaration.params import OfAttempt
    from anyond.cli.finding.references import by_id, resolve
    from anyond.model.http.bodies import MergeStrategy, Merging, NewTarget

    session = current()
    if squash and rebase:
        raise click.UsageError("--squash, or --rebase, not both.")
    strategy = MergeStrategy.SQUASH if squash else MergeStrategy.REBASE if rebase else None
    with session.client() as client:
        attempt = resolve(client, reference)
        params = OfAttempt(task_attempt_id=attempt.id)
        if dry_run:
            _print_status(session, client, attempt, into)
            return
        if into is not None and into != attempt.target_branch:
            client.call(branches.CHANGE_TARGET_BRANCH, params, NewTarget(new_target_branch=into))
        client.call(branches.MERGE_TO_TARGET_BRANCH, params, Merging(strategy=strategy))
        _done(session, by_id(client, attempt.id), f"Merged into {into or attempt.target_branch}.")


def _print_status(
    session: Session, client: BlockingClient, attempt: AttemptSummary, into: str | None
) -> None:
    from anyond.api import attempts
    from anyond.api.declaration.params import OfAttempt

    params = OfAttempt(task_attempt_id=attempt.id)
    status: BranchStatus = client.call(attempts.GET_BRANCH_STATUS, params)
    if session.as_json:
        session.print_json(status)
        return
    for line in status_lines(status, attempt.branch):
        print_line(line)
    if into is not None and into != status.target_branch_name:
        session.notice(f"{into} would become its target branch first.")


def status_lines(status: BranchStatus, branch: str) -> list[str]:
    """A branch compared with its target, in words."""
    from anyond.cli.rendering.harmless import in_one_line

    name, target = in_one_line(branch), in_one_line(status.target_branch_name)
    lines = [f"{name}: {_commits(status.commits_ahead)} to merge into {target}"]
    if status.commits_behind:
        lines.append(f"{target} has {_commits(status.commits_behind)} that it lacks")
    if status.has_uncommitted_changes:
        count = status.uncommitted_count + status.untracked_count
        lines.append(f"{count} file{'' if count == 1 else 's'} not committed")
    if status.is_rebase_in_progress or status.conflict_op:
        files = ", ".join(in_one_line(path) for path in status.conflicted_files)
        lines.append(f"{status.conflict_op or 'rebase'} in progress; conflicts in {files or '…'}")
    lines.extend(
        f"{in_one_line(field)} is not known: {in_one_line(why)}"
        for field, why in status.unknown.items()
    )
    return lines


def _commits(count: int) -> str:
    return f"{count} commit{'' if count == 1 else 's'}"


@click.command(
    cls=Verb,
    short_help="Rebase an attempt onto its target branch.",
    examples=[
        ("anyon rebase 7", "onto what its target is now"),
        ("anyon rebase 7 --abort", "back to how it was before the conflicts"),
    ],
)
@click.argument("reference", metavar="[ATTEMPT]", type=ATTEMPT, required=False)
@click.option("--onto", metavar="BRANCH", help="Another branch, which becomes the target.")
@click.option("--abort", is_flag=True, help="Give up a rebase that has met conflicts.")
def rebase(*, reference: str | None, onto: str | None, abort: bool) -> None:
    """Rebase an attempt; conflicts wait in its worktree for the agent, for you, or for --abort."""
    from anyond.api import branches
    from anyond.api.declaration.params import OfAttempt
    from anyond.cli.finding.references import resolve
    from anyond.model.http.bodies import Rebasing

    session = current()
    with session.client() as client:
        attempt = resolve(client, reference)
        params = OfAttempt(task_attempt_id=attempt.id)
        if abort:
            client.call(branches.ABORT_CONFLICTS, params)
            _done(session, attempt, "It is as it was before.")
        else:
            body = Rebasing(new_base_branch=onto)
            client.call(branches.REBASE_ON_TARGET_BRANCH, params, body)
            _done(session, attempt, f"Rebased onto {onto or attempt.target_branch}.")


@click.command(
    cls=Verb,
    short_help="Push the branch of an attempt.",
    examples=[("anyon push 7", "to the remote of its target branch")],
)
@click.argument("reference", metavar="[ATTEMPT]", type=ATTEMPT, required=False)
@click.option("--force", is_flag=True, help="Overwrite what was pushed before, and nothing else.")
def push(*, reference: str | None, force: bool) -> None:
    """Push the branch of an attempt."""
    from anyond.api import branches
    from anyond.api.declaration.params import OfAttempt
    from anyond.cli.finding.references import resolve
    from anyond.model.http.bodies import Pushing

    session = current()
    with session.client() as client:
        attempt = resolve(client, reference)
        params = OfAttempt(task_attempt_id=attempt.id)
        client.call(branches.PUSH_BRANCH, params, Pushing(force=force or None))
        _done(session, attempt, f"Pushed {attempt.branch}.")


@click.command(
    cls=Verb,
    short_help="Open a pull request.",
    examples=[
        ("anyon pr 7", "its title is that of the task"),
        ("anyon pr 7 --attach", "find one that somebody else has opened"),
    ],
)
@click.argument("reference", metavar="[ATTEMPT]", type=ATTEMPT, required=False)
@click.option("-t", "--title", help="Else that of the task.")
@click.option("-b", "--body", help="What it says.")
@click.option("--base", metavar="BRANCH", help="Else the target branch.")
@click.option("--attach", is_flag=True, help="Attach one that is there already.")
def pr(
    *,
    reference: str | None,
    title: str | None,
    body: str | None,
    base: str | None,
    attach: bool,
) -> None:
    """Push the branch and open a pull request on GitHub; prints its address."""
    from anyond.api import branches
    from anyond.api.declaration.params import OfAttempt
    from anyond.cli.finding.references import resolve
    from anyond.model.http.bodies import NewPullRequest

    session = current()
    with session.client() as client:
        attempt = resolve(client, reference)
        params = OfAttempt(task_attempt_id=attempt.id)
        if attach:
            found = client.call(branches.ATTACH_PULL_REQUEST, params)
            if not found.pr_attached:
                raise CommandFailed(
                    f"{attempt.branch} has no pull request.", ExitCode.FAILED, "not_found"
                )
            url = found.pr_url or ""
        else:
            new = NewPullRequest(title=title or attempt.title, body=body, target_branch=base)
            url = client.call(branches.CREATE_PULL_REQUEST, params, new)
    if session.as_json:
        session.print_json({"url": url})
    else:
        print_line(url)


def _done(session: Session, attempt: AttemptSummary, sentence: str) -> None:
    if session.as_json:
        session.print_json(attempt)
    else:
        session.notice(sentence)
