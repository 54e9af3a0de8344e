"""Refused keys and missing logins of any agent of the protocol: always the person's to set up."""

from __future__ import annotations

import json
from typing import Any

import pytest

from anyond.agents.acp.agent import Acp
from anyond.agents.acp.named import NamedAcp
from anyond.agents.common.core import AgentEvent, Outcome, Turn, TurnEnded
from anyond.model.entries import ErrorMessage, SetupRequired, UserMessage
from anyond.model.records import Stream
from tests.support.dialogues.acp_driver import entries
from tests.support.dialogues.acp_talk import Talk
from tests.support.dialogues.shown import expect

DEMANDED = {"code": -32000, "message": "Authentication required"}
LOGINS = {"authMethods": [{"id": "own", "name": "By itself"}]}


class Named(Talk):
    agent = NamedAcp()


class Other(Talk):
    agent = Acp(command=("agent",), login="Log in with `agent login`.")


def setup_error(talk: Talk) -> str | None:
    """The error of a run that has failed for want of a login."""
    ended = talk.only(TurnEnded)
    if not ended or ended[-1].outcome is not Outcome.FAILED:
        return None
    [error] = [e for e in entries(talk.events).values() if isinstance(e.entry_type, ErrorMessage)]
    kind = expect(ErrorMessage, error.entry_type).error_type
    return error.content if kind == SetupRequired() else None


REFUSED: list[dict[str, Any]] = [
    DEMANDED,
    {"code": -32603, "message": "Internal error", "data": {"details": "Incorrect API key: sk-1"}},
    {"code": -32603, "message": "Internal error", "data": {"statusCode": "401"}},
    {"code": -32603, "message": "x", "data": {"error": {"type": "authentication_error"}}},
    {"code": -32603, "message": "x", "data": {"error": {"code": "invalid_api_key"}}},
    {"code": -32001, "message": "Unauthorized"},
    {"code": 401, "message": "x"},
    {"code": -32603, "message": "Your API key has expired."},
    {"code": -32603, "message": "AuthenticationError: bad credentials"},
    {"code": -32603, "message": "OPENAI_API_KEY is not set"},
    {"code": -32603, "message": "You must set the ANTHROPIC_API_KEY environment variable"},
    {"code": -32603, "message": "Access token expired"},
    {"code": -32603, "message": "User not authenticated"},
    {"code": -32603, "message": "x", "data": {"cause": {"response": {"status": 401}}}},
    {"code": -32603, "message": "x", "data": {"errorName": "ProviderAuthError"}},
    {"code": -32603, "message": "x", "data": {"codexErrorInfo": {"unauthorized": {}}}},
    {"code": -32603, "message": "x", "data": [{"errors": ["invalid_api_key"]}]},
    {"code": -32603, "message": "Please run /login"},
    {"code": -32603, "message": "Error code: 401 - {'error': {'message': 'no'}}"},
    {"code": -32603, "message": "You need to log in."},
    {"code": -32603, "message": "Your credentials are invalid"},
    {"code": -32603, "message": "403: this key may not use that model"},
]


@pytest.mark.parametrize("fault", REFUSED, ids=str)
@pytest.mark.parametrize("kind", [Named, Other])
def test_a_key_that_is_refused_at_any_step_is_for_the_person(
    kind: type[Talk], fault: dict[str, Any]
) -> None:
    steps: list[list[dict[str, str]]] = [[], [{}], [{}, {"sessionId": "s"}]]
    for answers in steps:
        talk = kind()
        for result in answers:
            talk.reply(result)
        assert talk.reply(**fault) == []
        error = setup_error(talk)
        assert error is not None
        assert "log in" in error.lower()


@pytest.mark.parametrize(
    "message",
    [
        *("Rate limit exceeded", "403 Forbidden", "File 401.txt not found"),
        *("The token limit is 8000", "npm ended with exit code 401", "Run /help to see more"),
    ],
)
def test_another_failure_is_not(message: str) -> None:
    talk = Named()
    talk.reply({})
    talk.reply({"sessionId": "s"})
    talk.reply(code=-32603, message=message)
    assert (setup_error(talk), talk.only(TurnEnded)[0].outcome) == (None, Outcome.FAILED)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Invalid API key · Please run /login", True),
        ("You are not authenticated. Run `x auth login`.", True),
        ("Please log in with `x login`", True),
        ('API Error: 401 {"type":"error"}', True),
        ("I have fixed the 401 that came of an invalid API key.", False),
        ("Please log in to the demo to see the new page.\n" + "It has three tabs. " * 20, False),
    ],
)
def test_a_turn_that_only_asks_for_a_login_has_not_ended_well(words: str, expected: bool) -> None:
    talk = Named()
    talk.reply({})
    talk.reply({"sessionId": "s"})
    talk.update("agent_message_chunk", content={"type": "text", "text": words})
    talk.reply({"stopReason": "end_turn"})
    assert (setup_error(talk) is not None) is expected


def prompts(talk: Talk) -> list[Any]:
    return [
        message["params"] for message in talk.printed if message.get("method") == "session/prompt"
    ]


def test_a_login_that_a_prompt_demands_is_asked_for_and_the_prompt_said_again() -> None:
    talk = Named()
    talk.reply(LOGINS)
    talk.reply({"sessionId": "s"})
    assert talk.reply(**DEMANDED) == ["authenticate"]
    assert talk.printed[-1]["params"] == {"methodId": "own"}
    assert talk.reply({}) == ["session/prompt"]
    first, second = prompts(talk)
    assert first == second
    talk.reply({"stopReason": "end_turn"})
    assert talk.only(TurnEnded) == [TurnEnded(Outcome.COMPLETED)]
    # What the person has said is heard once, or a message that waits would be lost.
    displayed = entries(talk.events).values()
    assert [type(entry.entry_type) for entry in displayed] == [UserMessage]


def test_a_login_that_does_not_help_a_prompt_is_asked_for_once() -> None:
    for answer in ({}, {"code": -32603, "message": "No browser"}):
        talk = Named()
        talk.reply(LOGINS)
        talk.reply({"sessionId": "s"})
        talk.reply(**DEMANDED)
        talk.reply(**answer)
        if not answer:
            assert talk.reply(**DEMANDED) == []
        assert setup_error(talk) is not None


def test_an_agent_that_has_worked_already_is_not_told_the_same_again() -> None:
    talk = Named()
    talk.reply(LOGINS)
    talk.reply({"sessionId": "s"})
    talk.update("agent_message_chunk", content={"type": "text", "text": "I begin"})
    assert talk.reply(**DEMANDED) == []
    assert setup_error(talk) is not None


@pytest.mark.parametrize("stream", [Stream.STDERR, Stream.STDOUT])
def test_a_program_that_leaves_for_want_of_a_login_says_so(stream: Stream) -> None:
    for line, expected in ((b"Not logged in. Run x login\n", True), (b"Segmentation fault", False)):
        talk = Other()
        talk.events += talk.dialogue.receive(stream, b"x 1.0\n" + line)
        talk.events += talk.dialogue.finish()
        assert setup_error(talk) == (
            "Not logged in. Run x login — Log in with `agent login`." if expected else None
        )


def test_a_program_that_leaves_in_the_middle_of_its_work_has_other_reasons() -> None:
    talk = Other()
    talk.reply({})
    talk.reply({"sessionId": "s"})
    talk.events += talk.dialogue.receive(Stream.STDERR, b"npm warn not logged in\n")
    talk.events += talk.dialogue.finish()
    assert setup_error(talk) is None


def test_a_restarted_daemon_reads_the_same_and_says_nothing_twice() -> None:
    talk = Named()
    records: list[tuple[Stream, bytes]] = []
    receive = talk.dialogue.receive

    def recorded(stream: Stream, data: bytes, at: int = 0) -> Any:
        records.append((stream, data))
        return receive(stream, data, at)

    talk.dialogue.receive = recorded  # type: ignore[method-assign]
    first = b"".join(message_lines(talk.printed))
    talk.reply(LOGINS)
    talk.reply({"sessionId": "s"})
    talk.reply(**DEMANDED)
    talk.reply({})
    talk.reply({"stopReason": "end_turn"})
    events: list[AgentEvent] = []
    for cut in range(1, len(records) + 1):
        again = NamedAcp().dialogue(Turn(prompt="do it", cwd="/w"))
        events = list(again.receive(Stream.STDIN, first))
        for stream, data in records[:cut]:
            events += again.receive(stream, data)
        queued = [json.loads(line)["method"] for line in again.outgoing()]
        later = [json.loads(data) for stream, data in records[cut:] if stream is Stream.STDIN]
        assert queued == [message["method"] for message in later[: len(queued)]]
    assert entries(events) == entries(talk.events)


def message_lines(messages: list[dict[str, Any]]) -> list[bytes]:
    return [json.dumps(message).encode() + b"\n" for message in messages]
