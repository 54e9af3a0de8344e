"""The adapter of Codex at work in the whole daemon, hired as any agent of the protocol can be."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.daemon import Daemon
from tests.support.real_agents import codex_cli, npm_cache
from tests.support.real_agents.acp_agents import CODEX_ACP, Client
from tests.support.real_agents.claude_cli import end_all, printed, stopped, tools

pytestmark = pytest.mark.agents


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    # Outside of the event loop, where the reason of a skipped test would be lost.
    try:
        CODEX_ACP.command()
    except npm_cache.CannotInstall as why:
        pytest.skip(str(why))
    with codex_cli.scripted_model() as port:
        yield port


@pytest.fixture
async def client(daemon: Daemon, port: int) -> AsyncIterator[Client]:
    try:
        yield await Client.hiring(daemon, CODEX_ACP, port)
    finally:
        end_all(daemon)
    assert "Traceback" not in daemon.log()


async def test_a_file_is_written_once_that_is_allowed(client: Client) -> None:
    daemon = client.daemon
    attempt = await client.start("basic")
    question = await daemon.question()
    assert not (Path(attempt["container_ref"]) / "hello.txt").exists()
    await client.approve(question)
    ended = await daemon.over(attempt)
    assert ended["status"] == "completed"
    assert [status for _, status in await client.approvals()] == ["approved"]
    entries = await daemon.entries(ended)
    # Of a command that its own sandbox refuses, this adapter tells nothing.
    assert tools(entries)[0] == ("file_edit", {"status": "success"})
    assert printed(entries) == [
        "I'll write the file first.",
        "Now I'll run a command.",
        "All done: wrote hello.txt and checked it.",
    ]
    assert "Model metadata for" in printed(entries, "system_message")[-1]
    # Of what it says of itself nothing has to be told from the words of the model.
    news = [line for line in (await daemon.raw(ended)).splitlines() if '"update"' in line]
    reported = [
        json.loads(line)["params"]["update"] for line in news if "Model metadata for" in line
    ]
    assert [update["sessionUpdate"] for update in reported] == ["notice"]
    assert printed(entries, "error_message") == []
    written = daemon.git(client.repository, "show", f"{attempt['branch']}:hello.txt")
    assert written == "hello from agent\nsecond line\n"


@pytest.mark.parametrize(
    ("scenario", "words"),
    [("err500", "high demand"), ("err429", "retry limit"), ("midfail", "stream disconnected")],
)
async def test_a_model_that_fails_is_a_failed_run_though_the_turn_ends_well(
    client: Client, scenario: str, words: str
) -> None:
    daemon = client.daemon
    ended = await daemon.over(await client.start(scenario, "DEFAULT"))
    assert ended["status"] == "failed"
    entries = await daemon.entries(ended)
    [error] = printed(entries, "error_message")
    assert words in error
    assert len(printed(entries)) <= 1


async def test_a_key_that_is_refused_is_something_to_set_up(client: Client) -> None:
    daemon = client.daemon
    entries = await daemon.entries(await daemon.over(await client.start("err401", "DEFAULT")))
    [error] = [e["entry_type"] for e in entries if e["entry_type"]["type"] == "error_message"]
    assert error["error_type"] == {"type": "setup_required"}


async def test_an_answer_that_broke_off_and_was_asked_again_is_there_once(client: Client) -> None:
    daemon = client.daemon
    ended = await daemon.over(await client.start("midfailx1", "DEFAULT"))
    assert ended["status"] == "completed"
    assert printed(await daemon.entries(ended)) == ["Recovered after 1 errors."]


async def test_a_stop_ends_a_long_command_with_all_that_it_had_started(client: Client) -> None:
    daemon = client.daemon
    ended = await stopped(daemon, await client.start("linger", "DEFAULT"))
    entries = await daemon.entries(ended)
    # It tells of a command only a while after that has begun.
    assert tools(entries) in ([], [("command_run", {"status": "failed"})])
    assert printed(entries, "error_message") == []
