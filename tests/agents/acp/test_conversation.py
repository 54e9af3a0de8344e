"""What a run over the Agent Client Protocol shows, where no recording has it."""

from __future__ import annotations

from typing import Any

import pytest

from anyond.agents.acp.agent import Acp
from anyond.agents.acp.conversation.texts import STDERR_BYTES
from anyond.agents.acp.dialogue import AcpDialogue
from anyond.agents.common.carried import Carried, Totals
from anyond.agents.common.core import (
    Outcome,
    Prompt,
    Turn,
    TurnEnded,
)
from anyond.model.entries import ErrorMessage, SetupRequired, TodoItem, TodoManagement, TokenUsage
from anyond.model.records import Stream
from tests.support.dialogues.acp_driver import entries, fold, fresh, reported
from tests.support.dialogues.acp_talk import ONCE, Talk, printed, working
from tests.support.dialogues.shown import expect, tool_of


def _codex(talk: Talk, **reported: Any) -> None:
    talk.update("session_info_update", _meta={"codex": reported})


def test_a_turn_that_failed_though_it_ended_well_has_the_agents_words_as_its_error() -> None:
    talk = working()
    _codex(talk, threadStatus={"type": "active"})
    printed(talk, "half ")
    _codex(talk, threadStatus={"type": "systemError"})
    printed(talk, "The model is ")
    printed(talk, "overloaded.\n\n")
    talk.reply({"stopReason": "end_turn"})
    assert reported(talk.events)[1:] == [
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
    printed(talk, "It works again.")
    talk.reply({"stopReason": "end_turn"})
    assert reported(talk.events)[1:] == ["assistant: It works again.", "> session", "> completed"]


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
    printed(talk, "It is overloaded.\n\n")
    _codex(talk, threadStatus={"type": "systemError"})
    assert (ended(talk).error or "").endswith("Its last words: It is overloaded.")
    talk = working()
    _codex(talk, threadStatus={"type": "systemError"})
    talk.update("agent_thought_chunk", content={"type": "text", "text": "Hm."})
    printed(talk, "The stream broke.")
    assert ended(talk, "cancelled").error == "The stream broke."
    assert "thinking: Hm." in reported(talk.events)


def _retried(talk: Talk, number: int) -> None:
    _codex(talk, error={"message": f"Reconnecting... {number}/5", "willRetry": True})


def test_what_broke_off_is_replaced_by_what_is_said_instead() -> None:
    talk = working()
    talk.update("agent_thought_chunk", content={"type": "text", "text": "half a th"})
    printed(talk, "half an ans")
    _retried(talk, 1)
    printed(talk, "half again")
    _retried(talk, 2)
    printed(talk, "a whole answer")
    talk.reply({"stopReason": "end_turn"})
    assert reported(talk.events)[1:] == [
        "system: An answer of the model broke off here; it was asked again.",
        "assistant: a whole answer",
        "system: Reconnecting... 2/5",
        "> session",
        "> completed",
    ]


def test_what_broke_off_is_no_answer_if_the_agent_acts_instead() -> None:
    talk = working()
    printed(talk, "half an ans")
    _retried(talk, 1)
    talk.update("tool_call", toolCallId="t", kind="execute", status="completed", title="ls")
    printed(talk, "Done.")
    talk.reply({"stopReason": "end_turn"})
    assert reported(talk.events)[1:] == [
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
    printed(talk, "one")
    talk.update("usage_update", used=1542, size=200000)
    printed(talk, "another")
    texts = [line for line in reported(talk.events) if line.startswith("assistant")]
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
        talk.printed, talk.events = [], []
        talk.pump()
        talk.reply({"protocolVersion": 1})
        talk.reply({"sessionId": "s"})
        talk.dialogue.receive(Stream.STDERR, b"chatter took 5 ms\n")
        talk.update("notice", severity="info", title=f"Update {run}.0 is there", description="Do")
        _informed(talk, "**Warning:** It is late.")
        printed(talk, "An answer.")
        _informed(talk, "**Warning:** It is late.")
        talk.reply({"stopReason": "end_turn"})
        notices = ["system: Update 1.0 is there|Do", "system: It is late."] if run == 1 else []
        assert reported(talk.events)[1:] == [
            *notices,
            "assistant: An answer.",
            "> session",
            "> completed",
        ]
        carried = talk.dialogue.left


def test_what_is_known_of_stderr_is_shown_if_the_run_fails() -> None:
    def run(carried: Carried, ended: bool, printed: bytes) -> AcpDialogue:
        talk.dialogue = Acp(command=("agent",)).dialogue(
            Turn(prompt="do it", cwd="/w", carried=carried)
        )
        talk.printed, talk.events = [], []
        talk.pump()
        talk.reply({"protocolVersion": 1})
        talk.reply({"sessionId": "s"})
        talk.events += talk.dialogue.receive(Stream.STDERR, printed)
        if ended:
            talk.reply({"stopReason": "end_turn"})
        talk.events += talk.dialogue.finish()
        return talk.dialogue

    talk = Talk()
    carried = run(Carried(), True, b"no disk 1\n").left
    assert "system: no disk 1" in reported(talk.events)
    run(carried, True, b"no disk 2\n")
    assert not any("disk" in line for line in reported(talk.events))
    run(carried, False, b"no disk 3\n")
    assert "system: no disk 3" in reported(talk.events)


def _cost(talk: Talk, amount: float) -> None:
    talk.update("usage_update", used=1, size=2, cost={"amount": amount, "currency": "USD"})


@pytest.mark.parametrize(("reported_first", "of_this_run"), [(0.75, 0.5), (0.1, 0.1)])
def test_the_cost_of_a_session_becomes_that_of_its_run(
    reported_first: float, of_this_run: float
) -> None:
    talk = working()
    turn = Turn(prompt="p", cwd="/w", carried=Carried(used=Totals(cost_usd=0.25)))
    talk.dialogue = Acp(command=("agent",)).dialogue(turn)
    talk.printed, talk.events = [], []
    talk.pump()
    talk.reply({"protocolVersion": 1})
    talk.reply({"sessionId": "s"})
    _cost(talk, reported_first)
    _cost(talk, reported_first + 1)
    usage = entries(talk.events)["usage"]
    assert expect(TokenUsage, usage.entry_type).cost_usd == pytest.approx(of_this_run + 1)
    assert usage.content == f"${of_this_run + 1:.4f}"
    assert talk.dialogue.left.used == Totals(cost_usd=reported_first + 1)


def _resuming(carried: Carried, name: str = "") -> Talk:
    """A talk whose agent has been asked for its old session."""
    turn = Turn(prompt="p", cwd="/w", session_id="old", carried=carried)
    talk = Talk()
    talk.dialogue = Acp(command=("agent",)).dialogue(turn)
    talk.printed, talk.events = [], []
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
    vibe, carried, displayed = "@mistralai/mistral-vibe", Carried(), []
    for totals in ([(100, 5)], [(300, 10), (600, 30)], [(601, 31)], [(50, 2), (90, 4)]):
        talk = _resuming(carried, vibe)
        talk.reply({})
        for tokens_in, tokens_out in totals:
            talk.dialogue.send(Prompt("more"))
            talk.pump()
            _cost(talk, tokens_in / 1000)
            used = {"inputTokens": tokens_in, "outputTokens": tokens_out}
            talk.reply({"stopReason": "end_turn", "usage": used})
        displayed.append(entries(talk.events)["usage"].content)
        carried = talk.dialogue.left
    assert displayed == [
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
    printed(talk, "one ")
    talk.update("available_commands_update", availableCommands=[])
    printed(talk, "text")
    talk.update("agent_thought_chunk", content={"type": "text", "text": "hm"})
    printed(talk, "two")
    talk.update("agent_message_chunk", messageId="m1", content={"type": "text", "text": "!"})
    talk.update("agent_message_chunk", messageId="m2", content={"type": "text", "text": "three"})
    assert reported(talk.events)[1:-1] == [
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
    displayed = entries(dialogue.receive(Stream.STDERR, lines))["stderr"].content
    head, *rest = displayed.split("\n")
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
    printed = "\n".join(lines).replace("'", quote).encode()
    displayed = entries(fold(fresh(), [(Stream.STDERR, printed)]))["stderr"].content
    assert displayed == "Looking.\nAttempt 1 failed.\n  meet me at ten\n}"


def test_nothing_stays_open_when_the_output_ends() -> None:
    talk = working()
    talk.ask(0, [ONCE], title="Danger")
    printed(talk, "cut")
    end = b'{"method":"session/update","params":{"update":{"sessionUpdate":"plan","entries":[]}}}'
    talk.events += talk.dialogue.receive(Stream.STDOUT, end)
    talk.events += talk.dialogue.finish()
    assert reported(talk.events)[1:] == [
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
        assert expected in reported(talk.events)
