"""An agent that has lost its session is asked again in a new one, and told what was said before."""

from __future__ import annotations

import random
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio

from tests.support.daemon import Daemon
from tests.support.daemons.scripted_claude import forget_sessions, reported, use_scripted_claude
from tests.support.real_agents.claude_cli import Person, printed


@pytest.fixture
async def scripted(daemon: Daemon) -> AsyncIterator[Daemon]:
    await use_scripted_claude(daemon)
    yield daemon
    assert "Traceback" not in daemon.log()


async def follow_up(daemon: Daemon, attempt: dict[str, Any], prompt: str) -> dict[str, Any]:
    path = f"/api/task-attempts/{attempt['id']}/follow-up"
    return await daemon.ask("POST", path, {"prompt": prompt})  # type: ignore[no-any-return]


async def test_the_chain_goes_on_as_if_nothing_had_been_lost(scripted: Daemon) -> None:
    daemon = scripted
    project = await daemon.project(cleanup_script="echo tidy > tidy.txt")
    attempt = await daemon.attempt(project, "say hello", "CLAUDE_CODE")
    first = await daemon.over(attempt)
    assert printed(await daemon.entries(first), "system_message") == ["Model: scripted"]
    forget_sessions(daemon)
    lost = await follow_up(daemon, attempt, "say again")
    ended = await daemon.over(attempt)
    rows = await daemon.processes(attempt)
    assert [(row["id"], row["status"]) for row in rows[1:]] == [
        (lost["id"], "failed"),
        (ended["id"], "completed"),
    ]
    assert ended["executor_action"]["typ"]["type"] == "CodingAgentInitialRequest"
    assert ended["executor_action"]["typ"]["prompt"] == "say again"
    assert ended["executor_action"]["next_action"] == lost["executor_action"]["next_action"]
    recap, prompt = reported(daemon)[-1]
    assert prompt == "say again"
    assert "[The user]\nDo it\n\nsay hello" in recap
    assert "[You, at the end of your work]\nhello" in recap
    assert "say again" not in recap
    entries = await daemon.entries(lost)
    assert "No conversation found" in printed(entries, "error_message")[0]
    assert "asked again in a new one" in printed(entries, "system_message")[-1]
    entries = await daemon.entries(ended)
    assert printed(entries, "user_message") == ["say again"]
    assert "It was told in short" in printed(entries, "system_message")[0]
    [task] = await daemon.ask("GET", f"/api/tasks?project_id={project['id']}")
    assert (task["status"], task["last_attempt_failed"]) == ("inreview", False)

    third = await follow_up(daemon, attempt, "say more")
    assert third["executor_action"]["typ"]["type"] == "CodingAgentFollowUpRequest"
    assert printed(await daemon.entries(await daemon.over(attempt))) == ["more"]
    assert reported(daemon)[-1] == ["say more"]


async def test_it_is_asked_again_once_wherever_the_daemon_is_killed(scripted: Daemon) -> None:
    daemon = scripted
    attempt = await daemon.attempt(await daemon.project(), "say hello", "CLAUDE_CODE")
    await daemon.over(attempt)
    chance = random.Random(11)
    for number in range(4):
        forget_sessions(daemon)
        before = len(await daemon.processes(attempt))
        await follow_up(daemon, attempt, f"say {number}")
        await trio.sleep(chance.uniform(0, 0.25))  # the very point: any moment
        await daemon.kill()
        await daemon.start()
        await daemon.over(attempt)
        rows = (await daemon.processes(attempt))[before:]
        assert [row["status"] for row in rows] == ["failed", "completed"]
        assert [texts[-1] for texts in reported(daemon)].count(f"say {number}") == 1


async def test_an_agent_that_fails_again_is_left_alone(scripted: Daemon) -> None:
    daemon = scripted
    attempt = await daemon.attempt(await daemon.project(), "say hello", "CLAUDE_CODE")
    await daemon.over(attempt)
    forget_sessions(daemon)
    (daemon.root / "fake-state" / "broken").touch()
    await follow_up(daemon, attempt, "say again")
    await daemon.over(attempt)
    statuses = [row["status"] for row in await daemon.processes(attempt)]
    assert statuses == ["completed", "failed", "failed"]


@pytest.mark.agents
async def test_the_real_program_goes_on_without_its_session(person: Person) -> None:
    daemon = person.daemon
    attempt = await person.start("text", "DEFAULT")
    first = await daemon.over(attempt)
    shutil.rmtree(daemon.home / ".claude" / "projects")
    lost = await follow_up(daemon, attempt, "SCN=recall now")
    ended = await daemon.over(attempt)
    assert [row["status"] for row in await daemon.processes(attempt)] == [
        *("completed", "failed", "completed")
    ]
    assert "No conversation found" in printed(await daemon.entries(lost), "error_message")[-1]
    entries = await daemon.entries(ended)
    assert printed(entries, "user_message") == ["SCN=recall now"]
    assert first["executor_action"]["typ"]["prompt"] in printed(entries)[-1]
