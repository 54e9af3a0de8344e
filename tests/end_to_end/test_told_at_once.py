"""Agents that are told everything at once, in the whole daemon, as scripted programs."""

from __future__ import annotations

import shlex
import shutil
import sys
from typing import Any

import pytest
import trio

from anyond.agents.recollection import RETOLD
from tests.end_to_end.house import PATIENCE, ROOT, House, Refused

SUCCESS = {"status": "success"}
AMP, CURSOR = "AMP", "CURSOR_AGENT"
PROGRAMS = {AMP: "amp_agent.py", CURSOR: "cursor_agent.py"}
ALL = {AMP: {"dangerously_allow_all": True}, CURSOR: {"force": True}}


async def use(house: House, executor: str, **env: str) -> None:
    """From now on, that executor is the scripted program."""
    program = ROOT / "tests" / "fakes" / PROGRAMS[executor]
    given = {"FAKE_STATE": str(house.root / "fake-state"), **env}
    settings = [f"{name}={value}" for name, value in given.items()]
    command = shlex.join(["env", *settings, sys.executable, str(program)])
    variant = {**ALL[executor], "base_command_override": command}
    body = {"executors": {executor: {"DEFAULT": {executor: variant}}}}
    await house.ask("PUT", "/api/profiles", body)


async def asked(house: House, attempt: dict[str, Any], prompt: str) -> dict[str, Any]:
    path = f"/api/task-attempts/{attempt['id']}/follow-up"
    await house.ask("POST", path, {"prompt": prompt})
    return await house.over(attempt)


def of_type(entries: list[dict[str, Any]], kind: str) -> list[Any]:
    return [entry for entry in entries if entry["entry_type"]["type"] == kind]


def said(entries: list[dict[str, Any]], kind: str = "assistant_message") -> list[str]:
    return [entry["content"] for entry in of_type(entries, kind)]


@pytest.mark.parametrize("executor", [AMP, CURSOR])
async def test_a_run_a_follow_up_in_its_session_and_one_that_has_lost_it(
    house: House, executor: str
) -> None:
    await use(house, executor)
    project = await house.project()
    prompt = "write new.txt hello\nrun cat new.txt\nrun exit 3\nsay All done."
    attempt = await house.attempt(project, prompt, executor)
    ended = await house.over(attempt)
    assert (ended["status"], ended["exit_code"]) == ("completed", 0)
    entries = await house.entries(ended)
    assert prompt in said(entries, "user_message")[0]
    assert said(entries)[-1] == "All done."
    tools = [entry["entry_type"] for entry in of_type(entries, "tool_use")]
    assert [tool["status"]["status"] for tool in tools] == ["success", "success", "failed"]
    changes = [{"action": "write", "content": "hello\n"}]
    assert tools[0]["action_type"] == {"action": "file_edit", "path": "new.txt", "changes": changes}
    code = {"type": "exit_code", "code": 0}
    assert tools[1]["action_type"]["result"] == {"exit_status": code, "output": "hello\n"}
    assert tools[2]["action_type"]["result"]["exit_status"]["code"] == 3
    [usage] = of_type(entries, "token_usage")
    assert usage["entry_type"]["cache_read_tokens"] > 0
    tree = house.git(house.root / "project", "ls-tree", "--name-only", attempt["branch"])
    assert "new.txt" in tree.split()

    second = await asked(house, attempt, "recall")
    assert second["status"] == "completed"
    entries = await house.entries(second)
    assert said(entries, "user_message") == ["recall"]
    assert "say All done." in said(entries)[0]
    assert len(said(entries)) == 1  # what was said before is not told again

    shutil.rmtree(house.root / "fake-state")
    (house.root / "fake-state").mkdir()
    ended = await asked(house, attempt, "say Where am I?")
    assert ended["status"] == "completed"
    entries = await house.entries(ended)
    if executor == AMP:
        lost = (await house.processes(attempt))[-2]
        assert lost["status"] == "failed"
        assert "not found" in said(await house.entries(lost), "error_message")[0]
        assert said(entries, "user_message") == ["say Where am I?"]
        assert RETOLD in said(entries, "system_message")
    else:
        assert "could not be resumed" in said(entries, "system_message")[0]
    again = await asked(house, attempt, "say Here.")
    assert again["status"] == "completed"
    assert said(await house.entries(again)) == ["Here."]


@pytest.mark.parametrize("executor", [AMP, CURSOR])
async def test_an_error_of_the_model_is_a_failure_that_one_can_read(
    house: House, executor: str
) -> None:
    await use(house, executor)
    attempt = await house.attempt(await house.project(), "fail You have no credit left.", executor)
    ended = await house.over(attempt)
    assert (ended["status"], ended["exit_code"]) == ("failed", 1)
    assert "You have no credit left." in said(await house.entries(ended), "error_message")[0]


@pytest.mark.parametrize("executor", [AMP, CURSOR])
async def test_a_stop_interrupts_it_and_a_killed_daemon_finds_it_again(
    house: House, executor: str
) -> None:
    await use(house, executor)
    attempt = await house.attempt(await house.project(), "wait", executor)
    process = await house.running(attempt)

    path = f"/api/execution-processes/{process['id']}/normalized-logs/ws"
    with trio.fail_after(PATIENCE):
        async with house.socket(path) as frames:
            while "I wait." not in await frames.get_message():
                pass
    await house.kill()
    await house.start()
    assert (await house.running(attempt))["id"] == process["id"]
    await house.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")
    ended = await house.over(attempt)
    assert (ended["status"], ended["exit_code"]) == ("killed", 130)  # by itself, of SIGINT
    assert said(await house.entries(ended))[-1].endswith("I wait.")


async def test_the_cursor_agent_is_logged_in_by_its_setup_and_then_does_what_it_was_asked(
    house: House,
) -> None:
    await use(house, CURSOR, NEEDS_LOGIN="yes")
    attempt = await house.attempt(await house.project(), "say Hello.", CURSOR)
    failed = await house.over(attempt)
    assert failed["status"] == "failed"
    [error] = of_type(await house.entries(failed), "error_message")[:1]
    assert error["entry_type"]["error_type"] == {"type": "setup_required"}
    path = f"/api/task-attempts/{attempt['id']}/run-agent-setup"
    with pytest.raises(Refused, match="setup_not_supported"):
        await house.ask("POST", path, {"executor_profile_id": {"executor": AMP}})
    await house.ask("POST", path, {"executor_profile_id": {"executor": CURSOR}})
    ended = await house.over(attempt)
    assert (ended["run_reason"], ended["status"]) == ("codingagent", "completed")
    assert said(await house.entries(ended))[-1].endswith("Hello.")
