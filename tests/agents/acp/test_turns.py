"""Turns: interrupted, steered, and ended well or badly."""

from __future__ import annotations

from typing import Any

import pytest

from anyond.agents.common.core import (
    ApprovalAsked,
    ApprovalWithdrawn,
    Interrupt,
    Outcome,
    Prompt,
    TurnEnded,
)
from anyond.model.entries import ErrorMessage, SetupRequired
from tests.support.dialogues.acp_driver import entries, reported
from tests.support.dialogues.acp_talk import ONCE, Talk, printed, working


def test_an_interrupt_cancels_the_turn_and_every_open_question() -> None:
    talk = working()
    talk.ask(0, [ONCE])
    talk.dialogue.send(Interrupt())
    assert talk.pump() == ["session/cancel", "answer 0"]
    assert talk.printed[-1]["result"] == {"outcome": {"outcome": "cancelled"}}
    assert len(talk.only(ApprovalWithdrawn)) == 1
    assert talk.ask(1, [ONCE]) == ["answer 1"]
    assert len(talk.only(ApprovalAsked)) == 1
    talk.hear(id=3, result={"stopReason": "cancelled"})
    assert talk.only(TurnEnded) == [TurnEnded(Outcome.INTERRUPTED)]


def test_an_error_after_an_interrupt_is_no_failure() -> None:
    talk = working()
    talk.dialogue.send(Interrupt())
    talk.pump()
    talk.hear(id=3, error={"code": -32603, "message": "aborted"})
    assert talk.only(TurnEnded) == [TurnEnded(Outcome.INTERRUPTED)]


def test_an_interrupt_before_the_prompt_follows_it() -> None:
    talk = Talk()
    talk.dialogue.send(Interrupt())
    assert talk.pump() == []
    talk.reply({})
    assert talk.reply({"sessionId": "s"}) == ["session/prompt", "session/cancel"]


def test_an_interrupt_after_the_turn_says_nothing() -> None:
    talk = working()
    talk.reply({"stopReason": "end_turn"})
    talk.dialogue.send(Interrupt())
    assert talk.pump() == []


def test_the_turn_ends_with_its_last_prompt() -> None:
    talk = working()
    talk.dialogue.send(Prompt("and that"))
    assert talk.pump() == ["session/prompt"]
    talk.hear(id=3, result={"stopReason": "cancelled"})
    assert talk.only(TurnEnded) == []
    talk.hear(id=4, result={"stopReason": "end_turn"})
    assert talk.only(TurnEnded) == [TurnEnded(Outcome.COMPLETED)]
    users = [entry.content for entry in entries(talk.events).values()]
    assert users == ["do it", "and that"]


def test_a_refused_second_prompt_does_not_end_the_first() -> None:
    talk = working()
    talk.dialogue.send(Prompt("and that"))
    talk.pump()
    talk.hear(id=4, error={"code": -32600, "message": "busy"})
    assert reported(talk.events)[2] == "error: busy"
    talk.hear(id=3, result={"stopReason": "end_turn"})
    assert talk.only(TurnEnded) == [TurnEnded(Outcome.COMPLETED)]


def test_a_prompt_that_comes_too_early_waits_for_the_first() -> None:
    talk = Talk()
    talk.dialogue.send(Prompt("and that"))
    assert talk.pump() == []
    talk.reply({})
    talk.reply({"sessionId": "s"})
    texts = [message["params"]["prompt"][0]["text"] for message in talk.printed[2:]]
    assert texts == ["do it", "and that"]


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("refusal", "refuses"),
        ("max_tokens", "limit of tokens"),
        ("max_turn_requests", "limit of requests"),
        ("bored", "bored"),
        (None, "without saying why"),
    ],
)
def test_a_turn_that_stops_short_has_failed_with_a_reason(reason: str | None, words: str) -> None:
    talk = working()
    talk.reply({"stopReason": reason})
    [ended] = talk.only(TurnEnded)
    assert ended.outcome is Outcome.FAILED
    assert words in ended.error
    assert list(entries(talk.events).values())[-1].content == ended.error


def test_an_error_dressed_as_success_is_a_failure_only_if_nothing_else_was_said() -> None:
    talk = working()
    printed(talk, "Err")
    printed(talk, "or: no key")
    talk.reply({"stopReason": "end_turn"})
    assert talk.only(TurnEnded) == [TurnEnded(Outcome.FAILED, "no key")]
    talk = working()
    printed(talk, "Error: is what the log says. ")
    talk.update("tool_call", toolCallId="t", title="look")
    talk.reply({"stopReason": "end_turn"})
    assert talk.only(TurnEnded) == [TurnEnded(Outcome.COMPLETED)]


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ({"message": "Internal error", "data": {"details": "no money"}}, "no money"),
        ({"message": "Oops", "data": {"message": "deep"}}, "Oops: deep"),
        ({"message": "Oops", "data": {"errorKind": "rate_limit"}}, "Oops (rate_limit)"),
        ({"message": '{"error":{"message":"quota","status":"EXHAUSTED"}}'}, "quota (EXHAUSTED)"),
        ({"message": '{"x"'}, '{"x"'),
        ({"message": ""}, "The agent reported error -32603."),
        ({"message": "Oops", "data": ["odd"]}, "Oops"),
        ({"message": "Oops", "data": {"errorKind": "unknown"}}, "Oops"),
        ({"message": "Internal error: Agent error", "data": "no money"}, "no money"),
        (
            {"message": "Internal error", "data": {"details": "terminated"}},
            "The connection to the model's server broke off in the middle of an answer.",
        ),
        (
            {"message": "exception TypeError: fetch failed sending request"},
            "The model's server could not be reached.",
        ),
    ],
)
def test_errors_become_one_readable_text(fault: dict[str, Any], text: str) -> None:
    talk = working()
    talk.reply(code=-32603, **fault)
    assert talk.only(TurnEnded) == [TurnEnded(Outcome.FAILED, text)]


@pytest.mark.parametrize(
    "fault",
    [
        {"code": 401, "message": "no"},
        {"message": "Internal error", "data": {"details": "401 bad key"}},
        {"message": "Internal error: Agent error", "data": "401 bad key"},
        {"message": '{"error":{"message":"bad","status":"UNAUTHENTICATED"}}'},
        {"message": "It failed.", "data": {"errorKind": "authentication_failed"}},
        {"message": "It failed.", "data": {"codex_error_info": "unauthorized"}},
        {"message": "It failed.", "data": {"statusCode": 401}},
        {"message": "API key not valid. Please pass a valid API key."},
        {"message": "Incorrect API key provided: sk-…"},
    ],
)
def test_a_refused_key_is_something_to_set_up_with_how_to_log_in(fault: dict[str, Any]) -> None:
    talk = Talk()
    logins = [{"id": "l", "name": "login", "description": "Run `parrot login`"}]
    talk.reply({"protocolVersion": 1, "authMethods": logins})
    talk.reply({"sessionId": "s"})
    talk.reply(**{"code": -32603, **fault})
    [error] = [e for e in entries(talk.events).values() if isinstance(e.entry_type, ErrorMessage)]
    assert error.entry_type == ErrorMessage(error_type=SetupRequired())
    assert "Run `parrot login`" in error.content
    assert talk.only(TurnEnded) == [TurnEnded(Outcome.FAILED, error.content)]


@pytest.mark.parametrize("message", ["It took 401 s", "Port 401 is taken", "quota (429)"])
def test_another_error_is_none_of_a_key(message: str) -> None:
    talk = working()
    talk.reply(code=-32603, message=message)
    assert talk.only(TurnEnded) == [TurnEnded(Outcome.FAILED, message)]
