"""The MCP servers of each agent: the file, its format, and the servers that are worth offering."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from anyond.model.configuration.settings import Executor
from anyond.model.refusals.requests import Impossible

Server = dict[str, Any]


class McpHome(Struct, frozen=True):
    """The place of one agent's MCP servers.

    Args:
        file: relative to the home directory.
        servers_path: the keys that lead to the servers in it.
        moved_by: a variable of the environment that names another directory, and the file in it.
        toml: whether it is TOML; else it is JSON, comments allowed.
        more: what else a new file begins with.
        adapt: a server in the words of this agent; None if it cannot have such a one.
        also: other names of the file in the same directory, used if only they exist.
    """

    file: str
    servers_path: tuple[str, ...] = ("mcpServers",)
    moved_by: tuple[str, str] | None = None
    toml: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)
    adapt: Callable[[Server], Server] = dict
    also: tuple[str, ...] = ()

    @property
    def template(self) -> dict[str, Any]:
        """The content of a new file."""
        inner: dict[str, Any] = {}
        for key in reversed(self.servers_path):
            inner = {key: inner}
        return {**inner, **self.more}

    @property
    def preconfigured(self) -> dict[str, Any]:
        """Servers to choose from, as this agent writes them, and under `meta` what they are."""
        return {**{n: self.adapt(server) for n, server in SERVERS.items()}, "meta": META}

    def path(self, home: Path, environ: Mapping[str, str]) -> Path:
        """The file of the person whose home directory and environment these are."""
        path = home / self.file
        if self.moved_by is not None:
            variable, name = self.moved_by
            chosen = Path(environ.get(variable, ""))
            if chosen.is_absolute():
                path = chosen / name
        others = [path.with_name(name) for name in self.also]
        if not path.exists():
            return next((other for other in others if other.exists()), path)
        return path


def _bare_url(server: Server) -> Server:
    return {key: value for key, value in server.items() if key != "type"}


def _streaming(server: Server) -> Server:
    return {**server.get("headers", {}), "Accept": "application/json, text/event-stream"}


def _gemini(server: Server) -> Server:
    if "url" not in server:
        return dict(server)
    return {"httpUrl": server["url"], "headers": _streaming(server)}


def _codex(server: Server) -> Server:
    if "url" not in server:
        return dict(server)
    headers = server.get("headers")
    return {"url": server["url"], **({"http_headers": headers} if headers else {})}


def _opencode(server: Server) -> Server:
    if "url" in server:
        headers = _streaming(server)
        return {"type": "remote", "url": server["url"], "headers": headers, "enabled": True}
    local: Server = {"type": "local", "command": [server["command"], *server.get("args", [])]}
    if server.get("env"):
        local["environment"] = server["env"]
    return {**local, "enabled": True}


def _copilot(server: Server) -> Server:
    return {"type": "local", **server, "tools": ["*"]}


def _droid(server: Server) -> Server:
    return {"type": "stdio", **server, "disabled": False}


SERVERS: Mapping[str, Server] = {
    "context7": {
        "type": "http",
        "url": "https://mcp.context7.com/mcp",
        "headers": {"CONTEXT7_API_KEY": "YOUR_API_KEY"},
    },
    "github": {
        "type": "http",
        "url": "https://api.githubcopilot.com/mcp/",
        "headers": {"Authorization": "Bearer YOUR_GITHUB_TOKEN"},
    },
    "playwright": {"command": "npx", "args": ["-y", "@playwright/mcp@latest"]},
}

META: Mapping[str, Mapping[str, str | None]] = {
    "context7": {
        "name": "Context7",
        "description": "Current documentation of libraries, in the version that a project uses",
        "url": "https://context7.com",
        "icon": None,
    },
    "github": {
        "name": "GitHub",
        "description": "Issues, pull requests, files and workflows on GitHub",
        "url": "https://github.com/github/github-mcp-server",
        "icon": None,
    },
    "playwright": {
        "name": "Playwright",
        "description": "A browser that the agent can open, read and click in",
        "url": "https://github.com/microsoft/playwright-mcp",
        "icon": None,
    },
}

HOMES: Mapping[Executor, McpHome] = {
    Executor.CLAUDE_CODE: McpHome(".claude.json", moved_by=("CLAUDE_CONFIG_DIR", ".claude.json")),
    Executor.AMP: McpHome(".config/amp/settings.json", ("amp.mcpServers",), adapt=_bare_url),
    Executor.GEMINI: McpHome(".gemini/settings.json", adapt=_gemini),
    Executor.QWEN_CODE: McpHome(".qwen/settings.json", adapt=_gemini),
    Executor.CODEX: McpHome(
        ".codex/config.toml",
        ("mcp_servers",),
        moved_by=("CODEX_HOME", "config.toml"),
        toml=True,
        adapt=_codex,
    ),
    Executor.CURSOR_AGENT: McpHome(".cursor/mcp.json", adapt=_bare_url),
    Executor.COPILOT: McpHome(".copilot/mcp-config.json", adapt=_copilot),
    Executor.OPENCODE: McpHome(
        ".config/opencode/opencode.json",
        ("mcp",),
        moved_by=("XDG_CONFIG_HOME", "opencode/opencode.json"),
        more={"$schema": "https://opencode.ai/config.json"},
        adapt=_opencode,
        also=("opencode.jsonc",),
    ),
    Executor.DROID: McpHome(".factory/mcp.json", adapt=_droid),
}


def home(executor: Executor) -> McpHome:
    """The place of that agent's MCP servers.

    Raises:
        Impossible: it has none that Anyon knows.
    """
    found = HOMES.get(executor)
    if found is None:
        raise Impossible(
            "executor",
            f"{executor.value} does not support MCP servers that Anyon could read or write; these "
            f"do: {', '.join(known.value for known in HOMES)}.",
        )
    return found
