"""The commands `import`: what another program kept is brought in."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from anyond.cli.common import ALREADY_RUNNING, INTERRUPTED, in_trio


@click.group("import")
def import_() -> None:
    """Import the data of another program. Anyon must not be running."""


@import_.command("vibe-kanban", short_help="Import all data of vibe-kanban.")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--dry-run", is_flag=True, help="Only count what there is and what is new.")
@click.option(
    "--images",
    "picture_folders",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    multiple=True,
    help="Where its images lie, if not where vibe-kanban puts them. Repeatable.",
)
@click.option("--again", is_flag=True, help="Import again what was deleted here since.")
def import_vibe_kanban(
    path: Path, dry_run: bool, picture_folders: tuple[Path, ...], again: bool
) -> None:
    """Import projects, tasks, tags, images, attempts and logs of vibe-kanban 0.0.9x to 0.0.14x.

    PATH is its db.sqlite, or the directory of that; it is copied, never written to. Worktrees and
    branches are used where they are. What is here already is left as it is, and what was deleted
    here stays deleted, so that this can be done again at any time. The counts are shown before
    anything is written.
    """
    from anyond.host.app_paths import AppPaths
    from anyond.importing import command
    from anyond.model.refusals.daemon import AlreadyRunning

    async def work() -> None:
        await command.run(
            AppPaths.of(),
            path,
            picture_folders,
            dry_run=dry_run,
            again=again,
            print_line=click.echo,
        )

    try:
        in_trio(work)
    except AlreadyRunning as error:
        click.echo(f"{error} Stop it for the time of the import.", err=True)
        sys.exit(ALREADY_RUNNING)
    except KeyboardInterrupt:
        click.echo("Interrupted. The same command brings what is missing.", err=True)
        sys.exit(INTERRUPTED)
