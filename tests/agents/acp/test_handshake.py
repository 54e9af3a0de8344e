"""How an agent is launched, and what is said before the first prompt."""

from __future__ import annotations

import json
from typing import Any

import pytest

from anyond.agents.acp.agent import Acp
from anyond.agents.common.core import (
    Outcome,
    SessionStarted,
    Turn,
    TurnEnded,
)
from anyond.model.entries import ErrorMessage, SetupRequired
from anyond.model.records import Stream
from anyond.model.refusals.requests import Impossible
from tests.support.dialogues.acp_driver import entries, fresh, methods, reported
from tests.support.dialogues.acp_talk import Talk, printed, working


def test_an_agent_is_told_that_its_own_news_can_be_shown_as_such() -> None:
    first = Talk().printed[0]
    assert first["method"] == "initialize"
    assert first["params"]["clientCapabilities"]["session"] == {"notices": {}}


def launch(**options: Any) -> Any:
    return Acp().launch(Turn(prompt="p", cwd="/w", options=options))


def test_the_command_is_split_as_a_shell_does_and_parameters_follow() -> None:
    made = launch(
        base_command_override="npx 'my agent' --acp",
        additional_params=["--x", "a b"],
        env={"A": "1", "B": None},
        some_future_option=3,
    )
    assert made.argv == ("npx", "my agent", "--acp", "--x", "a b")
    assert made.env == {"A": "1", "B": None}
    assert made.cwd == "/w"


def test_a_variant_without_a_command_is_told_of_both_ways_to_name_one() -> None:
    with pytest.raises(Impossible, match="set agent to one that Anyon knows by name"):
        launch()
    with pytest.raises(Impossible) as caught:
        launch(base_command_override="''")
    assert "set agent" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("base_command_override", {}),
        ("base_command_override", {"base_command_override": "agent 'open"}),
        ("base_command_override", {"base_command_override": "agent \0"}),
        ("append_prompt", {"base_command_override": "a", "append_prompt": 3}),
        ("additional_params[1]", {"base_command_override": "a", "additional_params": ["x", 1]}),
        ("auto_approve", {"base_command_override": "a", "auto_approve": "yes"}),
    ],
)
def test_impossible_options_are_named(field: str, options: dict[str, Any]) -> None:
    with pytest.raises(Impossible) as caught:
        launch(**options)
    assert caught.value.field == field


def test_the_prompt_is_sent_with_what_the_variant_appends() -> None:
    talk = working(append_prompt=" now")
    assert talk.printed[-1]["params"] == {
        "sessionId": "s",
        "prompt": [{"type": "text", "text": "do it now"}],
    }
    assert [message["id"] for message in talk.printed] == [1, 2, 3]
    assert reported(talk.events) == ["user: do it now", "> session"]


CAN = {"loadSession": True, "sessionCapabilities": {"resume": {}}}


def test_a_session_is_resumed_if_the_agent_can() -> None:
    talk = Talk(session="old")
    assert talk.reply({"agentCapabilities": CAN}) == ["session/resume"]
    assert talk.reply({}) == ["session/prompt"]
    assert talk.only(SessionStarted) == [SessionStarted("old")]


def test_resume_load_and_a_new_session_are_tried_in_this_order() -> None:
    talk = Talk(session="old")
    talk.reply({"agentCapabilities": CAN})
    assert talk.reply(code=-32601, message="no such method") == ["session/load"]
    talk.update("agent_message_chunk", content={"type": "text", "text": "old words"})
    assert talk.reply(code=-32002, message="Resource not found") == ["session/new"]
    assert talk.reply({"sessionId": "new"}) == ["session/prompt"]
    reported, prompt = (block["text"] for block in talk.printed[-1]["params"]["prompt"])
    assert reported.startswith("(Your former session of this conversation could not be resumed")
    assert prompt == "do it"
    [note, user] = entries(talk.events).values()
    assert note.content.startswith("The former session could not be resumed: Resource not found.")
    assert user.content == "do it"


def test_an_agent_that_can_do_neither_starts_anew() -> None:
    talk = Talk(session="old")
    assert talk.reply({"agentCapabilities": {}}) == ["session/new"]


def test_a_variant_can_forbid_to_resume() -> None:
    talk = Talk(session="old", resume=False)
    assert talk.reply({"agentCapabilities": CAN}) == ["session/new"]


MODES = {"availableModes": [{"id": "x#plan"}, {"id": "full-access"}], "currentModeId": "x#ask"}

MODELS = [{"id": "m", "category": "model", "options": [{"value": "big"}], "currentValue": "small"}]


def test_mode_and_model_are_set_before_the_prompt() -> None:
    talk = Talk(plan=True, model="big")
    talk.reply({})
    opened = {"sessionId": "s", "modes": MODES, "configOptions": MODELS}
    assert talk.reply(opened) == ["session/set_config_option"]
    assert talk.reply() == ["session/set_mode"]
    assert talk.reply() == ["session/prompt"]
    assert talk.printed[2]["params"] == {"sessionId": "s", "configId": "m", "value": "big"}
    assert talk.printed[3]["params"] == {"sessionId": "s", "modeId": "x#plan"}


def test_a_mode_that_is_not_offered_or_refused_is_told_and_the_work_goes_on() -> None:
    talk = Talk(mode="full-access", model="huge")
    talk.reply({})
    opened = {"sessionId": "s", "modes": MODES, "configOptions": MODELS}
    assert talk.reply(opened) == ["session/set_config_option"]
    assert talk.printed[-1]["params"] == {"sessionId": "s", "configId": "m", "value": "huge"}
    assert talk.reply(code=-32602, message="No such model.") == ["session/set_mode"]
    assert talk.reply(code=-32603, message="Internal error", data="no") == ["session/prompt"]
    displayed = list(entries(talk.events).values())
    assert [entry.content for entry in displayed] == [
        "The model 'huge' was refused: No such model. It offers big.",
        "The mode 'full-access' was refused: no",
        "do it",
    ]
    assert [type(entry.entry_type) for entry in displayed[:2]] == [ErrorMessage, ErrorMessage]


def test_a_mode_that_nobody_has_named_and_the_agent_does_not_have_is_not_asked_for() -> None:
    talk = Talk(plan=True)
    talk.reply({})
    assert talk.reply({"sessionId": "s"}) == ["session/prompt"]
    assert [entry.content for entry in entries(talk.events).values()] == [
        "The agent does not know the mode 'plan'; it offers no choice.",
        "do it",
    ]


def test_an_agent_that_wants_a_login_says_how() -> None:
    talk = Talk()
    talk.reply(
        {"agentInfo": {"title": "Pilot"}, "authMethods": [{"description": "Run `pilot login`"}]}
    )
    talk.reply(code=-32000, message="Authentication required")
    [ended] = talk.only(TurnEnded)
    assert ended.outcome is Outcome.FAILED
    assert "Pilot wants you to log in first" in ended.error
    assert "Run `pilot login`" in ended.error
    [entry] = entries(talk.events).values()
    assert entry.entry_type == ErrorMessage(error_type=SetupRequired())
    assert entry.content == ended.error


def test_the_words_of_an_agent_about_the_login_are_one_error_with_what_to_do() -> None:
    talk = working()
    printed(talk, "Invalid API key")
    talk.reply(code=-32000, message="Authentication required")
    displayed = [entry for key, entry in entries(talk.events).items() if not key.startswith("user")]
    assert [entry.entry_type for entry in displayed] == [ErrorMessage(error_type=SetupRequired())]
    assert displayed[0].content.startswith("Invalid API key — The agent wants you to log in first")


def test_an_agent_that_does_not_start_a_session_has_failed() -> None:
    talk = Talk()
    talk.reply({})
    talk.reply({"sessionId": 7})
    assert [event.outcome for event in talk.only(TurnEnded)] == [Outcome.FAILED]


def test_a_restart_in_the_middle_goes_on_with_the_next_number() -> None:
    again = fresh()
    again.receive(Stream.STDIN, b'{"id":1,"method":"initialize"}\n')
    again.receive(Stream.STDOUT, b'{"id":1,"result":{}}\n')
    [line] = again.outgoing()
    assert json.loads(line)["id"] == 2
    assert methods([line]) == ["session/new"]
