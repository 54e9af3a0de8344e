"""How Amp is started, and how dialogues of its documented format are read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from anyond.agents.amp.agent import Amp
from anyond.agents.common.core import (
    ConfirmsAtOnce,
    EntryPut,
    Interrupt,
    Outcome,
    SessionLost,
    Turn,
    TurnEnded,
)
from anyond.agents.common.recap import RECAP_REMARK
from anyond.model.entries import (
    ErrorMessage,
    FileChangeEdit,
    FileEdit,
    SetupRequired,
    TokenUsage,
    ToolUse,
)
from anyond.model.launch import Launch
from anyond.model.records import Stream
from anyond.model.refusals.requests import Impossible
from tests.support.dialogues.acp_driver import entries, reported
from tests.support.dialogues.recordings import FOLDER, TREE, fold, load
from tests.support.dialogues.shown import expect

NAMES = sorted(path.stem for path in (FOLDER / "amp").glob("*.jsonl"))
THREAD = "T-5f0b7c1e-9a3d-4d2b-8c7f-1f2e3d4c5b6a"


def launch(session_id: str | None = None, **options: Any) -> Launch:
    return Amp().launch(Turn(prompt="p", cwd=TREE, session_id=session_id, options=options))


def events_of(name: str) -> list[Any]:
    recording = load(FOLDER / "amp" / f"{name}.jsonl")
    return fold(recording.fresh(), recording.records)


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_gives_the_expected_conversation(name: str) -> None:
    golden = (FOLDER / "amp" / f"{name}.golden").read_text(encoding="utf-8")
    assert reported(events_of(name)) == golden.splitlines()


def test_it_is_started_with_stream_json_both_ways() -> None:
    plain = launch()
    stream = ("--execute", "--stream-json", "--stream-json-thinking", "--stream-json-input")
    assert plain.argv == ("amp", *stream)
    assert "npm install -g @sourcegraph/amp" in plain.install
    assert launch(dangerously_allow_all=True).argv[-1] == "--dangerously-allow-all"


def test_options_shape_the_command() -> None:
    given = launch(
        THREAD,
        base_command_override="npx -y '@sourcegraph/amp'",
        additional_params=["--label", "a b"],
        mode="high",
        env={"AMP_URL": "http://127.0.0.1:1", "OLD": None},
        append_prompt=None,
        nonsense=7,
    )
    assert given.argv[:6] == ("npx", "-y", "@sourcegraph/amp", "threads", "continue", THREAD)
    assert given.argv[-4:] == ("--mode", "high", "--label", "a b")
    assert given.env == {"AMP_URL": "http://127.0.0.1:1", "OLD": None}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("dangerously_allow_all", "yes"),
        ("mode", 4),
        ("additional_params", "--x"),
        ("additional_params", ["a\0b"]),
        ("env", {"A=B": "1"}),
        ("base_command_override", "'open"),
    ],
)
def test_a_wrong_option_is_named(option: str, value: Any) -> None:
    with pytest.raises(Impossible) as refusal:
        launch(**{option: value})
    assert refusal.value.field == option


def test_a_thread_cannot_be_an_option() -> None:
    with pytest.raises(Impossible):
        launch("--dangerously-allow-all")


def test_it_is_told_the_prompt_once_and_nothing_else() -> None:
    options = {"append_prompt": " Please."}
    dialogue = Amp().dialogue(Turn(prompt="Go", cwd=TREE, options=options))
    assert isinstance(dialogue, ConfirmsAtOnce)
    assert dialogue.confirms_at_once
    [line] = dialogue.outgoing()
    assert json.loads(line)["message"]["content"] == [{"type": "text", "text": "Go Please."}]
    dialogue.send(Interrupt())
    dialogue.receive(Stream.STDIN, line)
    assert dialogue.outgoing() == []
    again = Amp().dialogue(Turn(prompt="Go", cwd=TREE, options=options))
    again.receive(Stream.STDIN, line)
    assert again.outgoing() == []


def test_a_conversation_that_it_has_forgotten_is_retold_but_not_shown_again() -> None:
    dialogue = Amp().dialogue(Turn(prompt="Go on", cwd=TREE, past="You had begun."))
    [line] = dialogue.outgoing()
    recap, prompt = json.loads(line)["message"]["content"]
    assert recap["text"].endswith("You had begun.")
    assert prompt["text"] == "Go on"
    put = dialogue.receive(Stream.STDIN, line)
    assert [event.entry.content for event in put if isinstance(event, EntryPut)] == [
        "Go on",
        RECAP_REMARK,
    ]


def test_a_thread_that_is_not_there_is_a_lost_session() -> None:
    assert [e for e in events_of("lost_thread") if isinstance(e, SessionLost)] == [SessionLost()]


def test_what_must_be_set_up_is_told_as_that() -> None:
    [error] = [e for e in entries(events_of("login")).values() if "API key" in e.content]
    assert error.entry_type == ErrorMessage(error_type=SetupRequired())


def test_an_answer_that_only_asks_for_a_login_is_no_success() -> None:
    dialogue = Amp().dialogue(Turn(prompt="p", cwd=TREE))
    words = "Authentication required. Please run 'amp login'."
    message = {"id": "m", "content": [{"type": "text", "text": words}]}
    result = {"type": "result", "subtype": "success", "is_error": False, "result": words}
    lines = [
        json.dumps(line).encode() + b"\n"
        for line in ({"type": "assistant", "message": message}, result)
    ]
    events = [event for line in lines for event in dialogue.receive(Stream.STDOUT, line)]
    [end] = [event for event in events if isinstance(event, TurnEnded)]
    assert end.outcome is Outcome.FAILED
    [error] = entries(events).values()
    assert error.entry_type == ErrorMessage(error_type=SetupRequired())


def test_an_edit_has_the_true_line_numbers_and_tokens_are_those_of_all_messages() -> None:
    found = [entry.entry_type for entry in entries(events_of("every_tool")).values()]
    edits = [use.action_type for use in found if isinstance(use, ToolUse)]
    edit = next(action for action in edits if isinstance(action, FileEdit))
    change = expect(FileChangeEdit, edit.changes[0])
    assert change.has_line_numbers
    assert "@@ -10,3 +10,3 @@\n def f():\n-    return 1\n" in change.unified_diff
    [usage] = [kind for kind in found if isinstance(kind, TokenUsage)]
    assert (usage.input_tokens, usage.cache_read_tokens) == (0, 10 * 12416)


def test_what_a_sub_agent_does_belongs_to_it() -> None:
    displayed = entries(events_of("every_tool"))
    assert [key for key, entry in displayed.items() if entry.parent == "tool:t9"] == [
        "tool:t10",
        "msg::12",
    ]


def test_a_turn_ends_once() -> None:
    for name in NAMES:
        assert len([e for e in events_of(name) if isinstance(e, TurnEnded)]) <= 1
