"""The command `restore-backup`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from anyond.cli.common import ALREADY_RUNNING, FAILED


@click.command("restore-backup", short_help="Replace the database with a backup.")
@click.argument("name", required=False)
@click.option("--list", "only_list", is_flag=True, help="Only list the backups, the newest first.")
def restore_backup(name: str | None, only_list: bool) -> None:
    """Replace the database with a backup. Anyon must not be running.

    NAME is one of those that --list shows; without it, the newest that is intact. The database that
    was there is kept as anyon.db.replaced-1 and so on. What was written since the backup is not in
    the backup; worktrees, logs and images of that time stay where they are.
    """
    from anyond.host.app_paths import AppPaths
    from anyond.host.lock import sole_daemon
    from anyond.model.errors import AnyondError
    from anyond.model.refusals.daemon import AlreadyRunning
    from anyond.store.engine import backup

    paths = AppPaths.of()
    try:
        if only_list:
            there = backup.all_of(paths.database)
            for one in there:
                click.echo(f"{one.path.name}  {one.made_at}")
            if not there:
                click.echo(f"There is no backup beside {paths.database}.", err=True)
            return
        paths.create()
        with sole_daemon(paths.lock, paths.daemon_file):
            chosen = None if name is None else Path(name)
            restored, former = backup.restore(paths.database, chosen)
    except AlreadyRunning as error:
        click.echo(f"{error} Stop it first.", err=True)
        sys.exit(ALREADY_RUNNING)
    except AnyondError as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)
    click.echo(f"Restored {restored.path.name} of {restored.made_at}.")
    if former is not None:
        click.echo(f"The former database is {former}.")
