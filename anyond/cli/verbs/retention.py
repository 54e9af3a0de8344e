"""The verb `retention`."""

from __future__ import annotations

import time

import click

from anyond.cli.frame.commands import Verb
from anyond.cli.frame.session import current, print_line


@click.command(
    cls=Verb,
    short_help="Say which worktrees and logs are let go, and when.",
    examples=[
        ("anyon retention --dry-run", "what the settings would remove now"),
        ("anyon retention --dry-run --worktrees 30", "what that number of days would"),
        ("anyon config set worktrees_stay_days 30", "have the daemon do it, once a day"),
    ],
)
@click.option("--dry-run", is_flag=True, help="List what would be removed; nothing is.")
@click.option("--worktrees", type=click.IntRange(1), metavar="DAYS", help="Not as in the settings.")
@click.option("--logs", type=click.IntRange(1), metavar="DAYS", help="Not as in the settings.")
def retention(*, dry_run: bool, worktrees: int | None, logs: int | None) -> None:
    """Say how long worktrees and raw logs stay after their tasks are done or cancelled.

    For ever, unless the settings `worktrees_stay_days` and `logs_stay_days` name a number of days.
    The daemon removes what is due once a day: a worktree after a snapshot, and its branch stays; of
    a log the conversation stays. This command itself removes nothing.
    """
    import msgspec

    from anyond.doctor.facts import Facts
    from anyond.host.app_paths import AppPaths
    from anyond.operations import retention as rules

    if not dry_run and (worktrees or logs):
        raise click.UsageError("--worktrees and --logs go with --dry-run.")
    session = current()
    paths = AppPaths.of()
    facts = Facts(paths)
    config, _ = facts.settings
    config = msgspec.structs.replace(
        config,
        worktrees_stay_days=worktrees or config.worktrees_stay_days,
        logs_stay_days=logs or config.logs_stay_days,
    )
    days = {"worktrees": config.worktrees_stay_days, "logs": config.logs_stay_days}
    if not dry_run:
        if session.as_json:
            session.print_json(days)
        else:
            for name, count in days.items():
                print_line(f"{name:<10} stay {f'{count} days' if count else 'for ever'}")
        return
    due = facts.read(lambda reader: rules.due(reader, config, time.time()))
    sizes = {one.id: rules.size_of_logs(paths.executions, one.processes) for one in due.logs}
    logs_due = [one for one in due.logs if sizes[one.id]]
    if session.as_json:
        session.print_json(
            {
                "days": days,
                "worktrees": [
                    {"attempt": one.id, "path": one.worktree, "idle_since": one.idle_since}
                    for one in due.worktrees
                ],
                "logs": [
                    {"attempt": one.id, "bytes": sizes[one.id], "idle_since": one.idle_since}
                    for one in logs_due
                ],
            }
        )
        return
    from anyond.cli.rendering.harmless import in_one_line

    for one in due.worktrees:
        print_line(f"worktree  {one.idle_since[:10]}  {one.worktree}  {in_one_line(one.title)}")
    for one in logs_due:
        size = f"{sizes[one.id] / 1e6:.1f} MB"
        print_line(f"log       {one.idle_since[:10]}  {size}  {in_one_line(one.title)}")
    if not due.worktrees and not logs_due:
        session.notice("Nothing is due.")
