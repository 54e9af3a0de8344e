"""The words for people in lines that nobody here knows."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyond.agents.amp.agent import Amp
from anyond.agents.claude.agent import Claude
from anyond.agents.common.core import EntryPut, Turn
from anyond.agents.common.notices import NOTICE_MOST, WORDS_MOST, NoticesOnce, notice_key, words_of
from anyond.agents.cursor.agent import Cursor
from anyond.model.entries import SystemMessage
from anyond.model.records import Stream
from tests.support.dialogues.recordings import TREE


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"content": "First.", "message": "Second."}, "First."),
        ({"content": [{"type": "text"}], "message": {"a": 1}, "text": " Third. "}, "Third."),
        ({"content": "\x1b[31m \x1b[0m", "title": "\x1b[1mBold.\x1b[0m"}, "Bold."),
        ({"summary": "x" * (WORDS_MOST + 1)}, "x" * WORDS_MOST),
        ({"status": "no words for people", "text": None, "title": 7}, ""),
        ({}, ""),
    ],
)
def test_the_first_field_with_words_for_people_is_shown(line: dict[str, Any], words: str) -> None:
    assert words_of(line) == words


def test_what_differs_in_numbers_only_is_shown_once() -> None:
    notices = NoticesOnce(())
    assert [notices.is_new(text) for text in ("In 3 s.", "In 4.5 s.", "", "Now.")] == [
        *(True, False, False, True)
    ]
    assert not NoticesOnce(notices.displayed).is_new("In 20 s.")


@pytest.mark.parametrize(
    "agent", [Claude(), Amp(), Cursor()], ids=lambda agent: type(agent).__name__
)
def test_each_agent_shows_the_words_of_a_later_version_once(agent: Any) -> None:
    dialogue = agent.dialogue(Turn(prompt="p", cwd=TREE))
    begun = b'{"type": "system", "subtype": "init", "session_id": "s-1"}\n'
    line = b'{"type": "new", "text": "\\u001b[1mUpdate 1 is there.\\u001b[0m", "data": {}}\n'
    again = line.replace(b"Update 1", b"Update 2")
    events = dialogue.receive(Stream.STDOUT, begun + line + again)
    entries = [event.entry for event in events if isinstance(event, EntryPut)]
    assert [(entry.entry_type, entry.content) for entry in entries] == [
        (SystemMessage(), "Update 1 is there.")
    ]


@given(st.text(alphabet="0aF9-. x\u0661", max_size=90))
def test_the_key_is_that_of_a_search_for_ids_and_numbers_at_each_letter(text: str) -> None:
    varying = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|\d+(?:\.\d+)?"
    for one in (text, f"{text}01234567-89ab-cdef-0123-456789abcdef{text}"):
        expected = re.sub(varying, "#", one.strip()[:NOTICE_MOST], flags=re.IGNORECASE)
        assert notice_key(one) == expected
