"""The command `mcp`: Anyon as a server of tools, and its entry in an agent's own settings."""

from __future__ import annotations

import os
import sys

import click

from anyond.cli.frame.commands import LazyGroup, Verb
from anyond.cli.frame.session import current


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    short_help="Serve tools for agents on standard input and output.",
    examples=(
        ("anyon mcp", "for programs: one message of the protocol a line"),
        ("anyon mcp install CLAUDE_CODE", "let Claude Code use Anyon"),
    ),
)
@click.pass_context
def mcp(context: click.Context) -> None:
    """Speak the Model Context Protocol on standard input and output.

    Programs that use tools start it: each line is a message, passed on to the daemon, which is
    started if none runs. The same is at /mcp of the daemon for those that respond HTTP.
    """
    if context.invoked_subcommand is not None:
        return
    from anyond.cli.finding.daemon_start import ensure_daemon
    from anyond.cli.following.mcp_bridge import McpBridge
    from anyond.client.blocking_connection import BlockingConnection
    from anyond.client.waits import TIMEOUT_S

    session = current()
    ensure_daemon(session)
    connection = BlockingConnection(session.address, TIMEOUT_S)

    def write(line: bytes) -> None:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()

    McpBridge(connection, write, os.getcwd()).run(sys.stdin.buffer)


@mcp.command(
    cls=Verb,
    short_help="Let an agent use Anyon.",
    examples=(("anyon mcp install CODEX", "let Codex use Anyon"),),
)
@click.argument("agent", metavar="AGENT")
@click.option("--name", default="anyon", show_default=True, help="What the agent calls it.")
def install(agent: str, name: str) -> None:
    """Write Anyon into the MCP servers of an agent; others in there stay."""
    from anyond.agents.common.mcp import home
    from anyond.api import system
    from anyond.cli.frame.failures import CommandFailed
    from anyond.model.http.bodies import McpServers
    from anyond.settings.names import executor_named

    session = current()
    executor = executor_named(agent)
    if executor is None:
        raise click.BadParameter(f"There is no agent {agent}.", param_hint="AGENT")
    params = system.OfExecutor(executor=executor)
    with session.client() as client:
        found = client.call(system.GET_MCP_SERVERS, params)
        servers = dict(found.mcp_config.servers)
        entry = home(executor).adapt({"command": sys.executable, "args": ["-m", "anyond", "mcp"]})
        if servers.get(name) != entry:
            servers[name] = entry
            client.call(system.UPDATE_MCP_SERVERS, params, McpServers(servers=servers))
        after = client.call(system.GET_MCP_SERVERS, params).mcp_config.servers
    if name not in after:
        raise CommandFailed(f"{executor.value} did not keep it in {found.config_path}.")
    if session.as_json:
        session.print_json({"name": name, "path": found.config_path, "entry": after[name]})
    else:
        session.notice(f"{executor.value} can use Anyon now: {name} in {found.config_path}.")
