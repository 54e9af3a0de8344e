"""Recorded runs of Claude Code, replayed through our dialogue."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from anyond.agents.claude.agent import Claude
from anyond.agents.common.carried import Carried, Totals
from anyond.agents.common.core import (
    ApprovalAnswered,
    ApprovalAsked,
    Noise,
    Outcome,
    SessionStarted,
    Turn,
    TurnEnded,
)
from anyond.model.entries import (
    CommandRun,
    CommandRunResult,
    FileChangeEdit,
    FileEdit,
    Success,
    TodoManagement,
    TokenUsage,
    Tool,
)
from tests.support.dialogues.claude_driver import (
    ALL,
    LOGIN,
    TREE,
    fresh,
    left,
    recorded,
    replay,
)
from tests.support.dialogues.shown import expect


def test_an_approved_run_reads_as_it_went() -> None:
    story = replay(recorded("basic_approved"))
    assert story.lines() == [
        "UserMessage: SCN=basic please",
        "SystemMessage: Model: claude-sonnet-4-5",
        "Thinking: I should write the file first, then run a command to check it.",
        "AssistantMessage: I'll write the file first.",
        "FileEdit succeeded: hello.txt",
        "AssistantMessage: Now I'll run a command.",
        "CommandRun succeeded: cat hello.txt && echo done > ran.txt && wc -l hello.txt",
        "AssistantMessage: All done: wrote hello.txt and checked it.",
        "TokenUsage: 3,000 tokens in, 126 out, $0.0134",
    ]
    asked = [event for event in story.others if isinstance(event, ApprovalAsked)]
    assert [(ask.tool_name, ask.entry_key) for ask in asked] == [
        ("Write", "tool:toolu_0000022"),
        ("Bash", "tool:toolu_0000031"),
    ]
    assert story.others == [
        SessionStarted("6c9f8c6d-d15d-4c84-b4f4-a9312cf12496"),
        asked[0],
        ApprovalAnswered(asked[0].call),
        asked[1],
        ApprovalAnswered(asked[1].call),
        TurnEnded(Outcome.COMPLETED),
    ]
    command = story.tool(1).action_type
    assert isinstance(command, CommandRun)
    assert command.result is not None
    assert command.result.output == "hello from agent\nsecond line\n2 hello.txt"


GOLDEN = {
    "basic_denied": [
        "UserMessage: SCN=basic please",
        "SystemMessage: Model: claude-sonnet-4-5",
        "Thinking: I should write the file first, then run a command to check it.",
        "AssistantMessage: I'll write the file first.",
        "FileEdit denied: hello.txt",
        "AssistantMessage: Now I'll run a command.",
        "CommandRun denied: cat hello.txt && echo done > ran.txt && wc -l hello.txt",
        "AssistantMessage: All done: wrote hello.txt and checked it.",
        "TokenUsage: 3,000 tokens in, 126 out, $0.0134",
    ],
    "plan_approved": [
        "UserMessage: SCN=plan please",
        "SystemMessage: Model: claude-sonnet-4-5",
        "AssistantMessage: Here is my plan.",
        "PlanPresentation succeeded: # Plan\n1. write hello.txt\n2. check it\n",
        "AssistantMessage: Starting.",
        "FileEdit succeeded: hello.txt",
        "AssistantMessage: Plan carried out.",
        "TokenUsage: 3,000 tokens in, 126 out, $0.0134",
    ],
    "subagent": [
        "UserMessage: SCN=task please",
        "SystemMessage: Model: claude-sonnet-4-5",
        "TaskCreate succeeded: Task: sub job",
        "CommandRun succeeded: echo from-sub",
        "AssistantMessage: Sub job finished.",
        "TokenUsage: 4,000 tokens in, 168 out, $0.0179",
    ],
    "interrupt_while_streaming": [
        "UserMessage: SCN=slow go",
        "SystemMessage: Model: claude-sonnet-4-5",
        "Thinking: I should write the file first, then run a command to check it.",
        "AssistantMessage: word0 word1 word2 word3 word4 word5 ",
        "SystemMessage: The agent was interrupted.",
        "UserMessage: SCN=text after interrupt",
        "Thinking: I should write the file first, then run a command to check it.",
        "AssistantMessage: Hello from the fake model. All good.",
        "TokenUsage: 1,000 tokens in, 42 out, $0.0045",
    ],
    "error_401": [
        "UserMessage: SCN=err401 x",
        "SystemMessage: Model: claude-sonnet-4-5",
        "SystemMessage: The model's server refused or failed (authentication_failed, status 401). "
        "Try 1 of 1 is in 0.5 s.",
        f"ErrorMessage: Invalid API key · Fix external API key\n{LOGIN}",
    ],
    "error_529_retry_recovers": [
        "UserMessage: SCN=err529x2 x",
        "SystemMessage: Model: claude-sonnet-4-5",
        "SystemMessage: The model's server refused or failed (overloaded, status 529). "
        "Try 2 of 10 is in 1.0 s.",
        "AssistantMessage: Recovered after 2 errors.",
        "TokenUsage: 1,000 tokens in, 42 out, $0.0045",
    ],
    "broken_off_and_retried": [
        "UserMessage: SCN=midfailx1 CWD=$WORKTREE",
        "SystemMessage: Model: claude-sonnet-4-5",
        "AssistantMessage: Recovered after 1 errors.",
        "SystemMessage: The model's server refused or failed (unknown). Try 1 of 3 is in 0.5 s.",
        "TokenUsage: 2,000 tokens in, 46 out, $0.0084",
    ],
    "background_command": [
        "UserMessage: Do it\n\nSCN=bg",
        "SystemMessage: Model: claude-opus-5-5",
        "AssistantMessage: In background.",
        "CommandRun succeeded: sleep 4; echo bgdone",
        "AssistantMessage: Started it.",
        "TokenUsage: 3,000 tokens in, 126 out, $0.0177",
        "AssistantMessage: Started it.",
    ],
    "error_in_stream": [
        "UserMessage: SCN=miderr x",
        "SystemMessage: Model: claude-sonnet-4-5",
        "AssistantMessage: This stream will get an error event",
        "ErrorMessage: API Error: Overloaded",
    ],
    "resume_unknown_id": [
        "ErrorMessage: No conversation found with session ID: 11111111-2222-4333-8444-555555555555",
        "UserMessage: SCN=text x",
    ],
    "user_message_during_turn": [
        "UserMessage: SCN=sleepcmd2 go",
        "SystemMessage: Model: claude-sonnet-4-5",
        "AssistantMessage: Short sleep.",
        "CommandRun succeeded: sleep 3; echo woke",
        "UserMessage: SCN=text queued message",
        "AssistantMessage: It woke.",
        "TokenUsage: 2,000 tokens in, 84 out, $0.0089",
    ],
}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_recorded_run_reads_as_it_went(name: str) -> None:
    assert replay(recorded(name)).lines() == GOLDEN[name]


def test_a_command_that_did_not_run_has_no_result_and_one_that_was_stopped_no_words() -> None:
    denied = replay(recorded("basic_denied")).tool(-1).action_type
    assert expect(CommandRun, denied).result is None
    command = replay(recorded("interrupt_while_command")).tool().action_type
    stopped = CommandRunResult(exit_status=Success(success=False), output="")
    assert expect(CommandRun, command).result == stopped


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("basic_denied", [TurnEnded(Outcome.COMPLETED)]),
        (
            "interrupt_while_command",
            [TurnEnded(Outcome.INTERRUPTED), TurnEnded(Outcome.COMPLETED)],
        ),
        (
            "error_401",
            [TurnEnded(Outcome.FAILED, f"Invalid API key · Fix external API key\n{LOGIN}")],
        ),
        ("error_529_retry_recovers", [TurnEnded(Outcome.COMPLETED)]),
        ("error_in_stream", [TurnEnded(Outcome.FAILED, "API Error: Overloaded")]),
    ],
)
def test_a_turn_succeeds_only_if_nothing_speaks_against_it(
    name: str, ends: Sequence[TurnEnded]
) -> None:
    assert replay(recorded(name)).ends() == ends


@pytest.mark.parametrize("name", ALL)
def test_no_recorded_line_is_noise(name: str) -> None:
    assert [event for event in replay(recorded(name)).others if isinstance(event, Noise)] == []


def test_the_tools_of_a_sub_agent_carry_its_key() -> None:
    story = replay(recorded("subagent"))
    assert story.entries["tool:toolu_0000541"].parent == "tool:toolu_0000530"


def test_an_exit_code_and_a_diff_with_line_numbers_are_found() -> None:
    story = replay(recorded("follow_ups"))
    failed, _, edited = (story.tool(number).action_type for number in range(3))
    assert isinstance(failed, CommandRun)
    assert failed.result is not None
    assert getattr(failed.result.exit_status, "code", None) == 3
    assert failed.result.output == "oops"
    assert edited == FileEdit(
        path="README.md",
        changes=[
            FileChangeEdit(
                unified_diff="--- a/README.md\n+++ b/README.md\n@@ -1,2 +1,2 @@\n"
                "-line one\n+line ONE\n line two\n",
                has_line_numbers=True,
            )
        ],
    )


def test_an_answered_question_shows_its_answers() -> None:
    action = replay(recorded("question")).tool().action_type
    assert isinstance(action, Tool)
    assert action.result is not None
    assert action.result.value == {"Which color?": "Red"}


@pytest.mark.parametrize(
    ("name", "todos"),
    [
        ("tasks", [("Write file", "pending")]),
        ("todo_list", [("Write file", "in_progress"), ("Run it", "pending")]),
    ],
)
def test_both_kinds_of_to_do_tools_make_a_list(name: str, todos: list[tuple[str, str]]) -> None:
    action = replay(recorded(name)).tool().action_type
    assert isinstance(action, TodoManagement)
    assert [(item.content, item.status) for item in action.todos] == todos


def test_usage_is_that_of_the_whole_run() -> None:
    usage = replay(recorded("interrupt_while_command")).entries["usage"].entry_type
    assert usage == TokenUsage(
        model="claude-sonnet-4-5",
        input_tokens=2000,
        output_tokens=84,
        cache_read_tokens=600,
        cache_write_tokens=400,
        cost_usd=0.00894,
    )


def test_what_a_resumed_session_had_used_before_is_not_counted_again() -> None:
    first = replay(recorded("usage_of_a_session"))
    carried = left(fresh(), recorded("usage_of_a_session"))
    resumed = Turn(prompt="p", cwd=TREE, session_id="s", carried=carried)
    second = replay(recorded("usage_of_a_resumed_session"), Claude().dialogue(resumed))
    assert second.entries["usage"] == first.entries["usage"]
    assert left(Claude().dialogue(resumed), recorded("usage_of_a_resumed_session")) == Carried(
        used=Totals(
            input_tokens=2000,
            output_tokens=84,
            cache_read_tokens=600,
            cache_write_tokens=400,
            cost_usd=0.0118,
        )
    )


def test_a_program_that_begins_to_count_anew_is_believed() -> None:
    carried = left(fresh(), recorded("usage_of_a_session"))
    resumed = Turn(prompt="p", cwd=TREE, session_id="s", carried=carried)
    again = replay(recorded("usage_of_a_session"), Claude().dialogue(resumed))
    assert again.entries["usage"].content == "1,000 tokens in, 42 out, $0.0059"
