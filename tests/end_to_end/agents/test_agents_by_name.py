"""Agents of the Agent Client Protocol by their names, as clients of the whole daemon see them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from anyond.cli import main
from tests.support.daemon import ACP_AGENT, Daemon, Refused
from tests.support.real_agents.claude_cli import printed


def _installed(daemon: Daemon, name: str) -> Path:
    """A program in the PATH of the daemon that speaks the protocol if it is asked to."""
    path = daemon.root / "programs" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n[ \"$1\" = acp ] && exec '{sys.executable}' -I '{ACP_AGENT}'\n")
    path.chmod(0o755)
    return path


async def _named(daemon: Daemon) -> dict[str, dict[str, Any]]:
    agents = (await daemon.ask("GET", "/api/info"))["acp_agents"]
    assert [agent["id"] for agent in agents] == sorted(agent["id"] for agent in agents)
    return {agent["id"]: agent for agent in agents}


async def _choose(daemon: Daemon, **options: Any) -> None:
    body = {"executors": {"ACP": {"DEFAULT": {"ACP": options}}}}
    await daemon.ask("PUT", "/api/profiles", body)


async def test_an_agent_works_that_is_only_named(daemon: Daemon) -> None:
    path = _installed(daemon, "kilo")
    assert (await _named(daemon))["kilo"] == {
        "id": "kilo",
        "name": "Kilo",
        "available": True,
        "path": str(path),
        "command": ["kilo", "acp"],
        "install": "Install it with `npm install -g @kilocode/cli`.",
        "website": "https://kilo.ai/",
        "modes": [],
        "models": [],
        "more": 0,
    }
    await _choose(daemon, agent="kilo")
    assert (await daemon.ask("GET", "/api/info"))["availability"]["ACP"]["path"] == str(path)
    ended = await daemon.over(await daemon.attempt(await daemon.project(), "say hello", "ACP"))
    assert ended["status"] == "completed"
    assert "".join(printed(await daemon.entries(ended))).endswith("hello")


async def test_an_agent_that_is_not_installed_says_how_to_get_it(daemon: Daemon) -> None:
    goose = (await _named(daemon))["goose"]
    assert (goose["available"], goose["path"]) == (False, None)
    await _choose(daemon, agent="goose")
    problem = (await daemon.ask("GET", "/api/info"))["availability"]["ACP"]["problem"]
    assert problem == f"The program 'goose' was not found. {goose['install']}"
    with pytest.raises(Refused) as refused:
        await daemon.attempt(await daemon.project(), "say hello", "ACP")
    assert (refused.value.status, refused.value.type) == (422, "program_missing")
    assert refused.value.body["error_data"]["install"] == goose["install"]


async def test_an_agent_that_nobody_knows_is_refused_with_what_is_meant(daemon: Daemon) -> None:
    body = {"executors": {"ACP": {"NEW": {"ACP": {"agent": "kiloo"}}}}}
    answer = await daemon.request("PUT", "/api/profiles", json=body)
    assert answer.status_code == 400
    assert answer.json()["error_data"]["field"] == "executors.ACP.NEW.agent"
    assert "perhaps kilo or kiro is meant" in answer.json()["message"]
    # Of a file that was written by hand.
    project = await daemon.project()
    await daemon.stop()
    profiles = Path(daemon.environment["ANYON_CONFIG_DIR"]) / "profiles.json"
    profiles.write_text(json.dumps(body))
    await daemon.start()
    task = {"project_id": project["id"], "title": "t", "description": "say hello"}
    profile = {"executor": "ACP", "variant": "NEW"}
    expected = {"task": task, "executor_profile_id": profile, "base_branch": "main"}
    answer = await daemon.request("POST", "/api/tasks/create-and-start", json=expected)
    assert answer.status_code == 422
    assert answer.json()["error_data"] == {"type": "impossible", "field": "agent"}
    assert await daemon.ask("GET", f"/api/tasks?project_id={project['id']}") == []


async def test_a_list_that_is_taken_in_is_known_to_a_running_daemon(daemon: Daemon) -> None:
    assert "heron" not in await _named(daemon)
    path = _installed(daemon, "heron")
    rows = [
        {"id": "heron", "name": "Heron", "distribution": {"npx": {"package": "heron@1.0.0"}}},
        {"id": "kilo", "name": "Kilo", "command": ["heron", "acp"]},
    ]
    rows[0]["distribution"]["npx"]["args"] = ["acp"]  # type: ignore[index]
    taken = daemon.root / "registry.json"
    taken.write_text(json.dumps({"version": "1.0.0", "agents": rows}))
    done = CliRunner(env={**os.environ, **daemon.environment}).invoke(
        main, ["agents", "refresh", str(taken)]
    )
    assert done.exit_code == 0, done.output
    await _choose(daemon, agent="heron")
    found = await _named(daemon)
    assert found["heron"]["path"] == found["kilo"]["path"] == str(path)
    ended = await daemon.over(await daemon.attempt(await daemon.project(), "say hello", "ACP"))
    assert ended["status"] == "completed"


MODELS = {
    "currentModelId": "small",
    "availableModels": [{"modelId": "small", "name": "Small"}, {"modelId": "big"}],
}


async def _form(daemon: Daemon, **query: str) -> dict[str, Any]:
    asked = "&".join(f"{name}={value}" for name, value in {"executor": "ACP", **query}.items())
    form: dict[str, Any] = await daemon.ask("GET", f"/api/profiles/form?{asked}")
    return form


def _settings(entries: list[dict[str, Any]]) -> Any:
    """What was set in the session, as the agent says it."""
    text = "".join(printed(entries))
    return json.loads(text[text.index("[") :])


async def test_what_an_agent_offers_is_offered_to_whoever_makes_a_variant(daemon: Daemon) -> None:
    _installed(daemon, "kilo")
    before = (await _form(daemon, agent="kilo"))["form"]["properties"]
    assert "examples" not in before["model"]
    assert {"kilo", "goose"} < set(before["agent"]["examples"])
    env = {"ACP_AGENT_SESSION": json.dumps({"models": MODELS})}
    await _choose(daemon, agent="kilo", model="big", mode="plan", env=env)
    project = await daemon.project()
    ended = await daemon.over(await daemon.attempt(project, "settings", "ACP"))
    assert ended["status"] == "completed"
    assert _settings(await daemon.entries(ended)) == [
        ["session/set_model", {"modelId": "big"}],
        ["session/set_mode", {"modeId": "plan"}],
    ]
    # Known for good, whatever the variant says next; but of this agent only.
    await daemon.stop()
    await daemon.start()
    named = await _named(daemon)
    assert [model["id"] for model in named["kilo"]["models"]] == ["small", "big"]
    assert named["kilo"]["modes"][1] == {"id": "plan", "name": "Plan", "description": ""}
    assert named["goose"]["models"] == []
    form = await _form(daemon)
    assert form["form"]["properties"]["model"]["examples"] == ["small", "big"]
    assert form["form"]["properties"]["mode"]["x-choices"] == form["modes"]
    assert (await _form(daemon, agent="goose"))["models"] == []


async def test_a_model_that_the_agent_refuses_is_told_and_the_work_goes_on(daemon: Daemon) -> None:
    _installed(daemon, "kilo")
    env = {"ACP_AGENT_SESSION": json.dumps({"models": MODELS})}
    await _choose(daemon, agent="kilo", model="no-such", mode="free", env=env)
    ended = await daemon.over(await daemon.attempt(await daemon.project(), "settings", "ACP"))
    entries = await daemon.entries(ended)
    assert ended["status"] == "completed"
    assert printed(entries, "error_message") == [
        "The model 'no-such' was refused: Invalid params: Only for those who pay."
        " It offers small, big."
    ]
    assert _settings(entries) == [["session/set_mode", {"modeId": "free"}]]


async def test_the_form_of_any_variant_can_be_had_and_of_no_other(daemon: Daemon) -> None:
    executors = (await daemon.ask("GET", "/api/info"))["executors"]
    for executor, variants in executors.items():
        for variant, options in variants.items():
            form = await _form(daemon, executor=executor, variant=variant)
            assert set(options[executor]) <= set(form["form"]["properties"])
    for query, status, field in (
        ("", 400, "executor"),
        ("executor=NOBODY", 400, "executor"),
        ("executor=ACP&variant=NO", 422, "variant"),
    ):
        answer = await daemon.request("GET", f"/api/profiles/form?{query}")
        assert (answer.status_code, answer.json()["error_data"]["field"]) == (status, field)
    for odd in ("", "%00", "%F0%9F%92%A5", "../../etc", "x" * 3000, "%E2%80%AE", "'; DROP TABLE"):
        displayed = await daemon.request("GET", f"/api/profiles/form?executor=ACP&agent={odd}")
        assert displayed.status_code in (200, 400)  # what is no text is no name
        assert displayed.status_code == 400 or displayed.json()["data"]["models"] == []
        other = await daemon.request("GET", f"/api/profiles/form?executor=ACP&variant={odd}")
        assert other.status_code in (200, 400, 422)


@pytest.mark.parametrize("method", ["session/new", "session/prompt"])
async def test_an_agent_that_demands_a_login_logs_in_and_works(daemon: Daemon, method: str) -> None:
    _installed(daemon, "kilo")
    await _choose(daemon, agent="kilo", auth_method="good", env={"ACP_AGENT_LOGIN": method})
    attempt = await daemon.attempt(await daemon.project(), "say hello", "ACP")
    ended = await daemon.over(attempt)
    entries = await daemon.entries(ended)
    assert (ended["status"], printed(entries, "error_message")) == ("completed", [])
    assert len(printed(entries, "user_message")) == 1
    assert "".join(printed(entries)).endswith("hello")


async def test_a_login_that_cannot_be_had_is_for_the_person_to_set_up(daemon: Daemon) -> None:
    path = _installed(daemon, "kilo")
    project = await daemon.project()
    leaves = "#!/bin/sh\necho 'Error: not logged in' >&2\nexit 3\n"
    for env, script in (({"ACP_AGENT_LOGIN": "1"}, None), ({}, leaves)):
        if script is not None:
            path.write_text(script)
        await _choose(daemon, agent="kilo", env=env)
        ended = await daemon.over(await daemon.attempt(project, "say hello", "ACP"))
        assert ended["status"] == "failed"
        errors = [
            entry
            for entry in await daemon.entries(ended)
            if entry["entry_type"]["type"] == "error_message"
        ]
        assert errors[-1]["entry_type"]["error_type"] == {"type": "setup_required"}
        assert "Log in with `kilo auth login`." in errors[-1]["content"]
