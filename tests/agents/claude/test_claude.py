"""Recorded runs of Claude Code, replayed through our dialogue."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyond.agents.claude.agent import Claude
from anyond.agents.common.carried import Carried, Totals
from anyond.agents.common.core import (
    AgentEvent,
    ApprovalAnswered,
    ApprovalAsked,
    ApprovalWithdrawn,
    Carries,
    Decide,
    Decision,
    Dialogue,
    EntryPut,
    Interrupt,
    Noise,
    Outcome,
    Prompt,
    SessionStarted,
    Turn,
    TurnEnded,
)
from anyond.model.entries import (
    CommandRun,
    CommandRunResult,
    ErrorMessage,
    FileChangeEdit,
    FileChangeWrite,
    FileEdit,
    NormalizedEntry,
    SetupRequired,
    Success,
    TodoManagement,
    TokenUsage,
    Tool,
    ToolUse,
)
from anyond.model.records import Stream
from tests.support.dialogues.shown import expect
from tests.support.paths import TRANSCRIPTS

TRANSCRIPTS = TRANSCRIPTS / "claude"
ALL = sorted(path.stem for path in TRANSCRIPTS.glob("*.jsonl"))
STREAMS = {"in": Stream.STDIN, "out": Stream.STDOUT, "err": Stream.STDERR}
TREE = "/home/me/tree"
LOGIN = "Log in with `claude auth login`, or check the key that the agent is given."

Records = list[tuple[Stream, bytes]]


def recorded(name: str) -> Records:
    rows = (json.loads(row) for row in (TRANSCRIPTS / f"{name}.jsonl").read_text().splitlines())
    return [(STREAMS[row["dir"]], row["line"].encode() + b"\n") for row in rows]


def fresh(prompt: str = "SCN=basic please", **options: Any) -> Dialogue:
    return Claude().dialogue(Turn(prompt=prompt, cwd=TREE, options=options))


@dataclass
class Story:
    """What a dialogue has said: the entries as they are in the end, and the other events."""

    entries: dict[str, NormalizedEntry] = field(default_factory=dict)
    others: list[AgentEvent] = field(default_factory=list)

    def add(self, events: Iterable[AgentEvent]) -> None:
        for event in events:
            if isinstance(event, EntryPut):
                self.entries[event.key] = event.entry
            else:
                self.others.append(event)

    def tool(self, number: int = 0) -> ToolUse:
        uses = [entry.entry_type for entry in self.entries.values()]
        return [use for use in uses if isinstance(use, ToolUse)][number]

    def lines(self) -> list[str]:
        return [line(entry) for entry in self.entries.values()]

    def ends(self) -> list[TurnEnded]:
        return [event for event in self.others if isinstance(event, TurnEnded)]


def line(entry: NormalizedEntry) -> str:
    """One entry for the eye."""
    kind = entry.entry_type
    if isinstance(kind, ToolUse):
        status = type(kind.status).__name__.lower()
        return f"{type(kind.action_type).__name__} {status}: {entry.content}"
    return f"{type(kind).__name__}: {entry.content}"


def replay(records: Iterable[tuple[Stream, bytes]], dialogue: Dialogue | None = None) -> Story:
    dialogue = dialogue or fresh()
    story = Story()
    for stream, data in records:
        story.add(dialogue.receive(stream, data))
    story.add(dialogue.finish())
    return story


def said(*objects: Any) -> list[tuple[Stream, bytes]]:
    """Lines of the agent."""
    return [(Stream.STDOUT, json.dumps(one).encode() + b"\n") for one in objects]


def use(name: str, given: Any, call_id: str = "t1", **more: Any) -> Any:
    block = {"type": "tool_use", "id": call_id, "name": name, "input": given}
    return {"type": "assistant", "message": {"id": "m", "content": [block]}, **more}


def came_back(content: Any, detail: Any = None, call_id: str = "t1", **more: Any) -> Any:
    block = {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}
    return {"type": "user", "message": {"content": [block]}, "tool_use_result": detail}


def permission(name: str, given: Any, request_id: str = "r1", call_id: str = "t1") -> Any:
    request = {
        "subtype": "can_use_tool",
        "tool_name": name,
        "input": given,
        "tool_use_id": call_id,
    }
    return {"type": "control_request", "request_id": request_id, "request": request}


def sent(dialogue: Dialogue) -> list[Any]:
    return [json.loads(one) for one in dialogue.outgoing()]


# ---------------------------------------------------------------- whole runs


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


def left(dialogue: Dialogue, records: Records) -> Carried:
    replay(records, dialogue)
    assert isinstance(dialogue, Carries)
    return dialogue.left


def test_an_entry_says_what_a_hook_has_made_of_the_input() -> None:
    lines = [
        use("Bash", {"command": "rm -r /"}),
        permission("Bash", {"command": "ls /"}),
        came_back("bin"),
    ]
    story = replay(said(*lines))
    assert story.lines() == ["CommandRun succeeded: ls /"]
    [asked] = [event for event in story.others if isinstance(event, ApprovalAsked)]
    assert asked.tool_input == {"command": "ls /"}


def test_an_edit_says_what_was_written_if_a_hook_has_changed_it_without_a_question() -> None:
    asked = {"file_path": f"{TREE}/a.txt", "content": "of the model"}
    done: dict[str, object] = {
        "type": "create",
        "filePath": f"{TREE}/b.txt",
        "content": "of the hook",
    }
    story = replay(said(use("Write", asked), came_back("File created", done)))
    assert story.lines() == ["FileEdit succeeded: b.txt"]
    edit = story.tool().action_type
    assert isinstance(edit, FileEdit)
    assert (edit.path, edit.changes) == ("b.txt", [FileChangeWrite(content="of the hook")])
    hunk = {"oldStart": 1, "oldLines": 1, "newStart": 1, "newLines": 1, "lines": ["-x", "+z"]}
    done = {"filePath": f"{TREE}/b.txt", "structuredPatch": [hunk]}
    asked = {"file_path": f"{TREE}/a.txt", "old_string": "x", "new_string": "y"}
    story = replay(said(use("Edit", asked), came_back("Edited", done)))
    edit = story.tool().action_type
    assert isinstance(edit, FileEdit)
    [change] = edit.changes
    assert isinstance(change, FileChangeEdit)
    assert (edit.path, "+z" in change.unified_diff) == ("b.txt", True)


@pytest.mark.parametrize(
    ("name", "asked", "done", "shown"),
    [
        (
            "Read",
            {"file_path": f"{TREE}/a"},
            {"type": "text", "file": {"filePath": f"{TREE}/b"}},
            "FileRead succeeded: b",
        ),
        ("WebFetch", {"url": "http://a/"}, {"url": "http://b/"}, "WebFetch succeeded: http://b/"),
        ("WebSearch", {"query": "a"}, {"query": "b"}, "WebFetch succeeded: b"),
        (
            "NotebookEdit",
            {"notebook_path": f"{TREE}/a", "new_source": "x"},
            {"notebook_path": f"{TREE}/b", "new_source": "y"},
            "FileEdit succeeded: b",
        ),
        ("Read", {"file_path": f"{TREE}/a"}, {"file": {"filePath": 7}}, "FileRead succeeded: a"),
    ],
)
def test_an_entry_says_what_was_done_where_the_result_tells_it(
    name: str, asked: dict[str, object], done: dict[str, object], shown: str
) -> None:
    assert replay(said(use(name, asked), came_back("done", done))).lines() == [shown]


def test_a_plan_is_shown_whether_its_use_or_its_question_has_it() -> None:
    for first, second in (({"plan": "# It"}, {}), ({}, {"plan": "# It"})):
        story = replay(said(use("ExitPlanMode", first), permission("ExitPlanMode", second)))
        assert story.lines() == ["PlanPresentation created: # It"]
        [asked] = [event for event in story.others if isinstance(event, ApprovalAsked)]
        assert asked.tool_input == {"plan": "# It"}


def test_a_notice_of_the_program_shows_its_words_once_or_nothing() -> None:
    def notice(subtype: str, **fields: Any) -> Any:
        return {"type": "system", "subtype": subtype, "session_id": "s", **fields}

    lines = [
        notice("informational", content="A hook held it back.", level="warning"),
        notice("informational", content="A hook held it back.", level="warning"),
        notice("brand_new", message={"role": "system"}, tasks=[{"a": 1}]),
        notice("brand_new", text="New words.", content=[{"type": "text"}]),
        notice("background_tasks_changed", tasks=[]),
        notice("brand_new", status={"kind": "x"}, error={"a": 1}, model=["m"], cwd=5),
        notice("brand_new", content="New words.", tool_use_id=7, attempt=-1.5),
        {"type": "system", "subtype": {"name": "x"}, "parent_tool_use_id": [1], "event": 7},
    ]
    story = replay(said(*lines))
    assert story.lines() == ["SystemMessage: A hook held it back.", "SystemMessage: New words."]
    assert story.others == []
    known = left(fresh(), said(*lines))
    turn = Turn(prompt="p", cwd=TREE, carried=known)
    assert replay(said(*lines), Claude().dialogue(turn)).lines() == []


def test_what_broke_off_is_no_answer_if_the_agent_acts_instead() -> None:
    lines = [
        event(type="message_start", message={"id": "m1"}),
        event(type="content_block_start", index=0, content_block={"type": "text"}),
        event(type="content_block_delta", index=0, delta={"type": "text_delta", "text": "half"}),
        {"type": "system", "subtype": "api_retry", "attempt": 1, "max_retries": 9},
        use("Bash", {"command": "ls"}),
    ]
    assert replay(said(*lines)).lines()[::2] == [
        "SystemMessage: An answer of the model broke off here; it was asked again.",
        "CommandRun created: ls",
    ]


@pytest.mark.parametrize("retried", [None, "toolu_1"])
def test_a_retry_takes_back_the_half_answer_of_the_agent_that_it_is_of(retried: str | None) -> None:
    def half(parent: str | None) -> list[Any]:
        return [
            {**event(**told), "parent_tool_use_id": parent}
            for told in (
                {"type": "message_start", "message": {"id": f"m of {parent}"}},
                {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}},
                {
                    "type": "content_block_delta",
                    "index": 0,
                    "delta": {"type": "text_delta", "text": f"half of {parent}"},
                },
            )
        ]

    def retry(parent: str | None, attempt: int) -> Any:
        told = {"type": "system", "subtype": "api_retry", "attempt": attempt, "max_retries": 9}
        return {**told, "parent_tool_use_id": parent}

    other = "toolu_1" if retried is None else None
    call = {"type": "tool_use", "id": "u", "name": "Bash", "input": {"command": "ls"}}
    acts = {
        "type": "assistant",
        "parent_tool_use_id": retried,
        "message": {"id": "next", "content": [call]},
    }
    lines = [*half(None), *half("toolu_1"), retry(retried, 1), retry(other, 2), retry(retried, 2)]
    story = replay(said(*lines[:-2], acts))
    texts = {e.content: e.parent for e in story.entries.values()}
    key = None if other is None else f"tool:{other}"
    assert (texts[f"half of {other}"] or None) == key
    assert f"half of {retried}" not in texts
    notes = replay(said(*lines)).entries
    retries = [entry.parent or None for name, entry in notes.items() if name.startswith("retry")]
    assert retries == [parent and f"tool:{parent}" for parent in (retried, other)]


def test_an_answer_is_taken_back_however_a_retry_is_told() -> None:
    """Also if the new answer has the id of the one that broke off."""
    odd = {"attempt": None, "retry_delay_ms": "500", "error": {"type": "overloaded_error"}}
    lines = [
        event(type="message_start", message={"id": "m"}),
        event(type="content_block_start", index=0, content_block={"type": "text"}),
        event(type="content_block_delta", index=0, delta={"type": "text_delta", "text": "half"}),
        {"type": "system", "subtype": "api_retry", "error_status": 529, **odd},
        event(type="message_start", message={"id": "m"}),
        event(type="content_block_start", index=0, content_block={"type": "text"}),
        event(type="content_block_delta", index=0, delta={"type": "text_delta", "text": "who"}),
        {
            "type": "assistant",
            "message": {"id": "m", "content": [{"type": "text", "text": "whole"}]},
        },
        event(type="message_stop"),
        {"type": "result", "subtype": "success"},
    ]
    story = replay(said(*lines))
    assert story.lines() == [
        "AssistantMessage: whole",
        "SystemMessage: The model's server refused or failed (overloaded_error, status 529). "
        "It is asked again.",
    ]
    assert story.others == [TurnEnded(Outcome.COMPLETED)]


def test_a_whole_answer_stays_when_the_next_one_is_asked_again() -> None:
    lines = [
        event(type="message_start", message={"id": "m1"}),
        event(type="content_block_start", index=0, content_block={"type": "text"}),
        event(type="content_block_delta", index=0, delta={"type": "text_delta", "text": "whole"}),
        event(type="message_delta", delta={"stop_reason": "tool_use"}),
        event(type="message_stop"),
        {"type": "system", "subtype": "api_retry", "attempt": 1, "max_retries": 9},
        event(type="message_start", message={"id": "m2"}),
        event(type="content_block_start", index=0, content_block={"type": "text"}),
        event(type="content_block_delta", index=0, delta={"type": "text_delta", "text": "next"}),
    ]
    assert replay(said(*lines)).lines()[::2] == [
        "AssistantMessage: whole",
        "AssistantMessage: next",
    ]


def test_nothing_used_is_not_shown() -> None:
    nothing = {"type": "result", "subtype": "success", "modelUsage": {"m": {"inputTokens": 0}}}
    assert "usage" not in replay(said(nothing)).entries
    cached = {"m": {"inputTokens": 0, "cacheReadInputTokens": 7}}
    story = replay(said({"type": "result", "subtype": "success", "modelUsage": cached}))
    assert story.entries["usage"].content == "7 tokens cached"


# ---------------------------------------------------------------- what no recording has


def event(**fields: Any) -> Any:
    return {"type": "stream_event", "event": fields}


def test_several_blocks_of_one_type_keep_apart_and_are_not_put_twice() -> None:
    def streamed(index: int, text: str) -> list[Any]:
        block = {"type": "text", "text": text}
        return [
            event(type="content_block_start", index=index, content_block={"type": "text"}),
            event(type="content_block_delta", index=index, delta={"type": "text_delta", **block}),
            {"type": "assistant", "message": {"id": "m", "content": [block]}},
        ]

    start = event(type="message_start", message={"id": "m"})
    dialogue = fresh()
    puts = [
        (put.key, put.entry.content)
        for stream, data in said(start, *streamed(0, "One."), *streamed(1, "Two."))
        for put in dialogue.receive(stream, data)
        if isinstance(put, EntryPut)
    ]
    assert puts == [("msg:m:0", "One."), ("msg:m:1", "Two.")]


def test_a_sub_agent_in_the_background_ends_when_a_notice_says_so() -> None:
    started = said(
        use("Agent", {"description": "look"}),
        came_back("started", {"status": "async_launched", "agentId": "a"}),
    )
    assert replay(started).lines() == ["TaskCreate created: Task: look"]
    for status, shown in [("completed", "succeeded"), ("failed", "failed")]:
        notice = {"type": "system", "subtype": "task_notification", "tool_use_id": "t1"}
        story = replay([*started, *said({**notice, "status": status})])
        assert story.lines() == [f"TaskCreate {shown}: Task: look"]


def test_a_tool_that_is_over_does_not_begin_again() -> None:
    calls = said(use("Bash", {"command": "true"}), came_back(""), use("Bash", {"command": "true"}))
    assert replay(calls).lines() == ["CommandRun succeeded: true"]


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
    story = replay(said(*lines))
    assert story.ends() == [end]
    errors = [text for text in story.lines() if text.startswith("ErrorMessage")]
    assert len(errors) == (1 if end.error or FAILING in lines else 0)


def test_an_answer_without_words_is_none() -> None:
    nothing = {"id": "n", "content": [{"type": "text", "text": "(no content)"}]}
    story = replay(said({"type": "assistant", "message": nothing}, GOOD))
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
    story = replay(said(*lines))
    assert story.ends() == [TurnEnded(Outcome.FAILED, f"Broken\n{LOGIN}")]
    [error] = [e for e in story.entries.values() if isinstance(e.entry_type, ErrorMessage)]
    assert (error.content, error.entry_type) == (
        f"Broken\n{LOGIN}",
        ErrorMessage(error_type=SetupRequired()),
    )


def test_a_turn_that_was_told_to_stop_was_interrupted() -> None:
    dialogue = fresh()
    dialogue.send(Interrupt())
    told = [(Stream.STDIN, data) for data in dialogue.outgoing()]
    story = replay([*told, *said({**GOOD, "subtype": "error_during_execution"})], dialogue)
    assert story.ends() == [TurnEnded(Outcome.INTERRUPTED)]


# ---------------------------------------------------------------- cuts and restarts


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(ALL), st.lists(st.integers(1, 4000), max_size=12), st.integers(1, 300))
def test_where_the_bytes_are_cut_does_not_matter(name: str, cuts: list[int], least: int) -> None:
    whole = replay(recorded(name))
    story, dialogue = Story(), fresh()
    for stream, data in merged(recorded(name)):
        start = 0
        for length in [*cuts, *[least] * (len(data) // least + 1)]:
            events = dialogue.receive(stream, data[start : start + length])
            puts = [event.key for event in events if isinstance(event, EntryPut)]
            assert len(puts) == len(set(puts))
            story.add(events)
            start += length
    story.add(dialogue.finish())
    assert list(story.entries.items()) == list(whole.entries.items())
    assert story.others == whole.others


def merged(records: Records) -> Records:
    """Neighbours of the same stream become one stretch of bytes."""
    joined: Records = []
    for stream, data in records:
        if joined and joined[-1][0] is stream:
            joined[-1] = (stream, joined[-1][1] + data)
        else:
            joined.append((stream, data))
    return joined


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("options", [{"approvals": True}, {"dangerously_skip_permissions": True}])
def test_after_a_restart_exactly_the_unsent_messages_are_queued(
    name: str, options: dict[str, Any]
) -> None:
    records = recorded(name)
    automatic = "dangerously_skip_permissions" in options
    live, story = fresh(**options), Story()
    for stream, data in records:
        live.outgoing()
        story.add(live.receive(stream, data))
    for end in range(len(records) + 1):
        restarted = fresh(**options)
        replayed = Story()
        for stream, data in records[:end]:
            replayed.add(restarted.receive(stream, data))
        assert [name_of(one) for one in sent(restarted)] == unsent(records[:end], automatic)
        for stream, data in records[end:]:
            replayed.add(restarted.receive(stream, data))
            restarted.outgoing()
        assert (replayed.entries, replayed.others) == (story.entries, story.others)


def unsent(records: Records, automatic: bool) -> list[str]:
    """What the dialogue has to say by itself and the log does not show as said."""
    due = ["anyon-1", "user"]
    for stream, data in records:
        message = json.loads(data) if data.startswith(b"{") else {}
        kind, name = message.get("type"), name_of(message)
        if stream is Stream.STDIN and name in due:
            due.remove(name)
        elif stream is Stream.STDOUT and kind == "control_request":
            request = message["request"]
            tool = request.get("tool_name")
            if request["subtype"] == "hook_callback" or (automatic and tool != "AskUserQuestion"):
                due.append(name)
    return due


def name_of(message: Any) -> str:
    if message.get("type") == "control_response":
        return str(message["response"]["request_id"])
    return str(message.get("request_id") or message.get("type"))


# ---------------------------------------------------------------- what it is told


def test_it_begins_with_a_handshake_and_the_whole_prompt() -> None:
    dialogue = fresh("Do it.", append_prompt=" Quickly.")
    first, second = sent(dialogue)
    assert first["request_id"] == "anyon-1"
    assert first["request"] == {"subtype": "initialize", "forwardSubagentText": True}
    assert second["message"]["content"] == [{"type": "text", "text": "Do it. Quickly."}]
    assert dialogue.outgoing() == []


def test_an_approval_gives_the_input_back_as_it_came() -> None:
    dialogue = fresh(approvals=True)
    dialogue.outgoing()
    story = replay(said(permission("Bash", {"command": "true", "n": 10**30})), dialogue)
    assert story.lines() == ["CommandRun created: true"]
    dialogue.send(Decide("r1", Decision.APPROVED))
    dialogue.send(Decide("r1", Decision.DENIED))
    dialogue.send(Decide("unknown", Decision.APPROVED))
    [answer] = sent(dialogue)
    assert answer["response"]["response"] == {
        "behavior": "allow",
        "updatedInput": {"command": "true", "n": 10**30},
    }


@pytest.mark.parametrize("verdict", [Decision.DENIED, Decision.TIMED_OUT])
def test_a_refusal_is_shown_once_it_has_been_sent(verdict: Decision) -> None:
    dialogue = fresh(approvals=True)
    dialogue.outgoing()
    story = Story()
    for stream, data in said(permission("Bash", {"command": "true"})):
        story.add(dialogue.receive(stream, data))
    dialogue.send(Decide("r1", verdict, reason="No"))
    assert story.lines() == ["CommandRun created: true"]
    [answer] = dialogue.outgoing()
    story.add(dialogue.receive(Stream.STDIN, answer))
    for stream, data in said(came_back("No", is_error=True)):
        story.add(dialogue.receive(stream, data))
    name = {Decision.DENIED: "denied", Decision.TIMED_OUT: "statustimedout"}[verdict]
    assert story.lines() == [f"CommandRun {name}: true"]


def test_a_withdrawn_question_cannot_be_answered() -> None:
    dialogue = fresh(approvals=True)
    dialogue.outgoing()
    cancel = {"type": "control_cancel_request", "request_id": "r1"}
    story = replay(said(permission("Bash", {"command": "true"}), cancel), dialogue)
    assert story.others[-1] == ApprovalWithdrawn("r1")
    dialogue.send(Decide("r1", Decision.APPROVED))
    assert dialogue.outgoing() == []


def test_an_automatic_answer_to_a_withdrawn_request_is_not_sent() -> None:
    dialogue = fresh(dangerously_skip_permissions=True)
    dialogue.outgoing()
    cancel = {"type": "control_cancel_request", "request_id": "r1"}
    story = replay(said(permission("Bash", {"command": "true"}), cancel), dialogue)
    assert dialogue.outgoing() == []
    assert story.others == []


def test_the_skipping_variant_answers_everything_but_questions() -> None:
    dialogue = fresh(dangerously_skip_permissions=True)
    dialogue.outgoing()
    story = replay(
        said(
            permission("Bash", {"command": "true"}, "r1", "t1"),
            permission("AskUserQuestion", {"questions": []}, "r2", "t2"),
        ),
        dialogue,
    )
    [answer] = sent(dialogue)
    assert answer["response"]["request_id"] == "r1"
    assert answer["response"]["response"]["behavior"] == "allow"
    assert [event.call for event in story.others if isinstance(event, ApprovalAsked)] == ["r2"]


def test_an_approved_plan_ends_the_asking_and_sets_no_mode_outside_the_session() -> None:
    dialogue = fresh(plan=True)
    dialogue.outgoing()
    story = Story()
    for stream, data in said(permission("ExitPlanMode", {"plan": "# Plan"})):
        story.add(dialogue.receive(stream, data))
    dialogue.send(Decide("r1", Decision.APPROVED))
    [answer] = dialogue.outgoing()
    assert json.loads(answer)["response"]["response"]["updatedPermissions"] == [
        {"type": "setMode", "mode": "acceptEdits", "destination": "session"}
    ]
    for stream, data in [
        (Stream.STDIN, answer),
        *said(permission("Bash", {"command": "true"}, "r2", "t2")),
    ]:
        story.add(dialogue.receive(stream, data))
    assert [one["response"]["request_id"] for one in sent(dialogue)] == ["r2"]
    assert story.lines()[0] == "PlanPresentation created: # Plan"


def test_before_the_plan_is_approved_tools_are_asked_for() -> None:
    dialogue = fresh(plan=True)
    dialogue.outgoing()
    story = replay(said(permission("Bash", {"command": "true"})), dialogue)
    assert isinstance(story.others[0], ApprovalAsked)
    assert dialogue.outgoing() == []


def test_answers_to_a_question_travel_with_its_input() -> None:
    dialogue = fresh()
    dialogue.outgoing()
    replay(said(permission("AskUserQuestion", {"questions": []})), dialogue)
    dialogue.send(Decide("r1", Decision.APPROVED, answers={"Which?": "Red"}))
    [answer] = sent(dialogue)
    assert answer["response"]["response"]["updatedInput"] == {
        "questions": [],
        "answers": {"Which?": "Red"},
    }


@pytest.mark.parametrize(
    "request_body", [{"subtype": "elicitation"}, {"subtype": "can_use_tool"}, {}, 7, None]
)
def test_a_request_that_cannot_be_answered_is_refused(request_body: Any) -> None:
    dialogue = fresh()
    dialogue.outgoing()
    replay(said({"type": "control_request", "request_id": "r1", "request": request_body}), dialogue)
    [answer] = sent(dialogue)
    assert answer["response"]["subtype"] == "error"
    assert answer["response"]["request_id"] == "r1"


def test_a_hook_gets_an_empty_answer() -> None:
    dialogue = fresh()
    dialogue.outgoing()
    hook = {"subtype": "hook_callback", "callback_id": "x", "input": {}}
    replay(said({"type": "control_request", "request_id": "r1", "request": hook}), dialogue)
    assert [one["response"]["response"] for one in sent(dialogue)] == [{}]


def test_a_turn_after_an_idle_interrupt_counts_as_completed() -> None:
    dialogue, story = fresh(), Story()
    dialogue.send(Interrupt())
    dialogue.send(Prompt("And now?"))
    handshake, prompt, interrupt, more = dialogue.outgoing()
    result = said({"type": "result", "subtype": "success", "is_error": False})
    for stream, data in [
        (Stream.STDIN, handshake + prompt),
        *result,
        (Stream.STDIN, interrupt + more),
        *result,
    ]:
        story.add(dialogue.receive(stream, data))
    assert story.ends() == [TurnEnded(Outcome.COMPLETED), TurnEnded(Outcome.COMPLETED)]
    assert story.lines() == ["UserMessage: SCN=basic please", "UserMessage: And now?"]


def test_request_ids_go_on_where_the_log_ends() -> None:
    dialogue = fresh()
    ours = {"type": "control_request", "request_id": "anyon-7", "request": {"subtype": "x"}}
    dialogue.receive(Stream.STDIN, json.dumps(ours).encode() + b"\n")
    dialogue.send(Interrupt())
    assert sent(dialogue)[-1]["request_id"] == "anyon-8"


# ---------------------------------------------------------------- noise


def test_stderr_is_one_entry_without_colors() -> None:
    records = [(Stream.STDERR, b"\x1b[31mfirst\x1b[0m\nsec"), (Stream.STDERR, b"ond\n\nlast")]
    assert replay(records).lines() == ["ErrorMessage: first\nsecond\nlast"]


def test_a_line_that_cannot_be_read_is_shown_raw() -> None:
    story = replay([(Stream.STDOUT, b"Segmentation fault\n"), (Stream.STDOUT, b'{"type": 1}')])
    assert story.others == [Noise("Segmentation fault"), Noise('{"type": 1}')]


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ({"type": "new"}, []),
        ({"type": "new", "message": " Hot water! "}, ["SystemMessage: Hot water!"]),
        ({"type": "new", "message": {"deep": 1}, "text": "Tea"}, ["SystemMessage: Tea"]),
        ({"type": "new", "attempt": "no number", "message": "Tea"}, ["SystemMessage: Tea"]),
    ],
)
def test_a_line_of_a_later_version_shows_its_words_or_nothing(
    line: dict[str, Any], lines: list[str]
) -> None:
    story = replay([(Stream.STDOUT, json.dumps(line).encode() + b"\n")])
    assert (story.lines(), story.others) == (lines, [])


def test_nesting_without_end_is_noise_and_its_request_is_refused() -> None:
    deep = b'{"a":' * 400 + b"1" + b"}" * 400
    dialogue = fresh()
    dialogue.outgoing()
    request = (
        b'{"type":"control_request","request_id":"r1","request":{"subtype":"can_use_tool",'
        b'"tool_name":"Bash","tool_use_id":"t","input":' + deep + b"}}\n"
    )
    endless = b'{"type":"assistant","x":' + b"[" * 100_000 + b"\n"
    story = replay([(Stream.STDOUT, request), (Stream.STDOUT, endless)], dialogue)
    assert [type(event) for event in story.others] == [Noise, Noise]
    assert story.entries == {}
    assert [one["response"]["subtype"] for one in sent(dialogue)] == ["error"]


@pytest.mark.parametrize(("digits", "ends"), [(30, TurnEnded), (5000, Noise)])
def test_a_number_that_not_every_client_can_hold_is_not_shown(digits: int, ends: type) -> None:
    usage = b'"usage":{"input_tokens":' + b"9" * digits + b"}"
    result = b'{"type":"result","subtype":"success",' + usage + b"}\n"
    story = replay([(Stream.STDOUT, result)])
    assert ([type(event) for event in story.others], story.entries) == ([ends], {})


@pytest.mark.parametrize(
    ("odd", "outcome"),
    [
        ({"modelUsage": None, "usage": {"input_tokens": None}}, Outcome.COMPLETED),
        ({"modelUsage": {"m": {"inputTokens": "many"}}, "total_cost_usd": "1"}, Outcome.COMPLETED),
        ({"usage": [], "errors": None}, Outcome.COMPLETED),
        ({"usage": [], "is_error": "true"}, Outcome.FAILED),
        ({"api_error_status": "401"}, Outcome.FAILED),
    ],
)
def test_a_turn_is_over_whatever_its_numbers_look_like(
    odd: dict[str, Any], outcome: Outcome
) -> None:
    story = replay(said({"type": "result", "subtype": "success", "num_turns": 1, **odd}))
    assert [end.outcome for end in story.ends()] == [outcome]
    assert (len(story.others), "usage" in story.entries) == (1, False)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(list(Stream)), st.binary(max_size=200))))
def test_bytes_of_any_kind_do_no_harm(records: Records) -> None:
    replay(records)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "id", "name", "input", "content", "text", "todos", "task"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(ALL), st.integers(0, 100), st.integers(0, 400), VALUES)
def test_recorded_lines_that_were_tampered_with_do_no_harm(
    name: str, number: int, place: int, value: Any
) -> None:
    records = recorded(name)
    stream, data = records[number % len(records)]
    if data.startswith(b"{"):
        message = json.loads(data)
        spots = list(spots_in(message))
        holder, key = spots[place % len(spots)]
        holder[key] = value
        data = json.dumps(message).encode() + b"\n"
    records[number % len(records)] = (stream, data)
    story = replay(records)
    assert story.entries


def spots_in(value: Any) -> Iterable[tuple[Any, Any]]:
    """Every place in a JSON value where something could stand instead."""
    inside = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in inside:
        yield value, key
        yield from spots_in(inner)


def test_a_long_text_is_joined_once_per_record() -> None:
    start = {"type": "message_start", "message": {"id": "m"}}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}}
    piece = {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "x" * 10},
    }
    opening, text = (
        b"".join(data for _, data in said(*[{"type": "stream_event", "event": e} for e in events]))
        for events in ([start, block], [piece])
    )
    dialogue = fresh()
    dialogue.receive(Stream.STDOUT, opening)
    [put] = dialogue.receive(Stream.STDOUT, text * 50_000)
    assert isinstance(put, EntryPut)
    assert put.entry.content == "x" * 500_000
