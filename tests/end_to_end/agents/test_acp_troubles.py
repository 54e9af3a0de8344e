"""What real agents of the Agent Client Protocol make of a model that fails, and what is seen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.real_agents import npm_cache
from tests.support.real_agents.acp_agents import (
    CLAUDE_AGENT_ACP,
    COPILOT,
    DROID,
    GEMINI,
    QWEN,
    Actor,
    Client,
    model_of_all,
)
from tests.support.real_agents.claude_cli import end_all, printed, tools

pytestmark = pytest.mark.agents

NOBODY = 9
"""A port of this machine at which nobody listens."""

REFUSED = "refused"
BROKE = "broke off in the middle"
# Those that would try again for minutes are left out here: their last word is in a recording.
FAILURES = [
    (GEMINI, "midfail", BROKE),
    (GEMINI, "toolfail", BROKE),
    (GEMINI, "lateerr401", "invalid x-api-key"),
    (GEMINI, "noend", "no answer"),
    (QWEN, "midfail", BROKE),
    (QWEN, "toolfail", BROKE),
    (QWEN, REFUSED, "Connection error"),
    (COPILOT, "midfail", "retried 5 times"),
    (COPILOT, "lateerr401", "Authentication failed"),
    (DROID, "lateerr401", "401"),
    (DROID, REFUSED, "Connection error"),
    (CLAUDE_AGENT_ACP, "err429", "rate limit"),
    (CLAUDE_AGENT_ACP, "err500", "500"),
    (CLAUDE_AGENT_ACP, "toolfail", "onnect"),
    (CLAUDE_AGENT_ACP, REFUSED, "onnect"),
]
RECOVERIES = [
    (GEMINI, "err500x1"),
    (QWEN, "err429x1"),
    (COPILOT, "err500x1"),
    (COPILOT, "midfailx1"),
    (DROID, "err500x1"),
    (CLAUDE_AGENT_ACP, "err429x1"),
]


def _name(value: object) -> str:
    return value.program if isinstance(value, Actor) else str(value).replace(" ", "-")


@pytest.fixture(scope="module")
def models_port() -> Iterator[int]:
    with model_of_all() as port:
        yield port


@pytest.fixture
def actor(request: pytest.FixtureRequest) -> Actor:
    found: Actor = request.param
    # Outside of the event loop, where the reason of a skipped test would be lost.
    try:
        found.command()
    except npm_cache.CannotInstall as why:
        pytest.skip(str(why))
    return found


@asynccontextmanager
async def _hired(daemon: Daemon, actor: Actor, port: int) -> AsyncIterator[Client]:
    try:
        yield await Client.hiring(daemon, actor, port)
    finally:
        end_all(daemon)
    assert "Traceback" not in daemon.log()


def _texts(entries: list[dict[str, Any]]) -> list[str]:
    """What is told about the run; the person's own words are left out."""
    kinds = ("assistant_message", "error_message", "system_message")
    return [e["content"] for e in entries if e["entry_type"]["type"] in kinds]


@pytest.mark.parametrize(("actor", "scenario", "words"), FAILURES, indirect=["actor"], ids=_name)
async def test_a_model_that_fails_is_a_failed_run_with_one_readable_error(
    daemon: Daemon, actor: Actor, scenario: str, words: str, models_port: int
) -> None:
    port = NOBODY if scenario == REFUSED else models_port
    async with _hired(daemon, actor, port) as client:
        ended = await daemon.over(await client.start(scenario, "DEFAULT"))
        assert ended["status"] == "failed"
        entries = await daemon.entries(ended)
        [error] = printed(entries, "error_message")
        assert words in error
        assert "{" not in error
        late = [("command_run", {"status": "success"})] * scenario.startswith("late")
        # A call that broke off is not there, or has failed.
        assert [use for use in tools(entries) if use[1] != {"status": "failed"}] == late
        texts = _texts(entries)
        # This one asks again for a broken answer without a word: each half is a text of its own.
        repeated = actor is CLAUDE_AGENT_ACP and scenario == "toolfail"
        assert repeated or len(texts) == len(set(texts))
        assert not any("Error handling request" in text for text in texts)


@pytest.mark.parametrize(("actor", "scenario"), RECOVERIES, indirect=["actor"], ids=_name)
async def test_what_works_at_another_try_is_a_completed_run_and_said_once(
    daemon: Daemon, actor: Actor, scenario: str, models_port: int
) -> None:
    async with _hired(daemon, actor, models_port) as client:
        ended = await daemon.over(await client.start(scenario, "DEFAULT"))
        assert ended["status"] == "completed"
        entries = await daemon.entries(ended)
        assert printed(entries) == ["Recovered after 1 errors."]
        assert printed(entries, "error_message") == []


@pytest.mark.parametrize(
    "actor", [GEMINI, QWEN, COPILOT, DROID, CLAUDE_AGENT_ACP], indirect=True, ids=_name
)
async def test_a_question_that_nobody_answers_is_denied_in_time(
    daemon: Daemon, actor: Actor, models_port: int
) -> None:
    async with _hired(daemon, actor, models_port) as client:
        await daemon.ask("PUT", "/api/config", {"approval_timeout_s": 1})
        attempt = await client.start("once")
        ended = await daemon.over(attempt)
        assert ended["status"] == "completed"
        [(name, status)] = await client.approvals()
        assert status == "timed_out"
        entries = await daemon.entries(ended)
        assert tools(entries) == [("command_run", {"status": "timed_out"})]
        assert printed(entries, "error_message") == [
            f"Nobody answered the question about {name} in time."
        ]
        assert daemon.git(client.repository, "ls-tree", "--name-only", attempt["branch"]) == (
            "README.md\n"
        )
