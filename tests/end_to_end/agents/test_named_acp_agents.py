"""Real agents that are known by their names only, at work in the whole daemon."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.daemon import Daemon
from tests.support.real_agents.acp_agents import CLINE, KILO, VIBE, Actor, Client, model_of_all
from tests.support.real_agents.claude_cli import end_all, printed, tools
from tests.support.real_agents.npm_cache import CannotInstall

pytestmark = pytest.mark.agents

SUCCESS = {"status": "success"}
HELLO = "hello from agent\nsecond line\n"


@pytest.fixture(scope="module")
def models_port() -> Iterator[int]:
    with model_of_all() as port:
        yield port


@pytest.fixture
def actor(request: pytest.FixtureRequest) -> Actor:
    found: Actor = request.param
    try:
        found.command()
    except CannotInstall as why:
        pytest.skip(str(why))
    return found


@pytest.fixture
async def client(daemon: Daemon, actor: Actor, models_port: int) -> AsyncIterator[Client]:
    try:
        yield await Client.hiring(daemon, actor, models_port)
    finally:
        end_all(daemon)
    assert "Traceback" not in daemon.log()


def _of(*actors: Actor) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("actor", actors, indirect=True, ids=lambda one: one.program)


@_of(KILO, VIBE)
async def test_what_is_approved_is_done_and_seen(client: Client) -> None:
    daemon = client.daemon
    attempt = await client.start("basic")
    question = await daemon.question()
    assert not (Path(attempt["container_ref"]) / "hello.txt").exists()
    await client.approve(question)
    await client.approve(await daemon.question())
    ended = await daemon.over(attempt)
    entries = await daemon.entries(ended)
    assert (ended["status"], printed(entries, "error_message")) == ("completed", [])
    assert [status for _, status in tools(entries)] == [SUCCESS, SUCCESS]
    assert tools(entries)[1][0] == "command_run"
    assert printed(entries)[-1] == "All done: wrote hello.txt and checked it."
    assert daemon.git(client.repository, "show", f"{attempt['branch']}:hello.txt") == HELLO
    assert daemon.git(client.repository, "show", f"{attempt['branch']}:ran.txt") == "done\n"


@_of(KILO, VIBE)
async def test_the_default_asks_nobody_and_a_follow_up_knows_what_was_said(client: Client) -> None:
    daemon = client.daemon
    attempt = await client.start("basic", "DEFAULT")
    first = await daemon.over(attempt)
    assert (first["status"], await client.approvals()) == ("completed", [])
    assert daemon.git(client.repository, "show", f"{attempt['branch']}:hello.txt") == HELLO
    second = await client.follow_up(attempt, "SCN=recall now")
    assert second["status"] == "completed"
    [answer] = printed(await daemon.entries(second))
    assert "SCN=basic" in answer


@_of(CLINE)
async def test_cline_answers_with_a_key_and_knows_what_was_said(client: Client) -> None:
    daemon = client.daemon
    attempt = await client.start("recall", "DEFAULT")
    first = await daemon.over(attempt)
    entries = await daemon.entries(first)
    assert (first["status"], printed(entries, "error_message")) == ("completed", [])
    [answer] = printed(entries)
    assert answer.startswith("You had said: ")
    second = await client.follow_up(attempt, "SCN=recall now")
    assert second["status"] == "completed"


@_of(CLINE)
async def test_cline_is_asked_to_log_in_and_says_how_if_it_cannot(client: Client) -> None:
    daemon = client.daemon
    nobody = {"agent": "cline", "base_command_override": client.actor.command()}
    # It would sign in at its makers'; here it finds nobody.
    proxy = {"HTTPS_PROXY": "http://127.0.0.1:9", "BROWSER": "true"}
    options = {**nobody, "env": {**proxy, "CLINE_API_KEY": None}}
    body = {"executors": {"ACP": {"DEFAULT": {"ACP": options}}}}
    await daemon.ask("PUT", "/api/profiles", body)
    ended = await daemon.over(await client.start("recall", "DEFAULT"))
    assert ended["status"] == "failed"
    entries = await daemon.entries(ended)
    [error] = printed(entries, "error_message")
    assert "`cline auth`" in error
    assert any("could not log in by itself" in text for text in printed(entries, "system_message"))
    kinds = [e["entry_type"] for e in entries if e["entry_type"]["type"] == "error_message"]
    assert kinds[0]["error_type"] == {"type": "setup_required"}
