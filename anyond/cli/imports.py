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


@import_.command("anyon", short_help="Import what `anyon export` has written.")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--repositories",
    type=click.Path(path_type=Path, file_okay=False),
    help="Make repositories in this directory that are not on this machine.",
)
@click.option("--again", is_flag=True, help="Import again what was deleted here since.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def import_anyon(path: Path, repositories: Path | None, again: bool, as_json: bool) -> None:
    """Import projects, tasks, attempts, conversations and branches of another Anyon.

    PATH is the directory or the .zip. What is here already is left as it is, and what was deleted
    here stays deleted, so that this can be done again at any time, with a newer export too. A
    repository is used where it was, if it is there, and gets the branches that it has not; none
    that it has is moved. Scripts of the projects come along: import only what you would run.
    """
    import msgspec

    from anyond.cli.rendering.progress import progress_line
    from anyond.exporting import taking_in
    from anyond.exporting.taking_in import Outcome
    from anyond.host.app_paths import AppPaths
    from anyond.host.lock import sole_daemon
    from anyond.model.refusals.daemon import AlreadyRunning
    from anyond.settings.config import ConfigFile
    from anyond.store.engine.database import Store

    paths, path = AppPaths.of(), path.absolute()
    outcomes: list[Outcome] = []

    async def work() -> None:
        paths.create()
        with sole_daemon(paths.lock, paths.daemon_file):
            async with (
                Store.open(paths.database) as store,
                taking_in.opened(path, paths.data_dir) as (folder, manifest),
            ):
                workspace = ConfigFile(paths.config).config.workspace_dir
                job = taking_in.Import(
                    folder,
                    manifest,
                    paths,
                    store,
                    repositories=repositories,
                    worktrees=paths.worktrees(workspace),
                    again=again,
                )
                outcomes.append(await job.run(lambda done, total: line.show("Tasks", done, total)))

    try:
        with progress_line(quiet=as_json) as line:
            in_trio(work)
    except AlreadyRunning as error:
        click.echo(f"{error} Stop it for the time of the import.", err=True)
        sys.exit(ALREADY_RUNNING)
    except KeyboardInterrupt:
        click.echo("Interrupted. The same command brings what is missing.", err=True)
        sys.exit(INTERRUPTED)
    [outcome] = outcomes
    if as_json:
        click.echo(msgspec.json.encode(outcome).decode())
        return
    for kind in ("projects", "tasks", "task_attempts", "execution_processes"):
        new, known = outcome.new.get(kind, 0), outcome.known.get(kind, 0)
        click.echo(f"{kind.replace('_', ' '):20}{new:>8} new{known:>8} known")
    if outcome.deleted:
        click.echo(f"{outcome.deleted} were deleted here since (--again brings them back).")
    for sentence in outcome.left_out:
        click.echo(f"- {sentence}")
