"""Each agent finds its MCP servers in its own file, in its own words."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyond.agents.common.mcp import HOMES, META, SERVERS, home
from anyond.model.configuration.settings import Executor
from anyond.model.refusals.requests import Impossible

HOME = Path("/home/ada")


def place(executor: Executor, **environ: str) -> str:
    return str(home(executor).path(HOME, environ))


def test_every_agent_but_those_without_has_a_file_of_its_own() -> None:
    assert set(Executor) - set(HOMES) == {Executor.ACP, Executor.DEMO}
    for executor in (Executor.ACP, Executor.DEMO):
        with pytest.raises(Impossible, match=executor.value):
            home(executor)
    assert len({place(executor) for executor in HOMES}) == len(HOMES)


def test_the_places_are_those_where_the_agents_look() -> None:
    assert place(Executor.CLAUDE_CODE) == "/home/ada/.claude.json"
    assert place(Executor.CLAUDE_CODE, CLAUDE_CONFIG_DIR="/c") == "/c/.claude.json"
    assert place(Executor.CODEX) == "/home/ada/.codex/config.toml"
    assert place(Executor.CODEX, CODEX_HOME="/c") == "/c/config.toml"
    assert place(Executor.OPENCODE, XDG_CONFIG_HOME="relative") == (
        "/home/ada/.config/opencode/opencode.json"
    )
    assert place(Executor.OPENCODE, XDG_CONFIG_HOME="/x") == "/x/opencode/opencode.json"


def test_an_opencode_file_with_comments_is_found_under_its_own_name(tmp_path: Path) -> None:
    directory = tmp_path / ".config" / "opencode"
    directory.mkdir(parents=True)
    (directory / "opencode.jsonc").write_text("{}")
    assert home(Executor.OPENCODE).path(tmp_path, {}).name == "opencode.jsonc"
    (directory / "opencode.json").write_text("{}")
    assert home(Executor.OPENCODE).path(tmp_path, {}).name == "opencode.json"


@pytest.mark.parametrize("executor", HOMES)
def test_every_server_that_is_offered_is_described(executor: Executor) -> None:
    offered = home(executor).preconfigured
    assert offered.pop("meta") == META
    assert offered.keys() == SERVERS.keys() == META.keys()
    assert home(executor).template.keys() >= set(home(executor).servers_path[:1])


def test_servers_are_told_in_the_words_of_each_agent() -> None:
    def reported(executor: Executor, name: str) -> object:
        return home(executor).preconfigured[name]

    key = {"CONTEXT7_API_KEY": "YOUR_API_KEY"}
    url = "https://mcp.context7.com/mcp"
    accept = {**key, "Accept": "application/json, text/event-stream"}
    play = ["-y", "@playwright/mcp@latest"]
    assert reported(Executor.CLAUDE_CODE, "context7") == {
        "type": "http",
        "url": url,
        "headers": key,
    }
    assert reported(Executor.CURSOR_AGENT, "context7") == {"url": url, "headers": key}
    assert reported(Executor.GEMINI, "context7") == {"httpUrl": url, "headers": accept}
    assert reported(Executor.CODEX, "context7") == {"url": url, "http_headers": key}
    assert reported(Executor.CODEX, "playwright") == {"command": "npx", "args": play}
    assert reported(Executor.OPENCODE, "context7") == {
        "type": "remote", "url": url, "headers": accept, "enabled": True
    }  # fmt: skip
    assert reported(Executor.OPENCODE, "playwright") == {
        "type": "local", "command": ["npx", *play], "enabled": True
    }  # fmt: skip
    assert reported(Executor.COPILOT, "playwright") == {
        "type": "local", "command": "npx", "args": play, "tools": ["*"]
    }  # fmt: skip
