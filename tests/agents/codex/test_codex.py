"""How Codex is started, and how its dialogue goes where no recording goes."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from anyond.agents.codex.agent import Codex
from anyond.agents.codex.options import Options
from anyond.agents.codex.tool_calls import OUTPUT_MOST
from anyond.agents.common import variant
from anyond.agents.common.core import (
    ApprovalAsked,
    ApprovalWithdrawn,
    Decide,
    Decision,
    Dialogue,
    EntryPut,
    Interrupt,
    Outcome,
    Prompt,
    Turn,
    TurnEnded,
)
from anyond.model.entries import (
    Created,
    Denied,
    ErrorMessage,
    Failed,
    FileChangeEdit,
    FileChangeRename,
    FileEdit,
    SetupRequired,
    Succeeded,
)
from anyond.model.records import Stream
from anyond.model.refusals.requests import Impossible
from tests.support.dialogues.acp_driver import entries, told
from tests.support.dialogues.codex_driver import ASKING, echo, hear, opened, tell
from tests.support.dialogues.shown import expect

FREE = {"sandbox": "danger-full-access"}


def launch(**options: Any) -> Any:
    return Codex().launch(Turn(prompt="p", cwd="/w", options=options))


# ---------------------------------------------------------------- start and options


def test_it_is_the_app_server_of_the_program_in_the_path() -> None:
    assert launch().argv == ("codex", "app-server")
    assert "npm install -g @openai/codex" in launch().install
    assert launch(additional_params=["-c", "a b=1"]).argv[2:] == ("-c", "a b=1")


@pytest.mark.parametrize("override", ["npx -y 'my codex'", "npx -y 'my codex' app-server"])
def test_another_command_may_leave_out_the_app_server(override: str) -> None:
    started = launch(base_command_override=override)
    assert started.argv == ("npx", "-y", "my codex", "app-server")
    assert "base_command_override" in started.install


def test_the_environment_hides_an_outer_session_and_obeys_the_variant() -> None:
    env = launch(env={"RUST_LOG": "debug", "KEY": "k"}).env
    assert env["CODEX_THREAD_ID"] is None
    assert (env["RUST_LOG"], env["NO_COLOR"], env["KEY"]) == ("debug", "1", "k")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"sandbox": "none"}, "sandbox"),
        ({"ask_for_approval": True}, "ask_for_approval"),
        ({"env": {"A=B": "c"}}, "env"),
        ({"additional_params": ["a\0b"]}, "additional_params"),
        ({"base_command_override": "codex 'x"}, "base_command_override"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], field: str) -> None:
    with pytest.raises(Impossible) as refusal:
        launch(**options)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("options", "sandbox", "policy", "asks"),
    [
        ({}, "workspace-write", "on-request", True),
        ({"sandbox": "auto"}, "workspace-write", "on-request", True),
        ({"sandbox": "read-only"}, "read-only", None, True),
        (FREE, "danger-full-access", "never", False),
        ({**FREE, "ask_for_approval": "never"}, "danger-full-access", "never", True),
        ({"ask_for_approval": "unless-trusted"}, "workspace-write", "untrusted", True),
        ({"ask_for_approval": "on-failure"}, "workspace-write", "on-request", True),
    ],
)
def test_who_is_asked_follows_from_sandbox_and_policy(
    options: dict[str, Any], sandbox: str, policy: str | None, asks: bool
) -> None:
    decoded = variant.decode(options, Options)
    thread = decoded.thread("/w")
    assert (thread["sandbox"], thread.get("approvalPolicy")) == (sandbox, policy)
    assert decoded.asks is asks


def test_every_other_option_reaches_the_thread() -> None:
    options = {
        "oss": True,
        "model_reasoning_effort": "high",
        "model_reasoning_summary": "concise",
        "model_reasoning_summary_format": "experimental",
        "profile": "work",
        "base_instructions": "Be kind.",
        "include_plan_tool": False,
        "include_apply_patch_tool": True,
        "unknown": object(),
    }
    thread = variant.decode(options, Options).thread("/w")
    assert (thread["cwd"], thread["baseInstructions"]) == ("/w", "Be kind.")
    assert (thread["modelProvider"], thread["model"]) == ("ollama", "gpt-oss:20b")
    assert thread["config"] == {
        "model_reasoning_effort": "high",
        "model_reasoning_summary": "concise",
        "model_reasoning_summary_format": "experimental",
        "profile": "work",
        "tools.update_plan.enabled": False,
        "include_apply_patch_tool": True,
    }
    assert variant.decode({"oss": True, "model": "m"}, Options).thread("/w")["model"] == "m"


# ---------------------------------------------------------------- the turn


def completed(dialogue: Dialogue, turn: str = "t1", thread: str = "main", **more: Any) -> list[Any]:
    params = {"threadId": thread, "turn": {"id": turn, "status": "completed", **more}}
    return hear(dialogue, method="turn/completed", params=params)


def item(dialogue: Dialogue, when: str = "started", thread: str = "main", **item: Any) -> list[Any]:
    params = {"threadId": thread, "item": item}
    return hear(dialogue, method=f"item/{when}", params=params)


def error(dialogue: Dialogue, retry: bool, message: str = "broken", **more: Any) -> list[Any]:
    told = {"message": message, **more}
    return hear(dialogue, method="error", params={"error": told, "willRetry": retry})


def ends(events: list[Any]) -> list[TurnEnded]:
    return [event for event in events if isinstance(event, TurnEnded)]


def test_a_late_message_is_not_lost_between_two_turns() -> None:
    dialogue = opened()
    dialogue.send(Prompt("wait"))
    [sent] = echo(dialogue)
    assert ends(completed(dialogue)) == []
    assert ends(hear(dialogue, id=sent["id"], result={"turn": {"id": "t2"}})) == []
    assert ends(completed(dialogue, "t2")) == [TurnEnded(Outcome.COMPLETED)]


def test_a_message_that_joined_the_turn_in_the_last_moment_does_not_hold_it_up() -> None:
    dialogue = opened()
    dialogue.send(Prompt("wait"))
    [sent] = echo(dialogue)
    assert ends(completed(dialogue)) == []
    answer = hear(dialogue, id=sent["id"], result={"turn": {"id": "t1"}})
    assert ends(answer) == [TurnEnded(Outcome.COMPLETED)]


def test_a_message_that_is_refused_is_told_and_the_turn_goes_on() -> None:
    dialogue = opened()
    dialogue.send(Prompt("wait"))
    [sent] = echo(dialogue)
    events = hear(dialogue, id=sent["id"], error={"code": -1, "message": "no"})
    assert told(events) == ["error: no"]
    assert ends(completed(dialogue)) == [TurnEnded(Outcome.COMPLETED)]


@pytest.mark.parametrize(
    ("status", "failure", "words"),
    [
        ("completed", {"message": "out of money"}, "out of money"),
        ("failed", None, "'failed'"),
        ("odd", None, "'odd'"),
        ("failed", {"message": "x", "codexErrorInfo": "unauthorized"}, "codex login"),
        ("failed", {"message": "x", "codexErrorInfo": {"unauthorized": {}}}, "codex login"),
        ("failed", {"message": "unexpected status 401 Unauthorized"}, "codex login"),
        ("failed", {"message": "x", "additionalDetails": "invalid_api_key"}, "codex login"),
        ("failed", {"message": 'status 400: {"detail": "bad model"}, url'}, "400: bad model, url"),
        ("failed", {"message": "a", "additionalDetails": "b"}, "a: b"),
        ("failed", {}, "'failed'"),
    ],
)
def test_success_needs_all_the_evidence(status: str, failure: Any, words: str) -> None:
    events = completed(opened(), status=status, error=failure)
    [end] = ends(events)
    assert end.outcome is Outcome.FAILED
    assert words in str(end.error)
    [entry] = entries(events).values()
    assert entry.content == end.error
    setup = entry.entry_type == ErrorMessage(error_type=SetupRequired())
    assert setup is (words == "codex login")


def test_an_error_without_a_failed_turn_is_a_failure_unless_the_agent_went_on() -> None:
    dialogue = opened()
    error(dialogue, retry=False)
    assert ends(completed(dialogue)) == [TurnEnded(Outcome.FAILED, "broken")]
    dialogue = opened()
    error(dialogue, retry=False)
    item(dialogue, type="agentMessage", id="m", text="")
    assert ends(completed(dialogue)) == [TurnEnded(Outcome.COMPLETED)]


def test_retries_are_one_entry_that_changes() -> None:
    dialogue = opened()
    first = error(dialogue, retry=True, message="Reconnecting... 1/5")
    second = error(dialogue, retry=True, message="Reconnecting... 2/5")
    assert first[0].key == second[0].key
    assert second[0].entry.content == "Reconnecting... 2/5"


def test_an_interrupt_waits_until_the_turn_can_be_named() -> None:
    dialogue = Codex().dialogue(Turn(prompt="p", cwd="/w"))
    dialogue.send(Interrupt())
    echo(dialogue)
    hear(dialogue, id=1, result={})
    echo(dialogue)
    hear(dialogue, id=2, result={"thread": {"id": "main"}})
    assert [message["method"] for message in echo(dialogue)] == ["turn/start"]
    hear(dialogue, id=3, result={"turn": {"id": "t1"}})
    [asked] = echo(dialogue)
    assert (asked["method"], asked["params"]["turnId"]) == ("turn/interrupt", "t1")
    assert ends(completed(dialogue)) == [TurnEnded(Outcome.INTERRUPTED)]
    assert hear(dialogue, id=asked["id"], result={}) == []


def test_a_thread_that_cannot_be_opened_is_a_failure() -> None:
    dialogue = Codex().dialogue(Turn(prompt="p", cwd="/w"))
    echo(dialogue)
    hear(dialogue, id=1, result={})
    echo(dialogue)
    events = hear(dialogue, id=2, error={"code": -32600, "message": "failed to load configuration"})
    assert told(events)[-1] == "> failed: failed to load configuration"
    dialogue = Codex().dialogue(Turn(prompt="p", cwd="/w"))
    echo(dialogue)
    events = hear(dialogue, id=1, error={"code": -32600, "message": "You are not logged in."})
    [error] = entries(events).values()
    assert error.entry_type == ErrorMessage(error_type=SetupRequired())
    assert "`codex login`" in error.content


# ---------------------------------------------------------------- questions


def ask_command(dialogue: Dialogue, id: int = 0) -> ApprovalAsked:
    item(dialogue, type="commandExecution", id="c", command="make", status="inProgress")
    params = {"threadId": "main", "itemId": "c", "command": "/bin/bash -lc make"}
    method = "item/commandExecution/requestApproval"
    [asked] = hear(dialogue, id=id, method=method, params=params)[-1:]
    assert isinstance(asked, ApprovalAsked)
    return asked


def test_a_reason_is_told_before_the_answer_and_made_up_for_after_a_crash() -> None:
    decision = Decide("0", Decision.DENIED, reason="too slow")
    before = opened()
    asked = ask_command(before)
    assert (asked.call, asked.tool_input) == ("0", {"command": "make"})
    before.send(decision)
    before.send(decision)
    reason, answer = echo(before)
    assert reason["method"] == "turn/start"
    assert answer["result"] == {"decision": "decline"}

    after = opened()
    ask_command(after)
    tell(after, **reason)
    after.send(decision)
    [again] = after.outgoing()
    assert b'"decline"' in again
    [put, answered] = tell(after, **answer)
    assert put.entry.entry_type.status == Denied(reason="too slow")
    assert told([answered]) == ["> answered"]


def test_the_free_variant_allows_what_is_asked_all_the_same_and_once() -> None:
    dialogue = opened(sandbox="danger-full-access", ask_for_approval=None)
    params = {"threadId": "main", "itemId": "c", "command": "make"}
    method = "item/commandExecution/requestApproval"
    events = hear(dialogue, id=0, method=method, params=params)
    assert [type(event) for event in events] == [EntryPut]
    tell(dialogue, id=0, result={"decision": "accept"})
    assert dialogue.outgoing() == []


def test_an_answered_question_is_not_withdrawn_and_its_number_may_come_again() -> None:
    dialogue = opened()
    ask_command(dialogue)
    dialogue.send(Decide("0", Decision.APPROVED))
    echo(dialogue)
    resolved = {"threadId": "main", "requestId": 0}
    assert hear(dialogue, method="serverRequest/resolved", params=resolved) == []
    assert ask_command(dialogue).call == "0#2"
    [gone] = hear(dialogue, method="serverRequest/resolved", params=resolved)
    assert gone == ApprovalWithdrawn("0#2")


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Decision.APPROVED, {"permissions": {"network": {"on": True}}, "scope": "turn"}),
        (Decision.DENIED, {"permissions": {}, "scope": "turn"}),
    ],
)
def test_permissions_are_granted_for_the_turn_or_not_at_all(
    verdict: Decision, expected: dict[str, Any]
) -> None:
    dialogue = opened()
    wanted = {"network": {"on": True}, "fileSystem": None}
    params = {"threadId": "main", "itemId": "p", "reason": "to fetch", "permissions": wanted}
    method = "item/permissions/requestApproval"
    put, asked = hear(dialogue, id=4, method=method, params=params)
    assert (put.entry.content, asked.tool_name) == ("to fetch", "request_permissions")
    dialogue.send(Decide(asked.call, verdict))
    [answer] = echo(dialogue)
    assert answer["result"] == expected


def test_a_form_of_an_mcp_server_is_for_a_person_even_in_the_free_variant() -> None:
    dialogue = opened(sandbox="danger-full-access", ask_for_approval=None)
    params = {"threadId": "main", "serverName": "s", "mode": "form", "message": "Your name?"}
    put, asked = hear(dialogue, id=0, method="mcpServer/elicitation/request", params=params)
    assert (put.entry.content, asked.tool_name) == ("Your name?", "mcp:s")
    dialogue.send(Decide(asked.call, Decision.APPROVED, answers={"name": "Ada"}))
    [answer] = echo(dialogue)
    assert answer["result"] == {"action": "accept", "content": {"name": "Ada"}}


def test_what_is_not_offered_is_refused() -> None:
    dialogue = opened()
    assert hear(dialogue, id=0, method="item/tool/call", params={"tool": "x"}) == []
    [answer] = echo(dialogue)
    assert answer["error"]["code"] == -32601


# ---------------------------------------------------------------- tools


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
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 8 * OUTPUT_MOST < 200 * len(piece)


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
    for last, shown in ((nothing, []), ({"inputTokens": 7, "cachedInputTokens": 7}, ["7"])):
        usage = {"total": {"inputTokens": 9, **last}, "last": last}
        params = {"threadId": f"t{shown}", "tokenUsage": usage}
        events = hear(dialogue, method="thread/tokenUsage/updated", params=params)
        assert [put.entry.content for put in events] == [f"{n} tokens cached" for n in shown]


def test_the_programs_own_log_is_left_to_the_raw_log() -> None:
    dialogue = opened(**ASKING)
    lines = b"\x1b[2m2026-11-24T00:03:26.2Z\x1b[0m \x1b[31mERROR\x1b[0m core: x\nthread panicked\n"
    [put] = dialogue.receive(Stream.STDERR, lines)
    assert expect(EntryPut, put).entry.content == "thread panicked"
