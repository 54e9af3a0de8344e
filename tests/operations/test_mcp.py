"""A person's MCP servers, in each agent's own file."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from anyond.model.configuration.settings import Executor
from anyond.model.errors import AnyondError
from anyond.model.refusals.requests import Invalid
from anyond.operations import mcp

SERVER = {"command": "tea", "args": ["--hot"]}


async def test_what_was_written_is_read_and_the_rest_of_the_file_stays(home: Path) -> None:
    path = home / ".claude.json"
    path.write_text(json.dumps({"theme": "dark", "mcpServers": {}}))
    assert await mcp.write(Executor.CLAUDE_CODE, {"tea": SERVER}) == "Added 1 MCP server(s)"
    found = await mcp.read(Executor.CLAUDE_CODE)
    assert found.config_path == str(path)
    assert found.mcp_config.servers == {"tea": SERVER}
    assert json.loads(path.read_text())["theme"] == "dark"


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ({}, {}, "No MCP servers configured"),
        ({"a": SERVER}, {"b": SERVER}, "Updated MCP server configuration (1 server(s))"),
        (
            {"a": SERVER},
            {"a": SERVER, "b": SERVER},
            "Updated MCP server configuration (was 1, now 2)",
        ),
    ],
)
@pytest.mark.usefixtures("home")
async def test_one_sentence_says_what_has_changed(
    before: dict[str, object], after: dict[str, object], sentence: str
) -> None:
    await mcp.write(Executor.CLAUDE_CODE, before)
    assert await mcp.write(Executor.CLAUDE_CODE, after) == sentence


async def test_servers_of_an_agent_whose_file_is_toml_are_written_as_toml(home: Path) -> None:
    await mcp.write(Executor.CODEX, {"tea": SERVER})
    content = tomllib.loads((home / ".codex" / "config.toml").read_text())
    assert content["mcp_servers"] == {"tea": SERVER}
    assert (await mcp.read(Executor.CODEX)).mcp_config.is_toml_config


@pytest.mark.parametrize("value", [None, 2**63, {"deep": [1, {"er": None}]}])
async def test_what_toml_cannot_say_is_refused_by_its_place(home: Path, value: object) -> None:
    with pytest.raises(Invalid, match=r"servers\.tea\.args"):
        await mcp.write(Executor.CODEX, {"tea": {"command": "tea", "args": value}})
    assert not (home / ".codex" / "config.toml").exists()


async def test_without_a_home_nothing_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anyond.operations.mcp.home_directory", lambda: None)
    with pytest.raises(AnyondError, match="HOME"):
        await mcp.read(Executor.CLAUDE_CODE)
