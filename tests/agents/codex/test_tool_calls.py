"""What Codex does with its tools, and what its sub-agents do."""

from __future__ import annotations

import tracemalloc
from typing import Any

from anyond.agents.codex.tool_calls import OUTPUT_MOST
from anyond.agents.common.core import (
    Dialogue,
    EntryPut,
    Interrupt,
    Outcome,
    TurnEnded,
)
from anyond.model.entries import (
    Created,
    Failed,
    FileChangeEdit,
    FileChangeRename,
    FileEdit,
    Succeeded,
)
from anyond.model.records import Stream
from tests.support.dialogues.codex_driver import ASKING, echo, hear, opened
from tests.support.dialogues.codex_items import completed, ends, error, item
from tests.support.dialogues.shown import expect


def test_each_file_of_an_edit_has_an_entry_and_the_question_shows_all() -> None:
    dialogue = opened()
    changes = [
        {"path": "/w/a.txt", "kind": {"type": "add"}, "diff": "a\n"},
        {"path": "/w/b.txt", "kind": {"type": "update"}, "diff": "@@ -1 +1 @@\n-a\n+b\n"},
    ]
    puts = item(dialogue, type="fileChange", id="e", changes=changes, status="inProgress")
    actions = [put.entry.entry_type.action_type for put in puts]
    assert [action.path for action in actions if isinstance(action, FileEdit)] == ["a.txt", "b.txt"]
    assert {put.entry.metadata["tool_call_id"] for put in puts} == {"e"}
    params = {"threadId": "main", "itemId": "e"}
    method = "item/fileChange/requestApproval"
    *_, asked = hear(dialogue, id=0, method=method, params=params)
    assert asked.tool_input == {"changes": changes}
    done = item(dialogue, "completed", type="fileChange", id="e", status="completed")
    assert [put.entry.entry_type.status for put in done] == [Succeeded(), Succeeded()]


def test_the_output_of_a_command_is_seen_while_it_runs_but_only_its_end() -> None:
    dialogue = opened()
    item(dialogue, type="commandExecution", id="c", command="make", status="inProgress")
    more = {"threadId": "main", "itemId": "c"}
    for number in range(10):
        delta = str(number) * (OUTPUT_MOST // 4)
        [put] = hear(
            dialogue, method="item/commandExecution/outputDelta", params={**more, "delta": delta}
        )
    result = put.entry.entry_type.action_type.result
    assert (len(result.output), result.output[0], result.output[-1]) == (OUTPUT_MOST, "6", "9")
    assert result.exit_status is None
    [put] = completed(dialogue)[:1]
    assert put.entry.entry_type.status == Failed()


def spawn(dialogue: Dialogue, id: str, *others: str) -> list[Any]:
    status = "completed" if others else "inProgress"
    call = {"type": "collabAgentToolCall", "tool": "spawnAgent", "prompt": id, "id": id}
    when = "completed" if others else "started"
    return item(dialogue, when, **call, status=status, receiverThreadIds=list(others))


def test_of_what_a_command_writes_no_more_is_kept_than_is_shown() -> None:
    dialogue = opened()
    command = {"type": "commandExecution", "id": "c", "command": "yes", "status": "inProgress"}
    hear(dialogue, method="item/started", params={"threadId": "main", "item": command})
    piece = "y\n" * (OUTPUT_MOST // 16)
    more = {"threadId": "main", "itemId": "c", "delta": piece}
    tracemalloc.start()
    try:
        for _ in range(200):
            hear(dialogue, method="item/commandExecution/outputDelta", params=more)
        saved, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert saved < 8 * OUTPUT_MOST < 200 * len(piece)


def test_what_is_written_below_the_diff_of_a_moved_file_is_no_line_of_it() -> None:
    dialogue = opened()
    diff = "@@ -1 +1 @@\n-one\n+ONE\n"
    kind = {"type": "update", "move_path": "/w/b.md"}
    changes = [
        {"path": "/w/a.md", "kind": kind, "diff": f"{diff}\n\nMoved to: /w/b.md"},
        {"path": "/w/c.md", "kind": kind, "diff": "\n\nMoved to: /w/b.md"},
    ]
    item = {"type": "fileChange", "id": "e", "changes": changes, "status": "completed"}
    events = hear(dialogue, method="item/completed", params={"threadId": "main", "item": item})
    edit, only_moved = [event.entry.entry_type.action_type.changes for event in events]
    rename = FileChangeRename(new_path="b.md")
    named = f"--- a/a.md\n+++ b/b.md\n{diff}"
    assert edit == [rename, FileChangeEdit(unified_diff=named, has_line_numbers=True)]
    assert only_moved == [rename]


def test_the_run_waits_for_a_sub_agent_and_an_interrupt_ends_the_wait() -> None:
    dialogue = opened()
    spawn(dialogue, "s")
    [put] = spawn(dialogue, "s", "child")
    assert put.entry.entry_type.status == Created()
    assert completed(dialogue) == []
    [nested] = item(dialogue, "completed", "child", type="agentMessage", id="m", text="hi")
    assert nested.entry.parent == "tool:s"
    put, end = completed(dialogue, "c1", "child")
    assert put.entry.entry_type.status == Succeeded()
    assert end == TurnEnded(Outcome.COMPLETED)

    dialogue = opened()
    spawn(dialogue, "s", "child")
    completed(dialogue)
    dialogue.send(Interrupt())
    [asked] = echo(dialogue)
    events = hear(dialogue, id=asked["id"], error={"code": -1, "message": "no turn"})
    assert ends(events) == [TurnEnded(Outcome.INTERRUPTED)]


def test_a_sub_agent_that_is_cut_off_has_failed() -> None:
    dialogue = opened()
    spawn(dialogue, "s", "child")
    error(dialogue, retry=False)
    put, *_ = completed(dialogue)
    assert put.entry.entry_type.status == Failed()


def test_news_of_a_sub_agent_before_its_call_came_back_belong_to_that_call() -> None:
    dialogue = opened()
    spawn(dialogue, "s")
    command = {"type": "commandExecution", "id": "c", "command": "ls", "status": "inProgress"}
    [put] = item(dialogue, "started", "child", **command)
    assert put.entry.parent == "tool:s"
    assert put.key == "tool:child:c"


def test_a_failed_sub_agent_is_told_and_does_not_fail_the_run() -> None:
    dialogue = opened()
    spawn(dialogue, "s", "child")
    put, *_ = completed(dialogue, "c1", "child", status="failed", error={"message": "broke"})
    assert put.entry.entry_type.status == Failed()
    assert ends(completed(dialogue)) == [TurnEnded(Outcome.COMPLETED)]


def test_the_past_of_a_forked_thread_costs_this_run_nothing() -> None:
    dialogue = opened()
    counts = {"outputTokens": 5, "cachedInputTokens": 40, "cacheWriteInputTokens": 0}
    usage = {"total": {"inputTokens": 1100, **counts}, "last": {"inputTokens": 100, **counts}}
    params = {"threadId": "main", "tokenUsage": usage}
    [put] = hear(dialogue, method="thread/tokenUsage/updated", params=params)
    used = put.entry.entry_type
    assert (used.input_tokens, used.cache_read_tokens, used.output_tokens) == (60, 40, 5)
    assert hear(dialogue, method="thread/tokenUsage/updated", params=params) == []


def test_nothing_used_is_not_shown() -> None:
    dialogue = opened()
    nothing = {"inputTokens": 0, "outputTokens": 0}
    for last, displayed in ((nothing, []), ({"inputTokens": 7, "cachedInputTokens": 7}, ["7"])):
        usage = {"total": {"inputTokens": 9, **last}, "last": last}
        params = {"threadId": f"t{displayed}", "tokenUsage": usage}
        events = hear(dialogue, method="thread/tokenUsage/updated", params=params)
        assert [put.entry.content for put in events] == [f"{n} tokens cached" for n in displayed]


def test_the_programs_own_log_is_left_to_the_raw_log() -> None:
    dialogue = opened(**ASKING)
    lines = b"\x1b[2m2026-11-24T00:03:26.2Z\x1b[0m \x1b[31mERROR\x1b[0m core: x\nthread panicked\n"
    [put] = dialogue.receive(Stream.STDERR, lines)
    assert expect(EntryPut, put).entry.content == "thread panicked"
