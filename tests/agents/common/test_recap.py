"""What is said about what an agent does not remember, or was never asked."""

from __future__ import annotations

import pytest

from anyond.agents.amp.agent import Amp
from anyond.agents.claude.agent import Claude
from anyond.agents.common.core import Dialogue, EntryPut, Turn
from anyond.agents.common.recap import RECAP_REMARK, TASK_REMARK, recap, remark, unasked
from anyond.agents.cursor.agent import Cursor
from anyond.model.records import Stream

PAST = "What was said in this conversation before, the oldest first:\n\n[The user]\nBuild it"


def test_the_agent_is_told_whether_it_has_forgotten_or_was_never_asked() -> None:
    forgotten = recap(Turn(prompt="Go", cwd="/w", past=PAST))
    assert "could not be resumed" in forgotten
    assert forgotten.endswith(PAST)
    assert remark(forgotten) == RECAP_REMARK
    never = recap(Turn(prompt="Go", cwd="/w", past=unasked("Build it")))
    assert "You were not asked for it" in never
    assert "could not be resumed" not in never
    assert never.endswith("\n\nBuild it")
    assert remark(never) == TASK_REMARK
    assert remark(recap(Turn(prompt="Go", cwd="/w"))) == RECAP_REMARK


@pytest.mark.parametrize("agent", [Amp(), Claude(), Cursor()], ids=lambda one: type(one).__name__)
@pytest.mark.parametrize(
    ("past", "reported"), [(PAST, RECAP_REMARK), (unasked("Build it"), TASK_REMARK)]
)
def test_the_person_sees_their_message_and_what_came_before_it(
    agent: Amp | Claude | Cursor, past: str, reported: str
) -> None:
    turn = Turn(prompt="Go on", cwd="/w", past=past)
    dialogue: Dialogue = agent.dialogue(turn)
    line = dialogue.outgoing()[-1]
    assert b"Build it" in line
    # A replay has only the log, and a dialogue of its own.
    for one in (dialogue, agent.dialogue(turn)):
        put = one.receive(Stream.STDIN, line)
        displayed = [event.entry.content for event in put if isinstance(event, EntryPut)]
        assert displayed == ["Go on", reported]
