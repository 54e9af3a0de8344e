"""The real Claude Code at work in the whole daemon, as clients see it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.real_agents.claude_cli import (
    MODEL,
    Person,
    family,
    lines,
    printed,
    stopped,
    tools,
)

pytestmark = pytest.mark.agents

SUCCESS = {"status": "success"}


def denied(reason: str) -> dict[str, str]:
    return {"status": "denied", "reason": reason}


async def test_two_approvals_lead_from_a_task_to_a_merge(person: Person) -> None:
    daemon = person.daemon
    attempt = await person.start("basic")
    process = await daemon.running(attempt)
    question = await daemon.question()
    assert question["tool_name"] == "Write"
    assert question["tool_input"]["content"] == "hello from agent\nsecond line\n"
    await person.sees(
        process,
        lambda e: (
            e["content"] == "hello.txt"
            and e["entry_type"]["status"].get("approval_id") == question["id"]
        ),
    )
    assert not (Path(attempt["container_ref"]) / "hello.txt").exists()
    await person.approve(question)
    await person.approve(await daemon.question())

    ended = await daemon.over(attempt)
    assert (ended["id"], ended["status"], ended["exit_code"]) == (process["id"], "completed", 0)
    assert await person.approvals() == [("Write", "approved"), ("Bash", "approved")]
    entries = await daemon.entries(ended)
    assert tools(entries) == [("file_edit", SUCCESS), ("command_run", SUCCESS)]
    assert printed(entries)[-1] == "All done: wrote hello.txt and checked it."
    [usage] = [e["entry_type"] for e in entries if e["entry_type"]["type"] == "token_usage"]
    assert (usage["model"], usage["input_tokens"], usage["output_tokens"]) == (MODEL, 3000, 126)
    assert usage["cost_usd"] > 0
    events = await person.events("process_completed")
    assert [name for name in events if not name.endswith("_updated")] == [
        "task_created",
        "attempt_created",
        "process_started",
        *("approval_requested", "approval_resolved") * 2,
        "process_completed",
    ]

    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/merge")
    assert (person.repository / "hello.txt").read_text() == "hello from agent\nsecond line\n"
    assert (person.repository / "ran.txt").read_text() == "done\n"
    assert daemon.git(person.repository, "status", "--porcelain") == ""


async def test_a_denial_reaches_the_agent_with_its_reason_and_the_turn_goes_on(
    person: Person,
) -> None:
    daemon = person.daemon
    attempt = await person.start("basic")
    await person.approve(await daemon.question())
    await person.deny(await daemon.question(), "Use make instead.")
    ended = await daemon.over(attempt)
    assert (ended["status"], ended["exit_code"]) == ("completed", 0)
    entries = await daemon.entries(ended)
    assert tools(entries) == [
        ("file_edit", SUCCESS),
        ("command_run", denied("Use make instead.")),
    ]
    assert printed(entries, "user_feedback") == ["Use make instead."]
    assert printed(entries)[-1] == "All done: wrote hello.txt and checked it."
    reported = [block for block in _results(await daemon.raw(ended)) if block.get("is_error")]
    assert [block["content"] for block in reported] == ["Use make instead."]
    assert daemon.git(person.repository, "ls-tree", "--name-only", attempt["branch"]).split() == [
        "README.md",
        "hello.txt",
    ]


async def test_the_default_variant_asks_nobody_whoever_runs_it(person: Person) -> None:
    daemon = person.daemon
    attempt = await person.start("basic", "DEFAULT")
    ended = await daemon.over(attempt)
    assert ended["status"] == "completed"
    assert await person.approvals() == []
    assert tools(await daemon.entries(ended)) == [("file_edit", SUCCESS), ("command_run", SUCCESS)]
    assert daemon.git(person.repository, "show", f"{attempt['branch']}:ran.txt") == "done\n"


async def test_a_follow_up_knows_what_was_said_and_a_retry_has_never_heard_of_it(
    person: Person,
) -> None:
    daemon = person.daemon
    attempt = await person.start("text", "DEFAULT")
    first = await daemon.over(attempt)
    session = await _session(person, first)
    second = await person.follow_up(attempt, "SCN=recall now")
    assert second["executor_action"]["typ"]["type"] == "CodingAgentFollowUpRequest"
    assert second["executor_action"]["typ"]["session_id"] == session
    entries = await daemon.entries(second)
    assert printed(entries, "user_message") == ["SCN=recall now"]
    earlier = first["executor_action"]["typ"]["prompt"]
    assert printed(entries) == [f"You had said: {earlier}"]
    third = await person.follow_up(attempt, "SCN=recall again")
    assert third["executor_action"]["typ"]["session_id"] == await _session(person, second)
    assert printed(await daemon.entries(third)) == [f"You had said: {earlier}; SCN=recall now"]
    retried = await person.follow_up(attempt, "SCN=recall anew", retry_process_id=second["id"])
    assert retried["executor_action"]["typ"]["session_id"] == session
    assert printed(await daemon.entries(retried)) == [f"You had said: {earlier}"]
    await person.set_options(fork_session=False)
    last = await person.follow_up(attempt, "SCN=recall")
    assert await _session(person, last) == await _session(person, retried)


async def test_a_plan_is_rejected_with_feedback_then_approved_and_carried_out(
    person: Person,
) -> None:
    daemon = person.daemon
    attempt = await person.start("replan", "PLAN")
    question = await daemon.question()
    assert question["tool_name"] == "ExitPlanMode"
    assert question["tool_input"]["plan"] == "# Plan\n1. write hello.txt\n"
    await person.deny(question, "Check it, too.")
    question = await daemon.question()
    assert question["tool_input"]["plan"] == "# Plan\n1. write hello.txt\n2. check it\n"
    assert not (Path(attempt["container_ref"]) / "hello.txt").exists()
    await person.approve(question)
    ended = await daemon.over(attempt)
    assert ended["status"] == "completed"
    entries = await daemon.entries(ended)
    assert tools(entries) == [
        ("file_edit", SUCCESS),
        ("plan_presentation", denied("Check it, too.")),
        ("file_edit", SUCCESS),
        ("plan_presentation", SUCCESS),
        ("file_edit", SUCCESS),
        ("command_run", SUCCESS),
    ]
    plans = [e for e in entries if e["entry_type"].get("tool_name") == "ExitPlanMode"]
    assert plans[1]["content"] == question["tool_input"]["plan"]
    assert printed(entries, "user_feedback") == ["Check it, too."]
    assert [name for name, _ in await person.approvals()] == ["ExitPlanMode", "ExitPlanMode"]
    assert (Path(attempt["container_ref"]) / "ran.txt").read_text() == "planned\n"


async def test_a_question_to_the_person_gets_the_answer_that_was_chosen(person: Person) -> None:
    daemon = person.daemon
    attempt = await person.start("ask", "DEFAULT")
    question = await daemon.question()
    assert question["tool_name"] == "AskUserQuestion"
    [asked] = question["tool_input"]["questions"]
    chosen = {asked["question"]: asked["options"][1]["label"]}
    await person.approve(question, answers=chosen)
    ended = await daemon.over(attempt)
    entries = await daemon.entries(ended)
    [use] = [e["entry_type"] for e in entries if e["entry_type"]["type"] == "tool_use"]
    assert use["status"] == SUCCESS
    assert use["action_type"]["result"] == {"type": {"type": "json"}, "value": chosen}
    [reported] = _results(await daemon.raw(ended))
    assert "Blue" in str(reported["content"])
    assert printed(entries) == ["Thanks for the answer."]


async def test_tasks_are_one_list_and_a_sub_agent_has_what_it_does_as_its_own(
    person: Person,
) -> None:
    daemon = person.daemon
    listing, delegating = [await person.start(name, "DEFAULT") for name in ("todo", "task")]
    entries = await daemon.entries(await daemon.over(listing))
    assert tools(entries) == [("todo_management", SUCCESS)]
    [use] = [e["entry_type"] for e in entries if e["entry_type"]["type"] == "tool_use"]
    assert [(todo["content"], todo["status"]) for todo in use["action_type"]["todos"]] == [
        ("Write file", "completed"),
        ("Run it", "pending"),
    ]
    entries = await daemon.entries(await daemon.over(delegating))
    assert tools(entries) == [("task_create", SUCCESS), ("command_run", SUCCESS)]
    sub, command = [e for e in entries if e["entry_type"]["type"] == "tool_use"]
    assert "parent" not in sub
    assert command["parent"] == sub["metadata"]["tool_call_id"]
    assert printed([e for e in entries if "parent" not in e]) == ["Sub job finished."]


async def test_a_stop_ends_a_long_command_with_all_that_it_had_started(person: Person) -> None:
    daemon = person.daemon
    ended = await stopped(daemon, await person.start("linger", "DEFAULT"))
    entries = await daemon.entries(ended)
    assert tools(entries) == [("command_run", {"status": "failed"})]
    assert printed(entries, "error_message") == []


async def test_a_stop_withdraws_the_open_question(person: Person) -> None:
    daemon = person.daemon
    attempt = await person.start("basic")
    question = await daemon.question()
    process = await daemon.running(attempt)
    await daemon.ask("POST", f"/api/execution-processes/{process['id']}/stop")
    assert family(process) == {}
    assert await person.approvals() == [("Write", "denied")]
    assert await daemon.ask("GET", "/api/approvals?status=pending") == []
    answer = await daemon.request(
        "POST", f"/api/approvals/{question['id']}/respond", json={"status": {"status": "approved"}}
    )
    assert answer.status_code == 409
    ended = await daemon.over(attempt)
    assert ended["status"] == "killed"
    [(kind, status)] = tools(await daemon.entries(ended))
    assert (kind, status["status"]) == ("file_edit", "denied")
    assert (await daemon.ask("GET", f"/api/tasks/{attempt['task_id']}"))["status"] == "inreview"


async def test_a_failing_model_is_a_failed_run_with_one_readable_error(person: Person) -> None:
    daemon = person.daemon
    broken = {"midfail": "onnect", "toolfail": "onnect", "noend": "onnect"}
    expected = {"err401": "API key", "err429": "rate limit", "err500": "500", **broken}
    attempts = {scenario: await person.start(scenario, "DEFAULT") for scenario in expected}
    for scenario, words in expected.items():
        attempt = attempts[scenario]
        ended = await daemon.over(attempt)
        assert (ended["status"], ended["exit_code"]) == ("failed", 1), scenario
        [error] = printed(await daemon.entries(ended), "error_message")
        assert words in error
        assert "{" not in error
    for task in await daemon.ask("GET", f"/api/tasks?project_id={person.project['id']}"):
        assert (task["status"], task["last_attempt_failed"]) == ("inreview", True)


async def test_a_question_that_nobody_answers_is_denied_in_time(person: Person) -> None:
    daemon = person.daemon
    await daemon.ask("PUT", "/api/config", {"approval_timeout_s": 1})
    attempt = await person.start("edit")
    ended = await daemon.over(attempt)
    assert ended["status"] == "completed"
    assert await person.approvals() == [("Edit", "timed_out")]
    entries = await daemon.entries(ended)
    assert tools(entries) == [("file_read", SUCCESS), ("file_edit", {"status": "timed_out"})]
    assert printed(entries, "error_message") == ["Nobody answered the question about Edit in time."]
    assert printed(entries) == ["Edited README."]
    readme = Path(attempt["container_ref"]) / "README.md"
    assert readme.read_text() == "line one\nline two\n"


async def _session(person: Person, process: dict[str, Any]) -> str:
    """The one session id that the agent named in a run."""
    reported = lines(await person.daemon.raw(process))
    [session_id] = {line["session_id"] for line in reported if "session_id" in line}
    return str(session_id)


def _results(raw: str) -> list[dict[str, Any]]:
    """What the agent took for the results of its tools."""
    contents = [line["message"]["content"] for line in lines(raw) if line["type"] == "user"]
    return [b for c in contents if isinstance(c, list) for b in c if b["type"] == "tool_result"]
