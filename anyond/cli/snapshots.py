"""The commands `snapshots`: saved states of worktrees."""

from __future__ import annotations

from pathlib import Path

import click

from anyond.cli.common import in_trio


@click.group(short_help="List and restore snapshots of worktrees.")
def snapshots() -> None:
    """List and restore snapshots: states of worktrees before something destructive was done.

    Works on the repository itself, whether or not a daemon runs.
    """


_REPO = click.option(
    "--repo",
    type=click.Path(path_type=Path, file_okay=False),
    default=".",
    show_default=True,
    help="The repository, or any of its worktrees.",
)


@snapshots.command("list", short_help="List the snapshots, the oldest first.")
@_REPO
@click.option("--attempt", metavar="ID", help="Only those of this attempt.")
def list_snapshots(repo: Path, attempt: str | None) -> None:
    """List the snapshots, the oldest first: name, time, reason, branch, commit."""
    in_trio(lambda: _list_snapshots(repo.absolute(), attempt))


@snapshots.command("restore", short_help="Make a new worktree as it was in a snapshot.")
@_REPO
@click.argument("name")
@click.argument("path", type=click.Path(path_type=Path))
def restore_snapshot(repo: Path, name: str, path: Path) -> None:
    """Make a new worktree at PATH as it was in the snapshot NAME: files, index and HEAD.

    NAME is as in the list; the beginning of the attempt's id is enough. Nothing that exists is
    changed.
    """
    in_trio(lambda: _restore_snapshot(repo.absolute(), name, path.absolute()))


async def _list_snapshots(repo: Path, attempt: str | None) -> None:
    from anyond.git.repo import repository
    from anyond.git.snapshots import snapshot_refs

    await repository.common_dir(repo)
    for one in await snapshot_refs.list_snapshots(repo, attempt):
        head = one.head[:10] if one.head else "-"
        state = f"  ({one.op} in progress)" if one.op else ""
        branch = one.branch or "(detached)"
        name = f"{one.attempt_id}/{one.number}"
        click.echo(f"{name}  {one.created_at}  {one.reason:<12}  {branch}  {head}{state}")


async def _restore_snapshot(repo: Path, name: str, path: Path) -> None:
    from anyond.git.repo import repository
    from anyond.git.snapshots import snapshot_refs, snapshot_submodules, snapshots
    from anyond.model.refusals.requests import NotFound

    await repository.common_dir(repo)
    number = name.removeprefix(snapshot_refs.PREFIX)
    found = [
        one
        for one in await snapshot_refs.list_snapshots(repo)
        if f"{one.attempt_id}/{one.number}" == number
        or (
            one.attempt_id.startswith(number.partition("/")[0])
            and number.endswith(f"/{one.number}")
        )
    ]
    if len(found) != 1:
        raise NotFound("snapshot" if not found else "single snapshot", name)
    await snapshots.restore(repository.Repositories(), repo, found[0].ref, path)
    for complaint in await snapshot_submodules.bring_back(repo, path, found[0]):
        click.echo(complaint, err=True)
    click.echo(f"The worktree as it was is in {path}.")
