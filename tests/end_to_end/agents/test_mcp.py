"""MCP servers through the API: each agent's own file, everything else in it untouched."""

from __future__ import annotations

import json
import tomllib

import pytest

from tests.support.daemon import Daemon, Refused

FILES = "/api/mcp-config?executor="
SERVER = {"command": "npx", "args": ["-y", "server"], "env": {"KEY": "secret"}}


async def test_servers_are_read_and_written_where_the_agent_looks(daemon: Daemon) -> None:
    path = daemon.home / ".claude.json"
    path.write_text('{\n  // mine\n  "numStartups": 7,\n  "mcpServers": {"old": {}}\n}\n')
    found = await daemon.ask("GET", f"{FILES}CLAUDE_CODE")
    assert found["config_path"] == str(path)
    assert found["mcp_config"].keys() == {
        *("servers", "servers_path", "template", "preconfigured", "is_toml_config"),
    }
    assert found["mcp_config"]["servers"] == {"old": {}}
    assert found["mcp_config"]["servers_path"] == ["mcpServers"]
    assert found["mcp_config"]["is_toml_config"] is False
    output = await daemon.ask("POST", f"{FILES}CLAUDE_CODE", {"servers": {"new": SERVER, "b": {}}})
    assert output == "Updated MCP server configuration (was 1, now 2)"
    assert "// mine\n" in path.read_text()
    found = await daemon.ask("GET", f"{FILES}CLAUDE_CODE")
    assert found["mcp_config"]["servers"] == {"new": SERVER, "b": {}}


async def test_toml_and_other_agents_have_files_of_their_own(daemon: Daemon) -> None:
    assert await daemon.ask("POST", f"{FILES}CODEX", {"servers": {"a": SERVER}}) == (
        "Added 1 MCP server(s)"
    )
    path = daemon.home / ".codex" / "config.toml"
    assert tomllib.loads(path.read_text()) == {"mcp_servers": {"a": SERVER}}
    found = await daemon.ask("GET", f"{FILES}CODEX")
    assert (found["mcp_config"]["is_toml_config"], found["config_path"]) == (True, str(path))
    await daemon.ask("POST", f"{FILES}AMP", {"servers": {"a": SERVER}})
    amp = json.loads((daemon.home / ".config" / "amp" / "settings.json").read_text())
    assert amp == {"amp.mcpServers": {"a": SERVER}}
    with pytest.raises(Refused) as refusal:
        await daemon.ask("POST", f"{FILES}CODEX", {"servers": {"a": {"x": [None]}}})
    assert (refusal.value.status, refusal.value.body["message"]) == (
        400,
        "servers.a.x[0]: is null, which TOML cannot say; leave it out",
    )
    before = path.read_bytes()
    with pytest.raises(Refused, match=r"servers\.a\.x: is a number too large for TOML"):
        await daemon.ask("POST", f"{FILES}CODEX", {"servers": {"a": {"x": 2**63}}})
    assert path.read_bytes() == before
    await daemon.ask("POST", f"{FILES}CODEX", {"servers": {"a": {"x": 2**63 - 1, "y": -(2**63)}}})


async def test_agents_that_have_none_and_names_that_are_none_are_refused(daemon: Daemon) -> None:
    for executor, status in (("DEMO", 422), ("ACP", 422), ("NOBODY", 400), ("", 400)):
        for method, body in (("GET", None), ("POST", {"servers": {}})):
            with pytest.raises(Refused, match="executor: ") as refusal:
                await daemon.ask(method, FILES + executor, body)
            assert refusal.value.status == status


async def test_a_damaged_file_is_a_conflict_that_names_it(daemon: Daemon) -> None:
    path = daemon.home / ".claude.json"
    path.write_text("{,}")
    for method, body in (("GET", None), ("POST", {"servers": {"a": {}}})):
        with pytest.raises(Refused, match=r"\.claude\.json") as refusal:
            await daemon.ask(method, f"{FILES}CLAUDE_CODE", body)
        assert (refusal.value.status, refusal.value.type) == (409, "broken_config")
    with pytest.raises(Refused, match="servers"):
        await daemon.ask("POST", f"{FILES}CLAUDE_CODE", {"servers": {"a": "text"}})
    assert path.read_text() == "{,}"
