"""How a run over the Agent Client Protocol goes where no recording shows it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from anyond.agents.acp.agent import Acp
from anyond.agents.acp.conversation.texts import STDERR_BYTES
from anyond.agents.acp.dialogue import AcpDialogue
from anyond.agents.common.carried import Carried, Totals
from anyond.agents.common.core import (
    AgentEvent,
    ApprovalAnswered,
    ApprovalAsked,
    ApprovalWithdrawn,
    Decide,
    Decision,
    Interrupt,
    Outcome,
    Prompt,
    SessionStarted,
    Turn,
    TurnEnded,
)
from anyond.model.entries import ErrorMessage, SetupRequired, TodoItem, TodoManagement, TokenUsage
from anyond.model.records import Stream
from anyond.model.refusals.requests import Impossible
from tests.support.dialogues.acp_driver import entries, fold, fresh, methods, told
from tests.support.dialogues.shown import expect, tool_of

ONCE = {"optionId": "o", "kind": "allow_once"}
ALWAYS = {"optionId": "A", "kind": "allow_always"}
REJECT = {"optionId": "r", "kind": "reject_once"}
NEVER = {"optionId": "n", "kind": "reject_always"}


class Talk:
    """Plays the agent and the pipe: what the dialogue says is echoed before it is answered."""

    agent = Acp(command=("agent",))

    def __init__(self, session: str | None = None, **options: Any) -> None:
        turn = Turn(prompt="do it", cwd="/w", session_id=session, options=options)
        self.dialogue: AcpDialogue = self.agent.dialogue(turn)
        self.events: list[AgentEvent] = []
        self.said: list[dict[str, Any]] = []
        self.pump()

    def pump(self) -> list[str]:
        """Write what is queued; returns what it was about."""
        about = []
        while lines := self.dialogue.outgoing():
            about += methods(lines)
            self.said += map(json.loads, lines)
            for line in lines:
                self.events += self.dialogue.receive(Stream.STDIN, line)
        return about

    def hear(self, **message: Any) -> list[str]:
        """The agent says `message`; returns what the dialogue says to that."""
        line = json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"
        self.events += self.dialogue.receive(Stream.STDOUT, line)
        return self.pump()

    def reply(self, result: Any = None, **fault: Any) -> list[str]:
        """The agent answers the newest request."""
        number = [
            message["id"] for message in self.said if "method" in message and "id" in message
        ][-1]
        if fault:
            return self.hear(id=number, error=fault)
        return self.hear(id=number, result={} if result is None else result)

    def update(self, update: str, /, **fields: Any) -> None:
        self.hear(method="session/update", params={"update": {"sessionUpdate": update, **fields}})

    def ask(self, id: Any, options: list[Any], **tool: Any) -> list[str]:
        params = {"toolCall": {"toolCallId": "t", **tool}, "options": options}
        return self.hear(id=id, method="session/request_permission", params=params)

    def only(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def working(**options: Any) -> Talk:
    """A talk in the middle of its turn."""
    talk = Talk(**options)
    assert talk.reply({"protocolVersion": 1}) == ["session/new"]
    assert talk.reply({"sessionId": "s"})[-1:] == ["session/prompt"]
    return talk


def test_an_agent_is_told_that_its_own_news_can_be_shown_as_such() -> None:
    first = Talk().said[0]
    assert first["method"] == "initialize"
    assert first["params"]["clientCapabilities"]["session"] == {"notices": {}}


# ---------------------------------------------------------------- launch and options


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


# ---------------------------------------------------------------- the handshake


def test_the_prompt_is_sent_with_what_the_variant_appends() -> None:
    talk = working(append_prompt=" now")
    assert talk.said[-1]["params"] == {
        "sessionId": "s",
        "prompt": [{"type": "text", "text": "do it now"}],
    }
    assert [message["id"] for message in talk.said] == [1, 2, 3]
    assert told(talk.events) == ["user: do it now", "> session"]


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
    told, prompt = (block["text"] for block in talk.said[-1]["params"]["prompt"])
    assert told.startswith("(Your former session of this conversation could not be resumed")
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
    assert talk.said[2]["params"] == {"sessionId": "s", "configId": "m", "value": "big"}
    assert talk.said[3]["params"] == {"sessionId": "s", "modeId": "x#plan"}


def test_a_mode_that_is_not_offered_or_refused_is_told_and_the_work_goes_on() -> None:
    talk = Talk(mode="full-access", model="huge")
    talk.reply({})
    opened = {"sessionId": "s", "modes": MODES, "configOptions": MODELS}
    assert talk.reply(opened) == ["session/set_config_option"]
    assert talk.said[-1]["params"] == {"sessionId": "s", "configId": "m", "value": "huge"}
    assert talk.reply(code=-32602, message="No such model.") == ["session/set_mode"]
    assert talk.reply(code=-32603, message="Internal error", data="no") == ["session/prompt"]
    shown = list(entries(talk.events).values())
    assert [entry.content for entry in shown] == [
        "The model 'huge' was refused: No such model. It offers big.",
        "The mode 'full-access' was refused: no",
        "do it",
    ]
    assert [type(entry.entry_type) for entry in shown[:2]] == [ErrorMessage, ErrorMessage]


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
    _said(talk, "Invalid API key")
    talk.reply(code=-32000, message="Authentication required")
    shown = [entry for key, entry in entries(talk.events).items() if not key.startswith("user")]
    assert [entry.entry_type for entry in shown] == [ErrorMessage(error_type=SetupRequired())]
    assert shown[0].content.startswith("Invalid API key — The agent wants you to log in first")


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


# ---------------------------------------------------------------- permissions


@pytest.mark.parametrize(
    ("options", "verdict", "outcome"),
    [
        ([ALWAYS, REJECT, ONCE], Decision.APPROVED, "o"),
        ([REJECT, ALWAYS], Decision.APPROVED, "A"),
        ([{"optionId": "x", "kind": "allow_for_ever"}], Decision.APPROVED, "x"),
        ([NEVER, ONCE, REJECT], Decision.DENIED, "r"),
        ([NEVER, ONCE], Decision.TIMED_OUT, "n"),
        ([ONCE], Decision.DENIED, None),
        ([], Decision.APPROVED, None),
        (["nonsense", {"kind": "allow_once", "optionId": 3}], Decision.APPROVED, None),
    ],
)
def test_an_option_is_chosen_by_its_kind(
    options: list[Any], verdict: Decision, outcome: str | None
) -> None:
    talk = working()
    assert talk.ask("q", options) == []
    [asked] = talk.only(ApprovalAsked)
    talk.dialogue.send(Decide(asked.call, verdict))
    assert talk.only(ApprovalAnswered) == []
    assert talk.pump() == ["answer q"]
    chosen = talk.said[-1]["result"]["outcome"]
    expected: dict[str, Any] = {"outcome": "cancelled"}
    if outcome is not None:
        expected = {"outcome": "selected", "optionId": outcome}
    assert chosen == expected
    assert talk.only(ApprovalAnswered) == [ApprovalAnswered(asked.call)]


def test_a_question_is_answered_once() -> None:
    talk = working()
    talk.ask(0, [ONCE, REJECT])
    [asked] = talk.only(ApprovalAsked)
    talk.dialogue.send(Decide(asked.call, Decision.APPROVED))
    talk.dialogue.send(Decide(asked.call, Decision.DENIED))
    assert talk.pump() == ["answer 0"]
    talk.dialogue.send(Decide(asked.call, Decision.DENIED))
    assert talk.pump() == []
    assert talk.said[-1]["result"]["outcome"]["optionId"] == "o"


def test_parallel_questions_and_reused_ids_are_told_apart() -> None:
    talk = working()
    talk.ask(0, [ONCE], toolCallId="a")
    talk.ask("0", [ONCE], toolCallId="b")
    first, second = talk.only(ApprovalAsked)
    assert (first.entry_key, second.entry_key) == ("tool:a", "tool:b")
    for asked in (second, first):
        talk.dialogue.send(Decide(asked.call, Decision.APPROVED))
    talk.pump()
    assert [message["id"] for message in talk.said[-2:]] == ["0", 0]
    talk.ask(0, [ONCE])
    assert len({asked.call for asked in talk.only(ApprovalAsked)}) == 3


def test_a_variant_can_allow_everything_and_asking_wins() -> None:
    talk = working(auto_approve=True)
    assert talk.ask(0, [ALWAYS, ONCE]) == ["answer 0"]
    assert talk.said[-1]["result"]["outcome"]["optionId"] == "o"
    assert talk.only(ApprovalAsked) == []
    assert working(auto_approve=True, approvals=True).ask(0, [ONCE]) == []


def test_what_we_do_not_offer_is_refused() -> None:
    talk = working()
    assert talk.hear(id=9, method="fs/read_text_file", params={"path": "/x"}) == ["answer 9"]
    assert talk.said[-1]["error"]["code"] == -32601


def test_a_question_is_withdrawn_when_the_turn_ends_without_an_answer() -> None:
    talk = working()
    talk.ask(0, [ONCE], title="Danger", kind="execute", rawInput={"command": "rm x"})
    talk.reply({"stopReason": "end_turn"})
    assert told(talk.events)[1:] == [
        "command_run failed: rm x [False] ''",
        "> session",
        "> asked: Danger",
        "> withdrawn",
        "> completed",
    ]


# ---------------------------------------------------------------- interrupt and steer


def test_an_interrupt_cancels_the_turn_and_every_open_question() -> None:
    talk = working()
    talk.ask(0, [ONCE])
    talk.dialogue.send(Interrupt())
    assert talk.pump() == ["session/cancel", "answer 0"]
    assert talk.said[-1]["result"] == {"outcome": {"outcome": "cancelled"}}
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
    assert told(talk.events)[2] == "error: busy"
    talk.hear(id=3, result={"stopReason": "end_turn"})
    assert talk.only(TurnEnded) == [TurnEnded(Outcome.COMPLETED)]


def test_a_prompt_that_comes_too_early_waits_for_the_first() -> None:
    talk = Talk()
    talk.dialogue.send(Prompt("and that"))
    assert talk.pump() == []
    talk.reply({})
    talk.reply({"sessionId": "s"})
    texts = [message["params"]["prompt"][0]["text"] for message in talk.said[2:]]
    assert texts == ["do it", "and that"]


# ---------------------------------------------------------------- the outcome


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


def _said(talk: Talk, text: str) -> None:
    talk.update("agent_message_chunk", content={"type": "text", "text": text})


def test_an_error_dressed_as_success_is_a_failure_only_if_nothing_else_was_said() -> None:
    talk = working()
    _said(talk, "Err")
    _said(talk, "or: no key")
    talk.reply({"stopReason": "end_turn"})
    assert talk.only(TurnEnded) == [TurnEnded(Outcome.FAILED, "no key")]
    talk = working()
    _said(talk, "Error: is what the log says. ")
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


# ---------------------------------------------------------------- entries


def _codex(talk: Talk, **told: Any) -> None:
    talk.update("session_info_update", _meta={"codex": told})


def test_a_turn_that_failed_though_it_ended_well_has_the_agents_words_as_its_error() -> None:
    talk = working()
    _codex(talk, threadStatus={"type": "active"})
    _said(talk, "half ")
    _codex(talk, threadStatus={"type": "systemError"})
    _said(talk, "The model is ")
    _said(talk, "overloaded.\n\n")
    talk.reply({"stopReason": "end_turn"})
    assert told(talk.events)[1:] == [
        "assistant: half ",
        "error: The model is overloaded.",
        "> session",
        "> failed: The model is overloaded.",
    ]


def test_a_failure_without_words_is_one_all_the_same_and_one_that_is_over_is_none() -> None:
    talk = working()
    _codex(talk, threadStatus={"type": "systemError"})
    talk.reply({"stopReason": "end_turn"})
    assert talk.only(TurnEnded)[0].outcome is Outcome.FAILED
    talk = working()
    _codex(talk, threadStatus={"type": "systemError"})
    _codex(talk, threadStatus={"type": "active"})
    _said(talk, "It works again.")
    talk.reply({"stopReason": "end_turn"})
    assert told(talk.events)[1:] == ["assistant: It works again.", "> session", "> completed"]


def test_a_failure_that_is_told_otherwise_has_its_reason_all_the_same() -> None:
    """In the data of an error, before the status, in words with an id, or with another end."""

    def ended(talk: Talk, reason: str = "end_turn") -> TurnEnded:
        talk.reply({"stopReason": reason})
        [end] = talk.only(TurnEnded)
        assert end.outcome is Outcome.FAILED
        return expect(TurnEnded, end)

    talk = working()
    _codex(talk, error={"message": "Too Many Requests", "willRetry": False})
    _codex(talk, threadStatus="systemError")
    assert ended(talk).error == "Too Many Requests"
    talk = working()
    _codex(talk, error={"message": "No.", "codexErrorInfo": "unauthorized", "willRetry": False})
    _codex(talk, threadStatus={"type": "systemError"})
    ended(talk)
    assert entries(talk.events)["error:2"].entry_type == ErrorMessage(error_type=SetupRequired())
    talk = working()
    _said(talk, "It is overloaded.\n\n")
    _codex(talk, threadStatus={"type": "systemError"})
    assert (ended(talk).error or "").endswith("Its last words: It is overloaded.")
    talk = working()
    _codex(talk, threadStatus={"type": "systemError"})
    talk.update("agent_thought_chunk", content={"type": "text", "text": "Hm."})
    _said(talk, "The stream broke.")
    assert ended(talk, "cancelled").error == "The stream broke."
    assert "thinking: Hm." in told(talk.events)


def _retried(talk: Talk, number: int) -> None:
    _codex(talk, error={"message": f"Reconnecting... {number}/5", "willRetry": True})


def test_what_broke_off_is_replaced_by_what_is_said_instead() -> None:
    talk = working()
    talk.update("agent_thought_chunk", content={"type": "text", "text": "half a th"})
    _said(talk, "half an ans")
    _retried(talk, 1)
    _said(talk, "half again")
    _retried(talk, 2)
    _said(talk, "a whole answer")
    talk.reply({"stopReason": "end_turn"})
    assert told(talk.events)[1:] == [
        "system: An answer of the model broke off here; it was asked again.",
        "assistant: a whole answer",
        "system: Reconnecting... 2/5",
        "> session",
        "> completed",
    ]


def test_what_broke_off_is_no_answer_if_the_agent_acts_instead() -> None:
    talk = working()
    _said(talk, "half an ans")
    _retried(talk, 1)
    talk.update("tool_call", toolCallId="t", kind="execute", status="completed", title="ls")
    _said(talk, "Done.")
    talk.reply({"stopReason": "end_turn"})
    assert told(talk.events)[1:] == [
        "system: An answer of the model broke off here; it was asked again.",
        "system: Reconnecting... 1/5",
        "command_run success: ls",
        "assistant: Done.",
        "> session",
        "> completed",
    ]


def test_news_of_usage_ends_no_text_that_names_its_message() -> None:
    talk = working()
    for text in ("Now I'll run", " a command."):
        talk.update("agent_message_chunk", messageId="m", content={"type": "text", "text": text})
        talk.update("usage_update", used=1542, size=200000)
    talk.update("agent_thought_chunk", content={"type": "text", "text": "hm"})
    _said(talk, "one")
    talk.update("usage_update", used=1542, size=200000)
    _said(talk, "another")
    texts = [line for line in told(talk.events) if line.startswith("assistant")]
    assert texts == [
        "assistant: Now I'll run a command.",
        "assistant: one",
        "assistant: another",
    ]


def _informed(talk: Talk, text: str) -> None:
    meta = {"claudeCode": {"kind": "informational", "level": "warning"}}
    talk.update("agent_message_chunk", content={"type": "text", "text": text}, _meta=meta)


def test_what_a_program_tells_of_itself_is_no_answer_and_told_once_in_an_attempt() -> None:
    carried = Carried()
    for run in (1, 2):
        turn = Turn(prompt="do it", cwd="/w", carried=carried)
        talk = Talk()
        talk.dialogue = Acp(command=("agent",)).dialogue(turn)
        talk.said, talk.events = [], []
        talk.pump()
        talk.reply({"protocolVersion": 1})
        talk.reply({"sessionId": "s"})
        talk.dialogue.receive(Stream.STDERR, b"chatter took 5 ms\n")
        talk.update("notice", severity="info", title=f"Update {run}.0 is there", description="Do")
        _informed(talk, "**Warning:** It is late.")
        _said(talk, "An answer.")
        _informed(talk, "**Warning:** It is late.")
        talk.reply({"stopReason": "end_turn"})
        notices = ["system: Update 1.0 is there|Do", "system: It is late."] if run == 1 else []
        assert told(talk.events)[1:] == [
            *notices,
            "assistant: An answer.",
            "> session",
            "> completed",
        ]
        carried = talk.dialogue.left


def test_what_is_known_of_stderr_is_shown_if_the_run_fails() -> None:
    def run(carried: Carried, ended: bool, said: bytes) -> AcpDialogue:
        talk.dialogue = Acp(command=("agent",)).dialogue(
            Turn(prompt="do it", cwd="/w", carried=carried)
        )
        talk.said, talk.events = [], []
        talk.pump()
        talk.reply({"protocolVersion": 1})
        talk.reply({"sessionId": "s"})
        talk.events += talk.dialogue.receive(Stream.STDERR, said)
        if ended:
            talk.reply({"stopReason": "end_turn"})
        talk.events += talk.dialogue.finish()
        return talk.dialogue

    talk = Talk()
    carried = run(Carried(), True, b"no disk 1\n").left
    assert "system: no disk 1" in told(talk.events)
    run(carried, True, b"no disk 2\n")
    assert not any("disk" in line for line in told(talk.events))
    run(carried, False, b"no disk 3\n")
    assert "system: no disk 3" in told(talk.events)


def _cost(talk: Talk, amount: float) -> None:
    talk.update("usage_update", used=1, size=2, cost={"amount": amount, "currency": "USD"})


@pytest.mark.parametrize(("told_first", "of_this_run"), [(0.75, 0.5), (0.1, 0.1)])
def test_the_cost_of_a_session_becomes_that_of_its_run(
    told_first: float, of_this_run: float
) -> None:
    talk = working()
    turn = Turn(prompt="p", cwd="/w", carried=Carried(used=Totals(cost_usd=0.25)))
    talk.dialogue = Acp(command=("agent",)).dialogue(turn)
    talk.said, talk.events = [], []
    talk.pump()
    talk.reply({"protocolVersion": 1})
    talk.reply({"sessionId": "s"})
    _cost(talk, told_first)
    _cost(talk, told_first + 1)
    usage = entries(talk.events)["usage"]
    assert expect(TokenUsage, usage.entry_type).cost_usd == pytest.approx(of_this_run + 1)
    assert usage.content == f"${of_this_run + 1:.4f}"
    assert talk.dialogue.left.used == Totals(cost_usd=told_first + 1)


def _resuming(carried: Carried, name: str = "") -> Talk:
    """A talk whose agent has been asked for its old session."""
    turn = Turn(prompt="p", cwd="/w", session_id="old", carried=carried)
    talk = Talk()
    talk.dialogue = Acp(command=("agent",)).dialogue(turn)
    talk.said, talk.events = [], []
    talk.pump()
    abilities = {"loadSession": True}
    talk.reply({"agentInfo": {"name": name}, "agentCapabilities": abilities})
    return talk


def test_a_session_that_is_lost_has_cost_nothing_before() -> None:
    talk = _resuming(Carried(used=Totals(cost_usd=0.25)))
    talk.reply(code=-32602, message="There is no such session.")
    talk.reply({"sessionId": "new"})
    _cost(talk, 0.75)
    assert entries(talk.events)["usage"].content == "$0.7500"


def test_the_tokens_of_a_session_become_those_of_its_run() -> None:
    """Also after several turns and resumes, and if the agent begins to count anew."""
    vibe, carried, shown = "@mistralai/mistral-vibe", Carried(), []
    for totals in ([(100, 5)], [(300, 10), (600, 30)], [(601, 31)], [(50, 2), (90, 4)]):
        talk = _resuming(carried, vibe)
        talk.reply({})
        for tokens_in, tokens_out in totals:
            talk.dialogue.send(Prompt("more"))
            talk.pump()
            _cost(talk, tokens_in / 1000)
            used = {"inputTokens": tokens_in, "outputTokens": tokens_out}
            talk.reply({"stopReason": "end_turn", "usage": used})
        shown.append(entries(talk.events)["usage"].content)
        carried = talk.dialogue.left
    assert shown == [
        "100 tokens in, 5 out, $0.1000",
        "500 tokens in, 25 out, $0.5000",
        "1 tokens in, 1 out, $0.0010",
        "90 tokens in, 4 out, $0.0900",
    ]
    assert carried.used == Totals(input_tokens=90, output_tokens=4, cost_usd=0.09)


def test_nothing_used_is_not_shown() -> None:
    talk = working()
    _cost(talk, 0)
    nothing = {"inputTokens": 0, "outputTokens": 0}
    talk.reply({"stopReason": "end_turn", "usage": nothing})
    assert "usage" not in entries(talk.events)


def test_texts_end_where_something_else_begins() -> None:
    talk = working()
    _said(talk, "one ")
    talk.update("available_commands_update", availableCommands=[])
    _said(talk, "text")
    talk.update("agent_thought_chunk", content={"type": "text", "text": "hm"})
    _said(talk, "two")
    talk.update("agent_message_chunk", messageId="m1", content={"type": "text", "text": "!"})
    talk.update("agent_message_chunk", messageId="m2", content={"type": "text", "text": "three"})
    assert told(talk.events)[1:-1] == [
        "assistant: one text",
        "thinking: hm",
        "assistant: two!",
        "assistant: three",
    ]


def test_the_plan_is_one_entry() -> None:
    talk = working()
    for status in ("pending", "completed"):
        talk.update("plan", entries=[{"content": "a", "status": status, "priority": "high"}, 3])
    plan = entries(talk.events)["plan"]
    assert plan.content == "Plan: 1 of 2 done"
    assert expect(TodoManagement, tool_of(plan).action_type).todos == [
        TodoItem(content="a", status="completed", priority="high"),
        TodoItem(content="", status="pending"),
    ]


def test_the_end_of_a_long_stderr_is_shown_without_colours() -> None:
    dialogue = fresh()
    lines = b"".join(b"\x1b[31mline %d\x1b[0m\n" % count for count in range(20_000))
    shown = entries(dialogue.receive(Stream.STDERR, lines))["stderr"].content
    head, *rest = shown.split("\n")
    assert head == f"[{20_000 - len(rest)} earlier lines are in the raw log]"
    assert rest[-1] == "line 19999"
    assert STDERR_BYTES - 20 < len("\n".join(rest)) <= STDERR_BYTES


@pytest.mark.parametrize("quote", ["'", '"'])
def test_stderr_is_shown_without_what_only_programmers_read(quote: str) -> None:
    lines = [
        "Looking.",
        "Error handling request {",
        "  jsonrpc: '2.0',",
        "} {",
        "  code: -32603,",
        "  data: {",
        "    details: 'terminated'",
        "  }",
        "}",
        "Error handling notification { method: 'x' } { code: 1 }",
        "[SYSTEM_ERROR] Prompt for session 1-2 failed: RequestError: Authentication required",
        "RequestError: Authentication required",
        "    at async handle (file:///lib/index.js:26848:24)",
        "2 | // @bun",
        "3 | import{WD as f}from'/$bunfs/app/chunk.js'",
        "      ^",
        "RequestError: Anyon does not offer fs/write_text_file",
        " code: -32601,",
        "[perf] acp agent event loop stall: max=1811.939327ms",
        "[session/create] sessionId=1 phase=settings durationMs=7 totalMs=8",
        "Attempt 1 failed.",
        "    at async Models.ask (file:///lib/chunk.js:268692:16)",
        "    at async file:///lib/chunk.js:288018:23 {",
        "  status: 429",
        "}",
        "  meet me at ten",
        "}",
    ]
    said = "\n".join(lines).replace("'", quote).encode()
    shown = entries(fold(fresh(), [(Stream.STDERR, said)]))["stderr"].content
    assert shown == "Looking.\nAttempt 1 failed.\n  meet me at ten\n}"


def test_nothing_stays_open_when_the_output_ends() -> None:
    talk = working()
    talk.ask(0, [ONCE], title="Danger")
    _said(talk, "cut")
    end = b'{"method":"session/update","params":{"update":{"sessionUpdate":"plan","entries":[]}}}'
    talk.events += talk.dialogue.receive(Stream.STDOUT, end)
    talk.events += talk.dialogue.finish()
    assert told(talk.events)[1:] == [
        "tool failed: Danger",
        "assistant: cut",
        "todo_management success: Plan: 0 of 0 done",
        "> session",
        "> asked: Danger",
        "> withdrawn",
    ]


def test_tokens_of_several_turns_add_up_unless_the_agent_does_it() -> None:
    for name, expected in (("any", "usage: 30 + 3"), ("Copilot", "usage: 20 + 2")):
        talk = Talk()
        talk.reply({"agentInfo": {"name": name}})
        talk.reply({"sessionId": "s"})
        talk.reply({"stopReason": "end_turn", "usage": {"inputTokens": 10, "outputTokens": 1}})
        talk.dialogue.send(Prompt("more"))
        talk.pump()
        talk.reply({"stopReason": "end_turn", "usage": {"inputTokens": 20, "outputTokens": 2}})
        assert expected in told(talk.events)
