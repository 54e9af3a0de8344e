"""The chapter MCP: which servers of tools each agent has, in that agent's own configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct
from quart import Blueprint, Response, request

from anyond.http import decode
from anyond.http.decode import line
from anyond.http.envelope import answer, cached
from anyond.http.query import executor_in
from anyond.model.errors import Invalid
from anyond.operations import mcp

if TYPE_CHECKING:
    from anyond.actors.services import Services


class McpServers(Struct, frozen=True, kw_only=True):
    """The body of an update: all servers, by their names."""

    servers: dict[str, Any]


def routes(_: Services) -> Blueprint:
    """`/api/mcp-config`."""
    chapter = Blueprint("mcp", __name__)

    @chapter.get("/api/mcp-config")
    async def servers() -> Response:
        return cached(await mcp.read(executor_in(request.args, "executor")))

    @chapter.post("/api/mcp-config")
    async def change_servers() -> Response:
        executor = executor_in(request.args, "executor")
        wanted = await decode.body(McpServers)
        for name, server in wanted.servers.items():
            line(name, "servers")
            if not isinstance(server, dict):
                raise Invalid(f"servers.{name}", "must be an object")
        return answer(await mcp.write(executor, wanted.servers))

    return chapter
