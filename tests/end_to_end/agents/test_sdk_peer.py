"""An agent that is made with the official SDK works with us, and we say only what the SDK knows."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from anyond.model.records import Stream
from anyond.procs.spools.spool import Spool
from tests.support.daemon import Daemon
from tests.support.paths import SCRIPTED_AGENTS
from tests.support.real_agents.claude_cli import printed, tools

PROGRAM = SCRIPTED_AGENTS / "sdk_agent.py"
SUCCESS = {"status": "success"}
REQUESTS = {
    "initialize": "InitializeRequest",
    "session/new": "NewSessionRequest",
    "session/load": "LoadSessionRequest",
    "session/resume": "ResumeSessionRequest",
    "session/prompt": "PromptRequest",
    "session/cancel": "CancelNotification",
}
"""The model of each in the SDK's schema, which takes a second to load: not in every worker."""


async def use_sdk_agent(daemon: Daemon, **env: str) -> None:
    options = {
        "base_command_override": shlex.join([sys.executable, str(PROGRAM)]),
        "env": {"SDK_AGENT_STATE": str(daemon.root / "fake-state"), **env},
    }
    await daemon.ask("PUT", "/api/profiles", {"executors": {"ACP": {"DEFAULT": {"ACP": options}}}})


@pytest.fixture
async def peer(daemon: Daemon) -> AsyncIterator[Daemon]:
    """A daemon in which ACP is that agent; whatever it was told is checked in the end."""
    await use_sdk_agent(daemon)
    yield daemon
    assert "Traceback" not in daemon.log()
    spools = list((daemon.data / "executions").iterdir())
    for spool in spools:
        check_what_was_reported(Spool(spool))
    assert spools


def check_what_was_reported(spool: Spool) -> None:
    """Every message of ours is of the SDK's schema, and has no field that the schema lacks."""
    from acp import schema

    reader = spool.records()
    received = b""
    reported = b""
    try:
        while records := reader.read():
            reported += b"".join(r.data for r in records if r.stream is Stream.STDIN)
            received += b"".join(r.data for r in records if r.stream is Stream.STDOUT)
    finally:
        reader.close()
    asked = {
        line["id"]: line["method"]
        for line in map(json.loads, received.splitlines())
        if "method" in line and "id" in line
    }
    seen = 0
    for message in map(json.loads, reported.splitlines()):
        assert message.pop("jsonrpc") == "2.0"
        if "method" in message:
            model, value = getattr(schema, REQUESTS[message["method"]]), message["params"]
            if message["method"] == "initialize":
                # The one word that is newer than the SDK's schema; adapters of today know it.
                assert value["clientCapabilities"]["session"].pop("notices") == {}
        else:
            assert asked[message["id"]] == "session/request_permission"
            model, value = schema.RequestPermissionResponse, message["result"]
        checked = model.model_validate(value, strict=True)
        assert checked.model_dump(mode="json", by_alias=True, exclude_unset=True) == value
        seen += 1
    assert seen


async def answer(daemon: Daemon, status: str, **more: Any) -> None:
    question = await daemon.question()
    path = f"/api/approvals/{question['id']}/respond"
    await daemon.ask("POST", path, {"status": {"status": status, **more}})


async def follow_up(daemon: Daemon, attempt: dict[str, Any], prompt: str) -> dict[str, Any]:
    path = f"/api/task-attempts/{attempt['id']}/follow-up"
    await daemon.ask("POST", path, {"prompt": prompt})
    return await daemon.over(attempt)


async def test_a_run_shows_all_that_the_agent_says_and_does(peer: Daemon) -> None:
    daemon = peer
    prompt = "say hello\nthink hard\nplan one | two\nrun fine\nedit new.txt written\nsay bye"
    attempt = await daemon.attempt(await daemon.project(), prompt)
    question = await daemon.question()
    assert not (Path(attempt["container_ref"]) / "new.txt").exists()
    await answer(daemon, "approved")
    ended = await daemon.over(attempt)
    assert ended["status"] == "completed"
    entries = await daemon.entries(ended)
    assert printed(entries, "thinking") == ["hard"]
    assert printed(entries)[-2:] == ["hello", "bye"]
    assert tools(entries) == [
        *(("todo_management", SUCCESS), ("command_run", SUCCESS), ("file_edit", SUCCESS))
    ]
    plan, command, edit = [
        e["entry_type"] for e in entries if e["entry_type"]["type"] == "tool_use"
    ]
    assert [step["status"] for step in plan["action_type"]["todos"]] == ["completed", "pending"]
    assert command["action_type"]["command"] == "echo fine"
    assert command["action_type"]["result"]["output"] == "fine"
    assert edit["action_type"]["path"] == "new.txt"
    [usage] = [e["entry_type"] for e in entries if e["entry_type"]["type"] == "token_usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (70, 7)
    displayed = daemon.git(daemon.root / "project", "show", f"{attempt['branch']}:new.txt")
    assert (displayed, question["tool_name"]) == ("written\n", "Edit new.txt")


async def test_a_denial_and_a_stop_reach_it(peer: Daemon) -> None:
    daemon = peer
    attempt = await daemon.attempt(await daemon.project(), "edit new.txt written")
    await answer(daemon, "denied", reason="Not there.")
    ended = await daemon.over(attempt)
    assert ended["status"] == "completed"
    entries = await daemon.entries(ended)
    assert printed(entries)[-1] == "You did not want it."
    assert tools(entries) == [("file_edit", {"status": "denied", "reason": "Not there."})]

    path = f"/api/task-attempts/{attempt['id']}"
    for prompt in ("hang", "edit new.txt written"):
        await daemon.ask("POST", f"{path}/follow-up", {"prompt": prompt})
        process = await daemon.running(attempt)
        if prompt != "hang":
            await daemon.question()
        else:
            await until_prompted(daemon, process)
        await daemon.ask("POST", f"{path}/stop")
        ended = await daemon.over(attempt)
        assert (ended["id"], ended["status"]) == (process["id"], "killed")
        assert b'"stopReason":"cancelled"' in _log(daemon, process).replace(b": ", b":")


async def until_prompted(daemon: Daemon, process: dict[str, Any]) -> None:
    async def look() -> bool:
        return b"session/prompt" in _log(daemon, process)

    await daemon.until(look, "the prompt")


def _log(daemon: Daemon, process: dict[str, Any]) -> bytes:
    log = daemon.data / "executions" / process["id"] / "log"
    return log.read_bytes() if log.exists() else b""


@pytest.mark.parametrize("way", ["load", "resume"])
async def test_a_follow_up_goes_on_with_its_session(peer: Daemon, way: str) -> None:
    daemon = peer
    await use_sdk_agent(daemon, SDK_AGENT_RESUME=str(int(way == "resume")))
    attempt = await daemon.attempt(await daemon.project(), "say hello")
    await daemon.over(attempt)
    ended = await follow_up(daemon, attempt, "recall")
    assert printed(await daemon.entries(ended)) == ["1 prompts before"]
    assert f"session/{way}".encode() in _log(daemon, ended)

    for session in (daemon.root / "fake-state").iterdir():
        session.unlink()
    anew = await follow_up(daemon, attempt, "recall")
    assert anew["status"] == "completed"
    entries = await daemon.entries(anew)
    assert printed(entries) == ["0 prompts before"]
    assert printed(entries, "user_message") == ["recall"]
    assert b"[You, at the end of your work]\\n1 prompts before" in _log(daemon, anew)


async def test_a_retry_begins_anew_and_is_told_only_what_came_before(peer: Daemon) -> None:
    daemon = peer
    attempt = await daemon.attempt(await daemon.project(), "say hello")
    first = await daemon.over(attempt)
    taken_back = await follow_up(daemon, attempt, "say nonsense")
    path = f"/api/task-attempts/{attempt['id']}/follow-up"
    await daemon.ask("POST", path, {"prompt": "recall", "retry_process_id": taken_back["id"]})
    again = await daemon.over(attempt)
    assert again["status"] == "completed"
    assert printed(await daemon.entries(again)) == ["0 prompts before"]
    reported = _log(daemon, again)
    assert b"say hello" in reported
    assert b"nonsense" not in reported
    assert [row["id"] for row in await daemon.processes(attempt)] == [first["id"], again["id"]]
    ended = await follow_up(daemon, attempt, "recall")
    assert printed(await daemon.entries(ended)) == ["1 prompts before"]


async def test_an_error_of_the_sdk_is_a_failed_run_that_says_why(peer: Daemon) -> None:
    daemon = peer
    attempt = await daemon.attempt(await daemon.project(), "fail")
    ended = await daemon.over(attempt)
    assert ended["status"] == "failed"
    [error] = printed(await daemon.entries(ended), "error_message")
    assert "the model is gone" in error


async def test_an_open_question_is_answered_after_a_restart_of_the_daemon(peer: Daemon) -> None:
    daemon = peer
    attempt = await daemon.attempt(await daemon.project(), "edit new.txt written\nsay bye")
    question = await daemon.question()
    await daemon.kill()
    await daemon.start()
    assert (await daemon.question())["id"] == question["id"]
    await answer(daemon, "approved")
    ended = await daemon.over(attempt)
    assert ended["status"] == "completed"
    assert printed(await daemon.entries(ended))[-1] == "bye"
    assert _log(daemon, ended).count(b'"outcome":"selected"') == 1
