"""What a run of Claude Code shows: edits, plans, notices, answers that are taken back."""

from __future__ import annotations

from typing import Any

import pytest

from anyond.agents.claude.agent import Claude
from anyond.agents.common.core import (
    ApprovalAsked,
    EntryPut,
    Outcome,
    Turn,
    TurnEnded,
)
from anyond.model.entries import (
    FileChangeEdit,
    FileChangeWrite,
    FileEdit,
)
from tests.support.dialogues.claude_driver import (
    TREE,
    came_back,
    event,
    fresh,
    left,
    output,
    permission,
    replay,
    use,
)


def test_an_entry_says_what_a_hook_has_made_of_the_input() -> None:
    lines = [
        use("Bash", {"command": "rm -r /"}),
        permission("Bash", {"command": "ls /"}),
        came_back("bin"),
    ]
    story = replay(output(*lines))
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
    story = replay(output(use("Write", asked), came_back("File created", done)))
    assert story.lines() == ["FileEdit succeeded: b.txt"]
    edit = story.tool().action_type
    assert isinstance(edit, FileEdit)
    assert (edit.path, edit.changes) == ("b.txt", [FileChangeWrite(content="of the hook")])
    hunk = {"oldStart": 1, "oldLines": 1, "newStart": 1, "newLines": 1, "lines": ["-x", "+z"]}
    done = {"filePath": f"{TREE}/b.txt", "structuredPatch": [hunk]}
    asked = {"file_path": f"{TREE}/a.txt", "old_string": "x", "new_string": "y"}
    story = replay(output(use("Edit", asked), came_back("Edited", done)))
    edit = story.tool().action_type
    assert isinstance(edit, FileEdit)
    [change] = edit.changes
    assert isinstance(change, FileChangeEdit)
    assert (edit.path, "+z" in change.unified_diff) == ("b.txt", True)


@pytest.mark.parametrize(
    ("name", "asked", "done", "displayed"),
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
    name: str, asked: dict[str, object], done: dict[str, object], displayed: str
) -> None:
    assert replay(output(use(name, asked), came_back("done", done))).lines() == [displayed]


def test_a_plan_is_shown_whether_its_use_or_its_question_has_it() -> None:
    for first, second in (({"plan": "# It"}, {}), ({}, {"plan": "# It"})):
        story = replay(output(use("ExitPlanMode", first), permission("ExitPlanMode", second)))
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
    story = replay(output(*lines))
    assert story.lines() == ["SystemMessage: A hook held it back.", "SystemMessage: New words."]
    assert story.others == []
    known = left(fresh(), output(*lines))
    turn = Turn(prompt="p", cwd=TREE, carried=known)
    assert replay(output(*lines), Claude().dialogue(turn)).lines() == []


def test_what_broke_off_is_no_answer_if_the_agent_acts_instead() -> None:
    lines = [
        event(type="message_start", message={"id": "m1"}),
        event(type="content_block_start", index=0, content_block={"type": "text"}),
        event(type="content_block_delta", index=0, delta={"type": "text_delta", "text": "half"}),
        {"type": "system", "subtype": "api_retry", "attempt": 1, "max_retries": 9},
        use("Bash", {"command": "ls"}),
    ]
    assert replay(output(*lines)).lines()[::2] == [
        "SystemMessage: An answer of the model broke off here; it was asked again.",
        "CommandRun created: ls",
    ]


@pytest.mark.parametrize("retried", [None, "toolu_1"])
def test_a_retry_takes_back_the_half_answer_of_the_agent_that_it_is_of(retried: str | None) -> None:
    def half(parent: str | None) -> list[Any]:
        return [
            {**event(**reported), "parent_tool_use_id": parent}
            for reported in (
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
        reported = {"type": "system", "subtype": "api_retry", "attempt": attempt, "max_retries": 9}
        return {**reported, "parent_tool_use_id": parent}

    other = "toolu_1" if retried is None else None
    call = {"type": "tool_use", "id": "u", "name": "Bash", "input": {"command": "ls"}}
    acts = {
        "type": "assistant",
        "parent_tool_use_id": retried,
        "message": {"id": "next", "content": [call]},
    }
    lines = [*half(None), *half("toolu_1"), retry(retried, 1), retry(other, 2), retry(retried, 2)]
    story = replay(output(*lines[:-2], acts))
    texts = {e.content: e.parent for e in story.entries.values()}
    key = None if other is None else f"tool:{other}"
    assert (texts[f"half of {other}"] or None) == key
    assert f"half of {retried}" not in texts
    notes = replay(output(*lines)).entries
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
    story = replay(output(*lines))
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
    assert replay(output(*lines)).lines()[::2] == [
        "AssistantMessage: whole",
        "AssistantMessage: next",
    ]


def test_nothing_used_is_not_shown() -> None:
    nothing = {"type": "result", "subtype": "success", "modelUsage": {"m": {"inputTokens": 0}}}
    assert "usage" not in replay(output(nothing)).entries
    cached = {"m": {"inputTokens": 0, "cacheReadInputTokens": 7}}
    story = replay(output({"type": "result", "subtype": "success", "modelUsage": cached}))
    assert story.entries["usage"].content == "7 tokens cached"


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
        for stream, data in output(start, *streamed(0, "One."), *streamed(1, "Two."))
        for put in dialogue.receive(stream, data)
        if isinstance(put, EntryPut)
    ]
    assert puts == [("msg:m:0", "One."), ("msg:m:1", "Two.")]


def test_a_sub_agent_in_the_background_ends_when_a_notice_says_so() -> None:
    started = output(
        use("Agent", {"description": "look"}),
        came_back("started", {"status": "async_launched", "agentId": "a"}),
    )
    assert replay(started).lines() == ["TaskCreate created: Task: look"]
    for status, displayed in [("completed", "succeeded"), ("failed", "failed")]:
        notice = {"type": "system", "subtype": "task_notification", "tool_use_id": "t1"}
        story = replay([*started, *output({**notice, "status": status})])
        assert story.lines() == [f"TaskCreate {displayed}: Task: look"]


def test_a_tool_that_is_over_does_not_begin_again() -> None:
    calls = output(
        use("Bash", {"command": "true"}), came_back(""), use("Bash", {"command": "true"})
    )
    assert replay(calls).lines() == ["CommandRun succeeded: true"]
