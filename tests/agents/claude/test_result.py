"""How a turn of Claude Code has ended, by every piece of evidence."""

from __future__ import annotations

from typing import Any

import pytest

from anyond.agents.common.core import (
    Interrupt,
    Outcome,
    TurnEnded,
)
from anyond.model.entries import (
    ErrorMessage,
    SetupRequired,
)
from anyond.model.records import Stream
from tests.support.dialogues.claude_driver import (
    LOGIN,
    fresh,
    output,
    replay,
)

GOOD = {"type": "result", "subtype": "success", "is_error": False}

FAILING = {
    "type": "assistant",
    "error": "server_error",
    "message": {"id": "e", "content": [{"type": "text", "text": "Broken"}]},
}

START = {"type": "stream_event", "event": {"type": "message_start", "message": {"id": "s"}}}

STOP = {"type": "stream_event", "event": {"type": "message_stop"}}

BROKEN = "The connection to the model's server broke off in the middle of an answer."

FINE = {"type": "assistant", "message": {"id": "f", "content": [{"type": "text", "text": "OK"}]}}


@pytest.mark.parametrize(
    ("lines", "end"),
    [
        ([GOOD], TurnEnded(Outcome.COMPLETED)),
        ([FAILING, GOOD], TurnEnded(Outcome.FAILED, "Broken")),
        ([FAILING, FINE, GOOD], TurnEnded(Outcome.COMPLETED)),
        ([{**GOOD, "api_error_status": 529, "result": "Busy"}], TurnEnded(Outcome.FAILED, "Busy")),
        ([{**GOOD, "is_error": True, "result": "Bad"}], TurnEnded(Outcome.FAILED, "Bad")),
        (
            [{**GOOD, "subtype": "error_max_turns"}],
            TurnEnded(Outcome.FAILED, "The agent stopped: it had reached its limit of turns."),
        ),
        ([{**GOOD, "terminal_reason": "aborted_tools"}], TurnEnded(Outcome.INTERRUPTED)),
        ([START, GOOD], TurnEnded(Outcome.FAILED, BROKEN)),
        ([START, STOP, GOOD], TurnEnded(Outcome.COMPLETED)),
        ([START, {**GOOD, "terminal_reason": "aborted_tools"}], TurnEnded(Outcome.INTERRUPTED)),
    ],
)
def test_every_piece_of_evidence_counts(lines: list[Any], end: TurnEnded) -> None:
    story = replay(output(*lines))
    assert story.ends() == [end]
    errors = [text for text in story.lines() if text.startswith("ErrorMessage")]
    assert len(errors) == (1 if end.error or FAILING in lines else 0)


def test_an_answer_without_words_is_none() -> None:
    nothing = {"id": "n", "content": [{"type": "text", "text": "(no content)"}]}
    story = replay(output({"type": "assistant", "message": nothing}, GOOD))
    assert (story.lines(), story.ends()) == ([], [TurnEnded(Outcome.COMPLETED)])


@pytest.mark.parametrize(
    "lines",
    [
        [{**FAILING, "error": "authentication_failed"}, {**GOOD, "is_error": True, "result": ""}],
        [{**FAILING, "error": "oauth_org_not_allowed"}, {**GOOD, "result": "Broken"}],
        [{**GOOD, "is_error": True, "api_error_status": 401, "result": "Broken"}],
        [FAILING, {**GOOD, "is_error": True, "api_error_status": 401, "result": "Broken"}],
        [{**FAILING, "error": "invalid_api_key"}, {**GOOD, "is_error": True, "result": ""}],
    ],
)
def test_who_is_not_let_in_is_told_what_to_do(lines: list[Any]) -> None:
    story = replay(output(*lines))
    assert story.ends() == [TurnEnded(Outcome.FAILED, f"Broken\n{LOGIN}")]
    [error] = [e for e in story.entries.values() if isinstance(e.entry_type, ErrorMessage)]
    assert (error.content, error.entry_type) == (
        f"Broken\n{LOGIN}",
        ErrorMessage(error_type=SetupRequired()),
    )


def test_a_turn_that_was_told_to_stop_was_interrupted() -> None:
    dialogue = fresh()
    dialogue.send(Interrupt())
    reported = [(Stream.STDIN, data) for data in dialogue.outgoing()]
    story = replay([*reported, *output({**GOOD, "subtype": "error_during_execution"})], dialogue)
    assert story.ends() == [TurnEnded(Outcome.INTERRUPTED)]
