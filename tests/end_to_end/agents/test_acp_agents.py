"""Real agents of the Agent Client Protocol at work in the whole daemon, as clients see it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.real_agents import npm_cache
from tests.support.real_agents.acp_agents import (
    CLAUDE_AGENT_ACP,
    COPILOT,
    DROID,
    GEMINI,
    OPENCODE,
    QWEN,
    Actor,
    Client,
    model_of_all,
)
from tests.support.real_agents.claude_cli import end_all, printed, stopped, tools

pytestmark = pytest.mark.agents

SUCCESS = {"status": "success"}
ALL = [GEMINI, QWEN, COPILOT, DROID, CLAUDE_AGENT_ACP]
COMMAND = "cat hello.txt && echo done > ran.txt && wc -l hello.txt"


@pytest.fixture(scope="module")
def models_port() -> Iterator[int]:
    with model_of_all() as port:
        yield port


@pytest.fixture(params=ALL, ids=lambda actor: actor.program)
def actor(request: pytest.FixtureRequest) -> Actor:
    return _there(request.param)


def _there(actor: Actor) -> Actor:
    # Outside of the event loop, where the reason of a skipped test would be lost.
    try:
        actor.command()
    except npm_cache.CannotInstall as why:
        pytest.skip(str(why))
    return actor


@pytest.fixture
async def client(daemon: Daemon, actor: Actor, models_port: int) -> AsyncIterator[Client]:
    try:
        yield await Client.hiring(daemon, actor, models_port)
    finally:
        end_all(daemon)
    assert "Traceback" not in daemon.log()


async def test_what_is_approved_is_done_and_seen(client: Client) -> None:
    await _basic(client)


async def _basic(client: Client) -> None:
    daemon, actor = client.daemon, client.actor
    attempt = await client.start("basic")
    question = await daemon.question()
    assert not (Path(attempt["container_ref"]) / "hello.txt").exists()
    await client.approve(question)
    await client.approve(await daemon.question())
    ended = await daemon.over(attempt)
    assert (ended["status"], [status for _, status in await client.approvals()]) == (
        "completed",
        ["approved", "approved"],
    )
    entries = await daemon.entries(ended)
    assert tools(entries) == [("file_edit", SUCCESS), ("command_run", SUCCESS)]
    edit, command = _actions(entries)
    assert (edit["path"], edit["changes"][0]["content"]) == (
        "hello.txt",
        "hello from agent\nsecond line\n",
    )
    assert command["command"] == COMMAND
    if actor.output:
        assert command["result"]["output"].rstrip().endswith("2 hello.txt")
    if actor.exit_code:
        assert command["result"]["exit_status"] == {"type": "exit_code", "code": 0}
    assert printed(entries) == [
        "I'll write the file first.",
        "Now I'll run a command.",
        "All done: wrote hello.txt and checked it.",
    ]
    assert len(printed(entries, "thinking")) == 1
    usage = [e["entry_type"] for e in entries if e["entry_type"]["type"] == "token_usage"]
    assert [use["output_tokens"] > 0 for use in usage] == [True] * actor.usage
    written = daemon.git(client.repository, "show", f"{attempt['branch']}:ran.txt")
    assert written == "done\n"


async def test_a_denial_is_seen_and_its_reason_reaches_the_agent(client: Client) -> None:
    daemon = client.daemon
    attempt = await client.start("basic")
    await client.approve(await daemon.question())
    await client.deny(await daemon.question(), "Use make instead.")
    ended = await daemon.over(attempt)
    assert ended["status"] == "completed"
    entries = await daemon.entries(ended)
    denied = {"status": "denied", "reason": "Use make instead."}
    assert tools(entries) == [("file_edit", SUCCESS), ("command_run", denied)]
    assert printed(entries, "user_feedback") == ["Use make instead."]
    assert len(printed(entries, "user_message")) == 1
    # Most of them end their turn at the denial: it goes on only because they were told.
    assert printed(entries)[-1] == "All done: wrote hello.txt and checked it."
    assert printed(entries, "error_message") == []
    names = daemon.git(client.repository, "ls-tree", "--name-only", attempt["branch"]).split()
    assert names == ["README.md", "hello.txt"]


async def test_the_default_variant_asks_nobody_and_a_follow_up_knows_what_was_said(
    client: Client,
) -> None:
    daemon = client.daemon
    attempt = await client.start("basic", "DEFAULT")
    first = await daemon.over(attempt)
    assert first["status"] == "completed"
    assert await client.approvals() == []
    assert tools(await daemon.entries(first)) == [("file_edit", SUCCESS), ("command_run", SUCCESS)]
    second = await client.follow_up(attempt, "SCN=recall now")
    assert second["status"] == "completed"
    entries = await daemon.entries(second)
    assert printed(entries, "user_message") == ["SCN=recall now"]
    # Nothing of the old conversation is told again.
    [answer] = printed(entries)
    assert answer.startswith("You had said: ")
    notes = " ".join(printed(entries, "system_message"))
    # Gemini cannot load a session that is not older than the minute.
    assert "SCN=basic" in answer or (client.actor is GEMINI and "not be resumed" in notes)
    assert tools(entries) == []


async def test_a_stop_ends_a_long_command_with_all_that_it_had_started(client: Client) -> None:
    daemon = client.daemon
    ended = await stopped(daemon, await client.start("linger", "DEFAULT"))
    entries = await daemon.entries(ended)
    [(kind, status)] = tools(entries)
    assert status == {"status": "failed"}
    # Droid sometimes tells that a tool is at work before it tells which.
    assert kind == "command_run" or (kind, client.actor) == ("tool", DROID)
    assert printed(entries, "error_message") == []


async def test_a_key_that_is_refused_is_a_failed_run_with_one_readable_error(
    client: Client,
) -> None:
    daemon = client.daemon
    attempt = await client.start("err401", "DEFAULT")
    ended = await daemon.over(attempt)
    assert ended["status"] == "failed"
    entries = await daemon.entries(ended)
    [error] = printed(entries, "error_message")
    assert any(word in error for word in ("invalid x-api-key", "API key", "Authentication"))
    assert "{" not in error
    [kind] = [e["entry_type"] for e in entries if e["entry_type"]["type"] == "error_message"]
    assert kind["error_type"] == {"type": "setup_required"}
    assert "og in" in error
    assert printed(entries) == []


@pytest.mark.parametrize("actor", [OPENCODE], indirect=True, ids=["opencode"])
async def test_opencode_asks_if_it_is_to_be_asked(
    daemon: Daemon, actor: Actor, models_port: int
) -> None:
    client = await Client.hiring(daemon, actor, models_port)
    try:
        await _basic(client)
    finally:
        end_all(daemon)


def _actions(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    uses = [e["entry_type"] for e in entries if e["entry_type"]["type"] == "tool_use"]
    return [use["action_type"] for use in uses]
