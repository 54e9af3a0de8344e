"""The verbs `backup` and `restore`."""

from __future__ import annotations

from pathlib import Path

import click

from anyond.cli.frame.commands import Verb
from anyond.cli.frame.session import current, print_line


@click.command(
    cls=Verb,
    short_help="Copy everything to a directory, while agents work.",
    examples=[
        ("anyon backup /media/disk/anyon", "again: only what has changed"),
        ("anyon restore /media/disk/anyon", "puts it in place"),
    ],
)
@click.argument("path", type=click.Path(path_type=Path))
def backup(*, path: Path) -> None:
    """Copy the database, logs, images and settings to the directory PATH, whether a daemon runs or
    not.

    The copy is of one moment, and agents go on meanwhile. Interrupted, it can be done again; a
    backup that is there already stays good until the new one is complete. The settings have tokens
    in them, so nobody but you can read it. Repositories and worktrees are not copied: back them up
    as you do, or see `anyon export`.
    """
    from anyond.backups import making
    from anyond.cli.rendering.progress import progress_line
    from anyond.host.app_paths import AppPaths

    session = current()
    with progress_line(quiet=session.quiet) as line:
        made = making.make(
            AppPaths.of(), path.absolute(), lambda done, total: line.show("Copied", done, total)
        )
    if session.as_json:
        session.print_json(
            {"path": str(made.directory), "made_at": made.made_at, "bytes": made.written}
        )
        return
    print_line(str(made.directory))
    session.notice(f"{made.written / 1e6:.1f} MB were copied, as of {made.made_at}.")


@click.command(
    cls=Verb,
    short_help="Put a backup in the place of what is there.",
    examples=[("anyon restore /media/disk/anyon", "what was there is put aside, not deleted")],
)
@click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False))
def restore(*, path: Path) -> None:
    """Put the backup in PATH in place: database, logs, images and settings.

    Neither a daemon nor an agent may run. Everything that was there is put aside in directories
    `replaced-1` and so on. What was at work when the backup was made is shown as lost.
    """
    from anyond.backups import restoring
    from anyond.cli.rendering.progress import progress_line
    from anyond.host.app_paths import AppPaths

    session = current()
    with progress_line(quiet=session.quiet) as line:
        restored = restoring.restore(
            AppPaths.of(), path.absolute(), lambda done, total: line.show("Copied", done, total)
        )
    if session.as_json:
        aside = [str(place) for place in restored.aside]
        session.print_json({"made_at": restored.made_at, "aside": aside})
        return
    print_line(f"Restored what was backed up at {restored.made_at}.")
    for place in restored.aside:
        session.notice(f"What was there is in {place} now.")
