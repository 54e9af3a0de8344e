"""Agents that are told everything at once, in the whole daemon, as scripted programs."""

from __future__ import annotations

import shlex
import shutil
import sys
from typing import Any

import pytest
import trio

from anyond.agents.common.recap import RECAP_REMARK
from anyond.api.processes import STREAM_NORMALIZED_LOGS, FollowedLog
from tests.support.daemon import TIMEOUT_S, Daemon, Refused
from tests.support.paths import SCRIPTED_AGENTS

SUCCESS = {"status": "success"}
AMP, CURSOR = "AMP", "CURSOR_AGENT"
PROGRAMS = {AMP: "amp_agent.py", CURSOR: "cursor_agent.py"}
ALL = {AMP: {"dangerously_allow_all": True}, CURSOR: {"force": True}}


async def use(daemon: Daemon, executor: str, **env: str) -> None:
    """From now on, that executor is the scripted program."""
    program = SCRIPTED_AGENTS / PROGRAMS[executor]
    given = {"FAKE_STATE": str(daemon.root / "fake-state"), **env}
    settings = [f"{name}={value}" for name, value in given.items()]
    command = shlex.join(["env", *settings, sys.executable, str(program)])
    variant = {**ALL[executor], "base_command_override": command}
    body = {"executors": {executor: {"DEFAULT": {executor: variant}}}}
    await daemon.ask("PUT", "/api/profiles", body)


async def asked(daemon: Daemon, attempt: dict[str, Any], prompt: str) -> dict[str, Any]:
    path = f"/api/task-attempts/{attempt['id']}/follow-up"
    await daemon.ask("POST", path, {"prompt": prompt})
    return await daemon.over(attempt)


def of_type(entries: list[dict[str, Any]], kind: str) -> list[Any]:
    return [entry for entry in entries if entry["entry_type"]["type"] == kind]


def output(entries: list[dict[str, Any]], kind: str = "assistant_message") -> list[str]:
    return [entry["content"] for entry in of_type(entries, kind)]


@pytest.mark.parametrize("executor", [AMP, CURSOR])
async def test_a_run_a_follow_up_in_its_session_and_one_that_has_lost_it(
    daemon: Daemon, executor: str
) -> None:
    await use(daemon, executor)
    project = await daemon.project()
    prompt = "write new.txt hello\nrun cat new.txt\nrun exit 3\nsay All done."
    attempt = await daemon.attempt(project, prompt, executor)
    ended = await daemon.over(attempt)
    assert (ended["status"], ended["exit_code"]) == ("completed", 0)
    entries = await daemon.entries(ended)
    assert prompt in output(entries, "user_message")[0]
    assert output(entries)[-1] == "All done."
    tools = [entry["entry_type"] for entry in of_type(entries, "tool_use")]
    assert [tool["status"]["status"] for tool in tools] == ["success", "success", "failed"]
    changes = [{"action": "write", "content": "hello\n"}]
    assert tools[0]["action_type"] == {"action": "file_edit", "path": "new.txt", "changes": changes}
    code = {"type": "exit_code", "code": 0}
    assert tools[1]["action_type"]["result"] == {"exit_status": code, "output": "hello\n"}
    assert tools[2]["action_type"]["result"]["exit_status"]["code"] == 3
    [usage] = of_type(entries, "token_usage")
    assert usage["entry_type"]["cache_read_tokens"] > 0
    tree = daemon.git(daemon.root / "project", "ls-tree", "--name-only", attempt["branch"])
    assert "new.txt" in tree.split()

    second = await asked(daemon, attempt, "recall")
    assert second["status"] == "completed"
    entries = await daemon.entries(second)
    assert output(entries, "user_message") == ["recall"]
    assert "say All done." in output(entries)[0]
    assert len(output(entries)) == 1  # what was said before is not told again

    shutil.rmtree(daemon.root / "fake-state")
    (daemon.root / "fake-state").mkdir()
    ended = await asked(daemon, attempt, "say Where am I?")
    assert ended["status"] == "completed"
    entries = await daemon.entries(ended)
    if executor == AMP:
        lost = (await daemon.processes(attempt))[-2]
        assert lost["status"] == "failed"
        assert "not found" in output(await daemon.entries(lost), "error_message")[0]
        assert output(entries, "user_message") == ["say Where am I?"]
        assert RECAP_REMARK in output(entries, "system_message")
    else:
        assert "could not be resumed" in output(entries, "system_message")[0]
    again = await asked(daemon, attempt, "say Here.")
    assert again["status"] == "completed"
    assert output(await daemon.entries(again)) == ["Here."]


@pytest.mark.parametrize("executor", [AMP, CURSOR])
async def test_an_error_of_the_model_is_a_failure_that_one_can_read(
    daemon: Daemon, executor: str
) -> None:
    await use(daemon, executor)
    attempt = await daemon.attempt(
        await daemon.project(), "fail You have no credit left.", executor
    )
    ended = await daemon.over(attempt)
    assert (ended["status"], ended["exit_code"]) == ("failed", 1)
    assert "You have no credit left." in output(await daemon.entries(ended), "error_message")[0]


@pytest.mark.parametrize("executor", [AMP, CURSOR])
async def test_a_stop_interrupts_it_and_a_killed_daemon_finds_it_again(
    daemon: Daemon, executor: str
) -> None:
    await use(daemon, executor)
    attempt = await daemon.attempt(await daemon.project(), "wait", executor)
    process = await daemon.running(attempt)

    followed = FollowedLog(execution_process_id=process["id"])
    with trio.fail_after(TIMEOUT_S):
        async with (
            daemon.api() as client,
            client.follow(STREAM_NORMALIZED_LOGS, followed) as entries,
        ):
            while "I wait." not in (await anext(entries)).content:
                pass
    await daemon.kill()
    await daemon.start()
    assert (await daemon.running(attempt))["id"] == process["id"]
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")
    ended = await daemon.over(attempt)
    assert (ended["status"], ended["exit_code"]) == ("killed", 130)  # by itself, of SIGINT
    assert output(await daemon.entries(ended))[-1].endswith("I wait.")


async def test_the_cursor_agent_is_logged_in_by_its_setup_and_then_does_what_it_was_asked(
    daemon: Daemon,
) -> None:
    await use(daemon, CURSOR, NEEDS_LOGIN="yes")
    attempt = await daemon.attempt(await daemon.project(), "say Hello.", CURSOR)
    failed = await daemon.over(attempt)
    assert failed["status"] == "failed"
    [error] = of_type(await daemon.entries(failed), "error_message")[:1]
    assert error["entry_type"]["error_type"] == {"type": "setup_required"}
    path = f"/api/task-attempts/{attempt['id']}/run-agent-setup"
    with pytest.raises(Refused, match="setup_not_supported"):
        await daemon.ask("POST", path, {"executor_profile_id": {"executor": AMP}})
    await daemon.ask("POST", path, {"executor_profile_id": {"executor": CURSOR}})
    ended = await daemon.over(attempt)
    assert (ended["run_reason"], ended["status"]) == ("codingagent", "completed")
    assert output(await daemon.entries(ended))[-1].endswith("Hello.")
