"""Reading and changing a person's MCP servers, each agent's in its own file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import trio

from anyond.agents.common.mcp import McpHome, home
from anyond.files.home import home as home_directory
from anyond.model.configuration.settings import Executor
from anyond.model.errors import Unavailable
from anyond.model.http.answers import McpConfig, McpServersFound
from anyond.model.refusals.requests import Invalid

if TYPE_CHECKING:
    from anyond.settings.mcp import McpFile


async def read(executor: Executor) -> McpServersFound:
    """The servers of an agent, and what is known about how it keeps them.

    Raises:
        Impossible: it has none that Anyon knows.
        Conflict, Unavailable: see `McpFile.read`.
    """
    place = home(executor)
    file = _file(place)
    servers = await trio.to_thread.run_sync(file.read)
    return McpServersFound(
        mcp_config=McpConfig(
            servers=servers,
            servers_path=place.servers_path,
            template=place.template,
            preconfigured=place.preconfigured,
            is_toml_config=place.toml,
        ),
        config_path=str(file.path),
    )


async def write(executor: Executor, servers: dict[str, Any]) -> str:
    """Replace the servers of an agent. A cancelled caller leaves; the file is written whole.

    Returns:
        What has changed, in one sentence.

    Raises:
        Impossible: it has none that Anyon knows.
        Invalid: there is something in them that its format cannot say.
        Conflict, Unavailable: see `McpFile.write`; the file is unchanged.
    """
    place = home(executor)
    if place.toml:
        _be_sayable(servers, "servers")
    before = await trio.to_thread.run_sync(_file(place).write, servers)
    after = len(servers)
    if before == after == 0:
        return "No MCP servers configured"
    if before == 0:
        return f"Added {after} MCP server(s)"
    if before == after:
        return f"Updated MCP server configuration ({after} server(s))"
    return f"Updated MCP server configuration (was {before}, now {after})"


def _file(place: McpHome) -> McpFile:
    own = home_directory()
    if own is None:
        raise Unavailable("This user has no home directory, so no agent's files; set HOME.")
    # What changes texts of others with care is loaded by who needs it, not at every start.
    from anyond.settings.mcp import McpFile

    path = place.path(own, os.environ)
    return McpFile(path, place.servers_path, place.template, toml=place.toml)


def _be_sayable(value: object, at: str) -> None:
    """Refuse what TOML has no words for, or only such that its readers give up the whole file."""
    if value is None:
        raise Invalid(at, "is null, which TOML cannot say; leave it out")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise Invalid(at, "is a number too large for TOML, which has 64 bits for it")
    if isinstance(value, dict):
        for key, inner in value.items():
            _be_sayable(inner, f"{at}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _be_sayable(inner, f"{at}[{index}]")
