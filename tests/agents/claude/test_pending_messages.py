"""A turn of Claude Code is over when no message waits for it any more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from anyond.agents.claude.agent import Claude
from anyond.agents.common.core import Dialogue, EntryPut, Outcome, Prompt, Turn, TurnEnded
from anyond.agents.common.recap import RECAP_REMARK, recap
from anyond.model.entries import SystemMessage, UserMessage
from anyond.model.records import Stream

TURN = Turn(prompt="one", cwd="/w")


def line(**fields: Any) -> bytes:
    return json.dumps(fields).encode() + b"\n"


def again(*texts: str) -> bytes:
    content = [{"type": "text", "text": text} for text in texts]
    return line(type="user", message={"role": "user", "content": content}, isReplay=True)


RESULT = line(type="result", subtype="success", is_error=False)


class Talk:
    """A dialogue with what was said so far."""

    def __init__(self, turn: Turn = TURN) -> None:
        self.dialogue: Dialogue = Claude().dialogue(turn)
        self.events: list[Any] = []
        self.flush()

    def flush(self) -> None:
        for message in self.dialogue.outgoing():
            self.events += self.dialogue.receive(Stream.STDIN, message)

    def emit(self, text: str) -> None:
        self.dialogue.send(Prompt(text))
        self.flush()

    def hear(self, *lines: bytes) -> list[Any]:
        self.events += self.dialogue.receive(Stream.STDOUT, b"".join(lines))
        return [event for event in self.events if isinstance(event, TurnEnded)]


DONE = [TurnEnded(Outcome.COMPLETED)]


def test_a_message_that_was_taken_up_in_the_turn_has_no_result_of_its_own() -> None:
    talk = Talk()
    talk.hear(again("one"))
    talk.emit("two")
    assert talk.hear(again("two"), RESULT) == DONE


def test_messages_that_wait_are_answered_before_the_turn_counts_as_over() -> None:
    talk = Talk()
    talk.hear(again("one"))
    talk.emit("two")
    talk.emit("three")
    assert talk.hear(RESULT) == []
    assert talk.hear(again("two", "three"), RESULT) == DONE


def test_a_command_that_is_not_said_again_holds_nothing_up() -> None:
    talk = Talk()
    talk.hear(again("one"))
    talk.emit("/cost")
    assert talk.hear(RESULT) == []
    assert talk.hear(RESULT) == DONE
    talk = Talk()
    talk.hear(again("one"))
    talk.emit("/cost")
    talk.emit("three")
    assert talk.hear(RESULT, RESULT) == []
    assert talk.hear(again("three"), RESULT) == DONE


def test_one_that_comes_after_the_end_begins_anew() -> None:
    talk = Talk()
    assert talk.hear(again("one"), RESULT) == DONE
    talk.emit("two")
    assert talk.hear(again("two"), RESULT) == DONE * 2


def test_a_program_that_says_nothing_again_ends_with_its_first_result() -> None:
    talk = Talk()
    talk.emit("two")
    assert talk.hear(RESULT) == DONE


def test_what_is_said_again_is_no_entry() -> None:
    talk = Talk()
    talk.hear(again("one"))
    users = [e for e in talk.events if isinstance(e, EntryPut)]
    assert [(e.entry.entry_type, e.entry.content) for e in users] == [(UserMessage(), "one")]


@pytest.mark.parametrize("session", [None, "s-1"])
def test_a_new_session_is_told_the_past_once_and_the_person_that_it_was(
    session: str | None,
) -> None:
    turn = Turn(prompt="one", cwd="/w", session_id=session, past="Long ago.")
    talk = Talk(turn)
    sent = Claude().dialogue(turn).outgoing()
    content = json.loads(sent[1])["message"]["content"]
    puts = [e.entry for e in talk.events if isinstance(e, EntryPut)]
    reported = [(put.entry_type, put.content) for put in puts]
    if session is None:
        assert [block["text"] for block in content] == [recap(turn), "one"]
        assert reported == [(UserMessage(), "one"), (SystemMessage(), RECAP_REMARK)]
        assert talk.hear(again(recap(turn), "one"), RESULT) == DONE
    else:
        assert [block["text"] for block in content] == ["one"]
        assert reported == [(UserMessage(), "one")]
