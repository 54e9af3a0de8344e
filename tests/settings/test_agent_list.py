"""Agents that a person lays over those that are shipped, by the command `anyon agents`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from anyond.agents.acp.registry.catalog import Catalog, KnownAgent
from anyond.cli import main
from anyond.model.refusals.requests import Invalid
from anyond.settings.acp_agents import AcpAgentsFile

HERON = {"id": "heron", "name": "Heron", "distribution": {"npx": {"package": "heron@1"}}}


def shipped() -> Catalog:
    return Catalog(lambda: {"wren": KnownAgent(id="wren", name="Wren", command=("wren",))})


def ids(catalog: Catalog) -> list[str]:
    return [agent.id for agent in catalog]


def text(*agents: Any) -> bytes:
    return json.dumps({"agents": agents}).encode()


def test_what_is_taken_in_is_known_until_other_is_taken_in(tmp_path: Path) -> None:
    catalog = shipped()
    file = AcpAgentsFile(tmp_path / "acp-agents.json", catalog)
    file.load()
    assert ids(catalog) == ["wren"]
    other = AcpAgentsFile(file.path, shipped())
    assert other.refresh(text(HERON, {"id": "!"})) == (
        1,
        ["FILE: agents[1]: ! says of no way to run it here"],
    )
    file.load()
    assert ids(catalog) == ["heron", "wren"]
    other.refresh(text({"id": "wren", "name": "Other", "command": ["w2"]}))
    file.load()
    assert ids(catalog) == ["wren"]
    assert catalog.find("wren").command == ("w2",)
    file.path.unlink()
    file.load()
    assert catalog.find("wren").command == ("wren",)


def test_a_file_that_cannot_be_read_leaves_what_is_shipped(tmp_path: Path) -> None:
    catalog = shipped()
    file = AcpAgentsFile(tmp_path / "acp-agents.json", catalog)
    for content in (b"{", b"[]", b'{"agents": 7}', b'{"agents": [7]}'):
        file.path.write_bytes(content)
        file.load()
        assert ids(catalog) == ["wren"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b'{"agents": []}', b"[" * 100_000])
def test_what_is_no_list_of_agents_changes_nothing(tmp_path: Path, content: bytes) -> None:
    file = AcpAgentsFile(tmp_path / "acp-agents.json", shipped())
    with pytest.raises(Invalid):
        file.refresh(content)
    assert not file.path.exists()


def test_the_command_takes_a_file_a_directory_and_the_standard_input(tmp_path: Path) -> None:
    runner = CliRunner(
        env={
            "ANYON_CONFIG_DIR": str(tmp_path / "config"),
            "ANYON_DATA_DIR": str(tmp_path / "data"),
            "PATH": str(tmp_path),
        }
    )
    listed = runner.invoke(main, ["agents", "list"])
    assert listed.exit_code == 0
    assert "Kilo: Install it with `npm install -g @kilocode/cli`." in listed.output
    single = tmp_path / "registry.json"
    single.write_bytes(text(HERON, {"id": "owl"}))
    folder = tmp_path / "list"
    (folder / "heron").mkdir(parents=True)
    (folder / "heron" / "agent.json").write_text(json.dumps(HERON))
    for argument, piped in ((single, None), (folder, None), (tmp_path, None), ("-", text(HERON))):
        (tmp_path / "config" / "acp-agents.json").unlink(missing_ok=True)
        done = runner.invoke(main, ["agents", "refresh", str(argument)], input=piped)
        assert done.exit_code == 0, done.output
        assert "1 agents are in " in done.output
        assert "Heron: Install it with `npm install -g heron`." in (
            runner.invoke(main, ["agents", "list"]).output
        )
    single.write_text("{}")
    refused = runner.invoke(main, ["agents", "refresh", str(single)])
    assert refused.exit_code == 1
    assert refused.output.startswith("FILE: registry.json: agents must be a list")
    assert runner.invoke(main, ["agents", "refresh", str(tmp_path / "no")]).exit_code == 2
