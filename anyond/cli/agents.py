"""The commands `agents`: which agents are known by name."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import click

from anyond.cli.common import FAILED
from anyond.cli.frame.commands import LazyGroup
from anyond.cli.frame.failures import CommandFailed
from anyond.cli.frame.session import current


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    short_help="List agents, and update the list of those known by name.",
    examples=[
        ("anyon agents", "which are on this machine, and where"),
        ("anyon agents --check", "exit code 1 if the one of the settings is not"),
        ("anyon agents list", "those of the Agent Client Protocol, by name"),
    ],
)
@click.option("--check", is_flag=True, help="Fail if the agent of the settings is not there.")
@click.pass_context
def agents(context: click.Context, check: bool) -> None:
    """List the agents that the daemon can start, with their programs and versions.

    `list` and `refresh` are about agents of the Agent Client Protocol that are known by name: such
    an agent is the option `agent` of a variant of the executor ACP.
    """
    if context.invoked_subcommand is None:
        _print_agents(check)


def _print_agents(check: bool) -> None:
    from anyond.api import system
    from anyond.cli.rendering.colors import Painter, Style
    from anyond.cli.rendering.harmless import in_one_line
    from anyond.cli.rendering.tables import Cell, table

    session = current()
    with session.client() as client:
        info = client.call(system.GET_SYSTEM_INFO)
    chosen = info.config.executor_profile.executor
    if session.as_json:
        session.print_json(info.availability)
    else:
        rows = [
            [
                Cell(name.value, Style.BOLD if name is chosen else None),
                Cell("●" if one.available else "○", Style.GOOD if one.available else Style.DIM),
                Cell(in_one_line(one.version or "")),
                Cell(in_one_line(one.path or one.problem or ""), Style.DIM),
            ]
            for name, one in info.availability.items()
        ]
        columns = shutil.get_terminal_size().columns if session.is_terminal else None
        paint = Painter(session.colored())
        for line in table(("AGENT", " ", "VERSION", "PROGRAM"), rows, paint, columns, [3]):
            click.echo(line, color=True)
    found = info.availability.get(chosen)
    if check and (found is None or not found.available):
        why = found.problem if found is not None and found.problem else "It is not there."
        raise CommandFailed(f"{chosen.value}: {why}", type="agent_missing")


@agents.command("list", short_help="List the agents that are known by name.")
def list_agents() -> None:
    """List the agents that are known by name: id, name, and where it is or how to install it."""
    from anyond.agents.acp.registry.catalog import CATALOG
    from anyond.host.app_paths import AppPaths
    from anyond.settings.acp_agents import AcpAgentsFile

    AcpAgentsFile(AppPaths.of().acp_agents).load()
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


@agents.command("refresh", short_help="Update the list of agents.")
@click.argument("source", metavar="FILE", type=_FileOrAddress())
def refresh_agents(source: Path | str) -> None:
    """Update the list of agents from the protocol's registry, or a file of an earlier refresh.

    FILE is a JSON file, `-` for the standard input, a directory with a registry.json or with one
    agent.json for each agent, or the address of such a file (https://…). It replaces the list of
    the last refresh; agents that are shipped with Anyon and not in it stay. Nothing else is ever
    fetched. A running daemon reads it at the next request for /api/info or change of profiles.
    """
    from anyond.editing import files
    from anyond.host.app_paths import AppPaths
    from anyond.model.errors import AnyondError
    from anyond.settings.acp_agents import AcpAgentsFile
    from anyond.settings.download import download

    file = AcpAgentsFile(AppPaths.of().acp_agents)
    file.load()
    try:
        origin: Path | bytes
        if isinstance(source, str):
            origin = download(source)
        else:
            piped = str(source) == "-"
            origin = sys.stdin.buffer.read(files.LARGEST) if piped else source
        count, problems = file.refresh(origin)
    except AnyondError as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)
    for problem in problems:
        click.echo(f"Left out: {problem}", err=True)
    click.echo(f"{count} agents are in {file.path}.")
