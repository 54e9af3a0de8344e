"""The own ways of each agent of the roster: histories, sub-agents, plans, troubles."""

from __future__ import annotations

from typing import Any

import pytest

from anyond.agents.acp.agent import Acp
from anyond.agents.common.core import (
    ApprovalAsked,
    Interrupt,
    Outcome,
    Prompt,
    Turn,
    TurnEnded,
)
from anyond.agents.roster import AGENTS
from anyond.model.configuration.settings import Executor
from anyond.model.entries import (
    CommandRun,
    CommandRunResult,
    Success,
    TodoItem,
    TodoManagement,
    TokenUsage,
)
from tests.support.dialogues.acp_driver import entries, reported
from tests.support.dialogues.acp_roster import MODES, talk_of
from tests.support.dialogues.acp_talk import ONCE, Talk
from tests.support.dialogues.shown import expect, tool_of


def text(talk: Talk, words: str) -> None:
    talk.update("agent_message_chunk", content={"type": "text", "text": words})


def test_history_that_comes_after_the_answer_is_not_shown() -> None:
    talk = talk_of(Executor.GEMINI, session="old")
    talk.reply({})
    text(talk, "old words")
    talk.update("tool_call", toolCallId="old", kind="edit", status="completed")
    talk.update("available_commands_update", availableCommands=[])
    text(talk, "new words")
    talk.reply({"stopReason": "end_turn"})
    assert reported(talk.events)[:2] == ["user: do it", "assistant: new words"]


def test_words_that_may_be_history_are_shown_if_no_commands_are_told() -> None:
    talk = talk_of(Executor.GEMINI, session="old")
    talk.reply({})
    text(talk, "words")
    assert reported(talk.events)[:2] == ["user: do it", "> session"]
    talk.reply({"stopReason": "end_turn"})
    assert "assistant: words" in reported(talk.events)


def test_what_is_meant_for_the_screen_of_the_agent_is_not_said() -> None:
    talk = Talk(mode="yolo")
    talk.reply({"agentInfo": {"name": "gemini-cli"}})
    talk.reply({"sessionId": "s", "modes": {"availableModes": [{"id": "yolo"}]}})
    text(talk, "[MODE_UPDATE] yolo")
    assert talk.reply() == ["session/prompt"]
    assert reported(talk.events) == ["user: do it", "> session"]


def test_a_session_that_is_loaded_empty_is_told_what_was_before() -> None:
    talk = talk_of(Executor.QWEN_CODE, session="old")
    assert talk.reply({}) == ["session/prompt"]
    assert len(talk.printed[-1]["params"]["prompt"]) == 2
    assert "system: The former session could not be resumed" in reported(talk.events)[0]


def test_troubles_in_the_voice_of_the_model_are_told_apart_from_it() -> None:
    talk = talk_of(Executor.COPILOT)
    text(talk, "half an ans")
    for _ in range(2):
        text(talk, "Info: Response was interrupted due to a server error. Retrying...")
        text(talk, "half an ans")
    text(talk, "Error: It broke.")
    talk.reply({"stopReason": "end_turn"})
    assert reported(talk.events) == [
        "user: do it",
        "assistant: half an ans",
        "system: Response was interrupted due to a server error. Retrying...",
        "error: It broke.",
        "> session",
        "> failed: It broke.",
    ]


def test_an_error_that_is_said_and_answered_is_one_error() -> None:
    advice = " For more information, pass `verbose: true` in the second argument to fetch()"
    closed = "The socket connection was closed unexpectedly."
    for printed, displayed in (("no money", "no money"), (closed + advice, closed)):
        talk = talk_of(Executor.DROID)
        text(talk, f"Error: {printed}")
        talk.reply(code=-32603, message="Internal error: Agent error", data=printed)
        assert reported(talk.events) == [
            "user: do it",
            f"error: {displayed}",
            "> session",
            f"> failed: {displayed}",
        ]


@pytest.mark.parametrize("executor", [Executor.QWEN_CODE, Executor.COPILOT])
def test_what_a_sub_agent_does_and_says_belongs_to_it(executor: Executor) -> None:
    talk = talk_of(executor)
    job = {"description": "job", "subagent_type": "general"}
    marks = {"parentToolCallId": "j", "github.com/copilot": {"agentId": "a"}}
    talk.update("tool_call", toolCallId="j", kind="other", status="pending", rawInput=job)
    text(talk, "sub")
    talk.update("tool_call", toolCallId="c", kind="execute", status="completed", _meta=marks)
    talk.update("tool_call_update", toolCallId="j", status="completed")
    text(talk, "top")
    parents = {e.content: e.parent for e in entries(talk.events).values() if e.parent}
    assert parents["sub"] == parents["execute"] == "tool:j"
    assert "top" not in {content for content, parent in parents.items() if parent == "tool:j"}


def test_todos_of_a_plain_tool_are_todos() -> None:
    talk = talk_of(Executor.GEMINI)
    todos = [{"content": "a", "status": "in_progress"}, {"description": "b"}]
    talk.update("tool_call", toolCallId="t", kind="other", rawInput={"todos": todos})
    entry = entries(talk.events)["tool:t"]
    assert entry.content == "Plan: 0 of 2 done"
    assert tool_of(entry).action_type == TodoManagement(
        todos=[
            TodoItem(content="a", status="in_progress"),
            TodoItem(content="b", status="pending"),
        ]
    )


def test_a_command_that_was_stopped_has_failed_whatever_it_is_called() -> None:
    talk = talk_of(Executor.QWEN_CODE)
    talk.update("tool_call", toolCallId="t", kind="execute", title="sleep", status="in_progress")
    talk.dialogue.send(Interrupt())
    talk.pump()
    talk.update("tool_call_update", toolCallId="t", status="completed")
    assert reported(talk.events)[1].startswith("command_run failed: sleep")


@pytest.mark.parametrize(
    ("executor", "option", "offered", "model"),
    [
        (Executor.QWEN_CODE, None, "$runtime|openai|coder(openai)", "coder"),
        (Executor.DROID, None, "custom:coder-0", "custom:coder-0"),
        (Executor.COPILOT, "gpt-5", None, "gpt-5"),
        (Executor.GEMINI, "default", None, None),
    ],
)
def test_the_model_of_a_run_is_named_as_others_name_it(
    executor: Executor, option: str | None, offered: str | None, model: str | None
) -> None:
    known = AGENTS[executor]
    assert isinstance(known, Acp)
    talk = Talk()
    talk.dialogue = known.dialogue(Turn(prompt="do it", cwd="/w", options={"model": option}))
    talk.printed.clear()
    talk.pump()
    talk.reply({"agentInfo": {"name": MODES[executor][0]}})
    choices = [{"modelId": offered, "name": "coder"}]
    talk.reply(
        {"sessionId": "s", "models": {"currentModelId": offered, "availableModels": choices}}
    )
    talk.reply({"stopReason": "end_turn", "usage": {"inputTokens": 5}})
    assert expect(TokenUsage, entries(talk.events)["usage"].entry_type).model == model


def test_each_text_of_droid_is_one() -> None:
    talk = talk_of(Executor.DROID)
    for words in ("All done.", "All is done indeed."):
        text(talk, words)
    assert reported(talk.events)[1:3] == ["assistant: All done.", "assistant: All is done indeed."]


@pytest.mark.parametrize(("executor", "success"), [(Executor.DROID, True), (Executor.GEMINI, None)])
def test_a_command_is_said_to_have_worked_only_if_its_agent_would_tell_otherwise(
    executor: Executor, success: bool | None
) -> None:
    talk = talk_of(executor)
    talk.update("tool_call", toolCallId="t", kind="execute", title="ls", status="in_progress")
    talk.update("tool_call_update", toolCallId="t", status="completed")
    result = expect(CommandRun, tool_of(entries(talk.events)["tool:t"]).action_type).result
    reported = success and CommandRunResult(exit_status=Success(success=True), output=None)
    assert result == reported


def test_a_question_names_files_of_the_worktree_as_they_are_seen_from_it() -> None:
    title = "Write /w/b.txt to /w/a/c"
    for kind, asked in (("edit", "Write b.txt to a/c"), ("execute", title)):
        talk = talk_of(Executor.DROID, approvals=True)
        talk.ask(0, [ONCE], title=title, kind=kind)
        [question] = talk.only(ApprovalAsked)
        assert question.tool_name == asked


@pytest.mark.parametrize(
    ("prompt", "tokens", "outcome"),
    [
        ("do it", 0, Outcome.FAILED),
        ("do it", 7, Outcome.COMPLETED),
        ("/memory show", 0, Outcome.COMPLETED),
    ],
)
def test_a_turn_without_any_whole_answer_has_failed(
    prompt: str, tokens: int, outcome: Outcome
) -> None:
    talk = talk_of(Executor.GEMINI)
    talk.reply({"stopReason": "end_turn"})
    talk.dialogue.send(Prompt(prompt))
    talk.pump()
    text(talk, "half an ans")
    quota = {"token_count": {"input_tokens": tokens, "output_tokens": 0}}
    talk.reply({"stopReason": "end_turn", "_meta": {"quota": quota}})
    assert talk.only(TurnEnded)[-1].outcome is outcome


def _in_the_background() -> Talk:
    """A talk whose prompt is answered while a sub-agent works."""
    talk = talk_of(Executor.QWEN_CODE)
    job = {"description": "job", "subagent_type": "general"}
    talk.update("tool_call", toolCallId="j", kind="other", status="in_progress", rawInput=job)
    output = {"executionMode": "background", "status": "background"}
    talk.update("tool_call_update", toolCallId="j", status="completed", rawOutput=output)
    text(talk, "It works.")
    talk.reply({"stopReason": "end_turn"})
    assert talk.only(TurnEnded) == []
    assert "task_create created: job" in reported(talk.events)
    assert not any(entry.parent for entry in entries(talk.events).values())
    return talk


def test_the_turn_is_over_when_the_sub_agents_in_the_background_are() -> None:
    talk = _in_the_background()
    task = {"toolUseId": "j", "status": "completed"}
    turn = {"backgroundTurn": {"turnId": "2"}}
    for source, words, complete in (
        ("background_task_completed", "Agent completed.", None),
        ("background_notification", "Agent completed.", None),
        ("background_notification_response", "It found nothing.", False),
        ("background_notification_response", "", True),
    ):
        meta = {"source": source, "backgroundTask": {**task, "turnComplete": complete}, **turn}
        assert talk.only(TurnEnded) == []
        content = {"type": "text", "text": words}
        talk.update("agent_message_chunk", content=content, _meta=meta)
    assert reported(talk.events) == [
        "user: do it",
        "task_create success: job",
        "assistant: It works.",
        "assistant: It found nothing.",
        "> session",
        "> completed",
    ]


def test_a_turn_that_has_heard_of_its_sub_agents_waits_for_nothing() -> None:
    talk = talk_of(Executor.QWEN_CODE)
    output = {"executionMode": "background", "status": "background"}
    talk.update("tool_call_update", toolCallId="j", status="completed", rawOutput=output)
    for source in ("background_task_completed", "background_notification"):
        meta = {"source": source, "backgroundTask": {"toolUseId": "j", "status": "failed"}}
        talk.update("agent_message_chunk", content={"type": "text", "text": "Failed."}, _meta=meta)
    talk.reply({"stopReason": "end_turn"})
    assert reported(talk.events)[1:] == ["tool failed: tool", "> session", "> completed"]


def test_an_interrupt_does_not_wait_for_what_works_in_the_background() -> None:
    talk = _in_the_background()
    talk.dialogue.send(Interrupt())
    assert talk.pump() == ["session/cancel"]
    assert talk.only(TurnEnded) == [TurnEnded(Outcome.INTERRUPTED)]
    assert "task_create failed: job" in reported(talk.events)


def test_a_call_that_was_never_whole_is_not_there_and_what_led_to_it_is_said_once() -> None:
    talk = talk_of(Executor.QWEN_CODE)
    for call in ("a", "b"):
        text(talk, "I write it.")
        meta: dict[str, Any] = {"toolName": "write_file", "phase": "preparing"}
        begun = {"kind": "edit", "title": "f", "status": "pending"}
        talk.update("tool_call", toolCallId=call, **begun, _meta=meta)
        if call == "a":
            meta["preparationDiscarded"] = True
            talk.update("tool_call_update", toolCallId=call, status="failed", _meta=meta)
    ready = {"toolName": "write_file"}
    talk.update("tool_call_update", toolCallId="b", status="failed", _meta=ready)
    assert reported(talk.events) == [
        "user: do it",
        "assistant: I write it.",
        "file_edit failed: f []",
        "> session",
    ]


def test_what_is_said_again_after_a_failed_request_replaces_what_was_said() -> None:
    talk = talk_of(Executor.COPILOT)
    for _ in range(3):
        text(talk, "half an ans")
        text(talk, "Info: Request failed due to a transient API error. Retrying...")
    text(talk, "a whole answer")
    talk.reply({"stopReason": "end_turn"})
    assert reported(talk.events) == [
        "user: do it",
        "assistant: a whole answer",
        "system: Request failed due to a transient API error. Retrying...",
        "> session",
        "> completed",
    ]


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("codex-acp", "Model metadata for `m` not found."),
        ("@agentclientprotocol/codex-acp", "Warning: Model metadata for `m` not found.\n\n"),
    ],
)
def test_a_warning_of_the_program_is_no_part_of_the_answer(name: str, warning: str) -> None:
    talk = Talk()
    talk.reply({"agentInfo": {"name": name}})
    talk.reply({"sessionId": "s"})
    text(talk, warning)
    text(talk, "Running it.")
    assert reported(talk.events)[1:3] == [f"system: {warning.strip()}", "assistant: Running it."]
