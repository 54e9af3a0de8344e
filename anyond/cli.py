"""The command `anyon`: its options, and which exit code says what."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import click

from anyond import __version__

# Everything else is imported inside the commands: `anyon --version` has nothing to wait for.

FAILED = 1
ALREADY_RUNNING = 3
INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="anyon", message="%(prog)s %(version)s")
def main() -> None:
    """Run coding agents in worktrees of their own, and never lose their work.

    Exit codes: 0 all well, 1 failure, 2 wrong usage, 3 a daemon is already running.
    """


@main.command()
@click.option("--host", envvar="ANYON_HOST", help="Address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    envvar="ANYON_PORT",
    help="Port to listen on; 0 takes any free one.  [default: 8096]",
)
@click.option(
    "--unix",
    type=click.Path(path_type=Path),
    help="Listen on this Unix socket; on TCP too only if --host or --port is given.",
)
@click.option(
    "--vk-port",
    type=click.IntRange(0, 65535),
    envvar="ANYON_VK_PORT",
    help="Serve clients of vibe-kanban at this port as well; 0 takes any free one.",
)
@click.option(
    "--ui",
    type=click.Path(path_type=Path),
    help="Serve the built front end in this directory there too.",
)
@click.option(
    "--allowed-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="Accept this name in the Host header, beside those of loopback. Repeatable.",
)
@click.option(
    "--allowed-origin",
    "allowed_origins",
    multiple=True,
    metavar="ORIGIN",
    help="Accept requests of web pages from this origin. Repeatable.",
)
@click.option(
    "--auth",
    type=click.Choice(["none", "token"]),
    default="none",
    show_default=True,
    help="Whether requests must bring the token.",
)
@click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False),
    default="info",
    show_default=True,
)
def serve(
    *,
    host: str | None,
    port: int | None,
    unix: Path | None,
    vk_port: int | None,
    ui: Path | None,
    allowed_hosts: tuple[str, ...],
    allowed_origins: tuple[str, ...],
    auth: str,
    log_format: str,
    log_level: str,
) -> None:
    """Run the daemon until it is told to stop."""
    # What is loaded from here on stays; looking through it for garbage took a sixth of the start.
    # The daemon enables this again as soon as it serves.
    gc.disable()
    from anyond.settings import standard_streams

    standard_streams.prepare()

    from anyond import start
    from anyond.model.errors import AnyondError, Invalid
    from anyond.settings.lock import AlreadyRunning
    from anyond.settings.options import HOST, PORT, Auth, Options
    from anyond.settings.places import Places

    only_unix = unix is not None and host is None and port is None
    try:
        options = Options(
            places=Places.of(),
            host=None if only_unix else HOST if host is None else host,
            port=PORT if port is None else port,
            unix=None if unix is None else Path(os.path.abspath(unix)),
            vk_port=vk_port,
            ui=None if ui is None else Path(os.path.abspath(ui)),
            allowed_hosts=tuple(name.lower() for name in allowed_hosts),
            allowed_origins=tuple(origin.lower().rstrip("/") for origin in allowed_origins),
            auth=Auth(auth),
        )
    except Invalid as error:
        raise click.UsageError(str(error)) from error
    try:
        # Clients can wait from here on, while everything else is loaded.
        with start.first(options) as doors:
            _load_structlog()
            from anyond.settings.logging import LogFormat, configure

            configure(LogFormat(log_format), log_level)
            from anyond import daemon

            code = daemon.run(options, doors)
    except AlreadyRunning as error:
        click.echo(str(error), err=True)
        sys.exit(ALREADY_RUNNING)
    except Invalid as error:
        raise click.UsageError(str(error)) from error
    except AnyondError as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)
    sys.exit(code)


def _load_structlog() -> None:
    """Without rich, which it loads wherever it is installed, for tracebacks we do not let it print.

    That would be a fifteenth of the daemon's start and 3 MB of its memory.
    """
    if "rich" not in sys.modules and "structlog" not in sys.modules:
        sys.modules["rich"] = None  # type: ignore[assignment]  # so that importing it fails
        try:
            import structlog  # noqa: F401
        finally:
            del sys.modules["rich"]


@main.command(short_help="Watch a made-up task become a merged change.")
def demo() -> None:
    """Watch a made-up task go from an idea to a merged change, without network or keys."""
    from anyond.demo import tour
    from anyond.model.errors import AnyondError

    try:
        code = tour.run()
    except AnyondError as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)
    sys.exit(code)


@main.group("import")
def import_() -> None:
    """Bring in what another program kept. Anyon must not be running."""


@import_.command("vibe-kanban", short_help="Bring in everything that vibe-kanban kept.")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--dry-run", is_flag=True, help="Only count what there is and what is new.")
@click.option(
    "--images",
    "picture_folders",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    multiple=True,
    help="Where its images lie, if not where vibe-kanban puts them. Repeatable.",
)
@click.option("--again", is_flag=True, help="Bring back what was deleted here since.")
def import_vibe_kanban(
    path: Path, dry_run: bool, picture_folders: tuple[Path, ...], again: bool
) -> None:
    """Bring in projects, tasks, tags, images, attempts and logs of vibe-kanban 0.0.9x to 0.0.14x.

    PATH is its db.sqlite, or the directory of it; it is copied, never written to. Worktrees and
    branches are used where they are. What is here already is left as it is, and what was deleted
    here stays deleted, so that this can be done again at any time. The counts are shown before
    anything is written.
    """
    from anyond.importing import command
    from anyond.settings.lock import AlreadyRunning
    from anyond.settings.places import Places

    async def work() -> None:
        await command.run(
            Places.of(), path, picture_folders, dry_run=dry_run, again=again, say=click.echo
        )

    try:
        _in_trio(work)
    except AlreadyRunning as error:
        click.echo(f"{error} Stop it for the time of the import.", err=True)
        sys.exit(ALREADY_RUNNING)
    except KeyboardInterrupt:
        click.echo("Interrupted. The same command brings what is missing.", err=True)
        sys.exit(INTERRUPTED)


@main.command("restore-backup", short_help="Put a backup in the place of the database.")
@click.argument("name", required=False)
@click.option("--list", "only_list", is_flag=True, help="Only list the backups, the newest first.")
def restore_backup(name: str | None, only_list: bool) -> None:
    """Put a backup in the place of the database. Anyon must not be running.

    NAME is one of those that --list shows; the newest that is whole otherwise. The present database
    is kept beside it as anyon.db.replaced-1 and so on. What was written since the backup is not in
    it: worktrees, logs and images of that time stay where they are.
    """
    from anyond.model.errors import AnyondError
    from anyond.settings.lock import AlreadyRunning, sole_daemon
    from anyond.settings.places import Places
    from anyond.store import backup

    places = Places.of()
    try:
        if only_list:
            for one in backup.all_of(places.database):
                click.echo(f"{one.path.name}  {one.made_at}")
            return
        places.create()
        with sole_daemon(places.lock, places.presence):
            chosen = None if name is None else Path(name)
            restored, kept = backup.restore(places.database, chosen)
    except AlreadyRunning as error:
        click.echo(f"{error} Stop it first.", err=True)
        sys.exit(ALREADY_RUNNING)
    except AnyondError as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)
    click.echo(f"Restored {restored.path.name} of {restored.made_at}.")
    if kept is not None:
        click.echo(f"The former database is {kept}.")


@main.group(short_help="See which agents are known by name, and take in newer ones.")
def agents() -> None:
    """See which agents of the Agent Client Protocol are known by name, and take in newer ones.

    Such an agent is the option `agent` of a variant of the executor ACP.
    """


@agents.command("list", short_help="List the agents that are known by name.")
def list_agents() -> None:
    """List the agents that are known by name: id, program, name, and how to install it."""
    import shutil

    from anyond.agents.acp.catalog import CATALOG
    from anyond.settings.acp_agents import AcpAgentsFile
    from anyond.settings.places import Places

    AcpAgentsFile(Places.of().acp_agents).load()
    width = max(len(agent.id) for agent in CATALOG)
    for agent in CATALOG:
        path = shutil.which(agent.here[0])
        click.echo(f"{agent.id:<{width}}  {agent.name}: {path or agent.install}")


class _FileOrAddress(click.Path):
    """A file or directory that is there, `-`, or an address."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, exists=True, allow_dash=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from anyond.settings.download import is_address

        return value if is_address(str(value)) else super().convert(value, param, ctx)


@agents.command("refresh", short_help="Take in a newer list of agents.")
@click.argument("source", metavar="FILE", type=_FileOrAddress())
def refresh_agents(source: Path | str) -> None:
    """Take in a newer list of agents, in the format of the protocol's registry or of `list`'s file.

    FILE is a JSON file, `-` for the standard input, a directory with a registry.json or with one
    agent.json for each agent, or the address of such a file (https://…). It replaces what was
    taken in before; agents that are shipped with Anyon and not in it stay. Nothing else is ever
    fetched. A running daemon knows it as soon as somebody asks for /api/info or saves profiles.
    """
    from anyond.model.errors import AnyondError
    from anyond.settings import files
    from anyond.settings.acp_agents import AcpAgentsFile
    from anyond.settings.download import download
    from anyond.settings.places import Places

    file = AcpAgentsFile(Places.of().acp_agents)
    file.load()
    try:
        told: Path | bytes
        if isinstance(source, str):
            told = download(source)
        else:
            piped = str(source) == "-"
            told = sys.stdin.buffer.read(files.LARGEST) if piped else source
        count, problems = file.refresh(told)
    except AnyondError as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)
    for problem in problems:
        click.echo(f"Left out: {problem}", err=True)
    click.echo(f"{count} agents are in {file.path}.")


@main.group(short_help="See what was kept of worktrees, and get it back.")
def snapshots() -> None:
    """See what was kept before something destructive was done to a worktree, and get it back.

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
    _in_trio(lambda: _list_snapshots(repo.absolute(), attempt))


@snapshots.command("restore", short_help="Make a new worktree as it was in a snapshot.")
@_REPO
@click.argument("name")
@click.argument("path", type=click.Path(path_type=Path))
def restore_snapshot(repo: Path, name: str, path: Path) -> None:
    """Make a new worktree at PATH as it was in the snapshot NAME: files, index and HEAD.

    NAME is as in the list; the beginning of the attempt's id is enough. Nothing that exists is
    changed.
    """
    _in_trio(lambda: _restore_snapshot(repo.absolute(), name, path.absolute()))


async def _list_snapshots(repo: Path, attempt: str | None) -> None:
    from anyond.git import repository
    from anyond.git import snapshots as kept

    await repository.common_dir(repo)
    for one in await kept.list(repo, attempt):
        head = one.head[:10] if one.head else "-"
        state = f"  ({one.op} in progress)" if one.op else ""
        branch = one.branch or "(detached)"
        name = f"{one.attempt_id}/{one.number}"
        click.echo(f"{name}  {one.created_at}  {one.reason:<12}  {branch}  {head}{state}")


async def _restore_snapshot(repo: Path, name: str, path: Path) -> None:
    from anyond.git import repository, snapshot_submodules
    from anyond.git import snapshots as kept
    from anyond.model.errors import NotFound

    await repository.common_dir(repo)
    wanted = name.removeprefix(kept.PREFIX)
    found = [
        one
        for one in await kept.list(repo)
        if f"{one.attempt_id}/{one.number}" == wanted
        or (
            one.attempt_id.startswith(wanted.partition("/")[0])
            and wanted.endswith(f"/{one.number}")
        )
    ]
    if len(found) != 1:
        raise NotFound("snapshot" if not found else "single snapshot", name)
    await kept.restore(repository.Repositories(), repo, found[0].ref, path)
    for complaint in await snapshot_submodules.bring_back(repo, path, found[0]):
        click.echo(complaint, err=True)
    click.echo(f"The worktree as it was is in {path}.")


def _in_trio(work: Callable[[], Awaitable[None]]) -> None:
    """Run `work`; a refusal is a sentence on standard error, and exit code 1.

    Raises:
        KeyboardInterrupt: by itself, wherever in `work` it came.
    """
    import trio

    from anyond.model.errors import AnyondError
    from anyond.settings.lock import AlreadyRunning

    try:
        trio.run(work)
    except AlreadyRunning:
        raise
    except BaseExceptionGroup as group:
        if group.split(KeyboardInterrupt)[1] is not None:
            raise
        raise KeyboardInterrupt from None
    except AnyondError as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)
