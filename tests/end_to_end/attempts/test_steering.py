"""A message to an agent that is at work: it arrives once, in the turn that runs, come what may."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon, Refused
from tests.support.daemons.scripted_claude import reported, use_scripted_claude
from tests.support.real_agents.claude_cli import Person, printed


@pytest.fixture
async def scripted(daemon: Daemon) -> AsyncIterator[Daemon]:
    """A daemon in which CLAUDE_CODE is the scripted program."""
    await use_scripted_claude(daemon)
    yield daemon
    assert "Traceback" not in daemon.log()


async def steer(
    daemon: Daemon, attempt: dict[str, Any], prompt: str, **more: Any
) -> dict[str, Any]:
    body = {"prompt": prompt, "steer": True, **more}
    path = f"/api/task-attempts/{attempt['id']}/follow-up"
    return await daemon.ask("POST", path, body)  # type: ignore[no-any-return]


async def until_reported(daemon: Daemon, count: int) -> None:
    async def look() -> bool:
        return len(reported(daemon)) == count

    await daemon.until(look, f"{count} messages")


async def test_it_is_taken_up_by_the_turn_that_runs(scripted: Daemon) -> None:
    daemon = scripted
    await daemon.ask("POST", "/api/tags", {"tag_name": "poem", "content": "roses"})
    attempt = await daemon.attempt(await daemon.project(), "tool go", "CLAUDE_CODE")
    process = await daemon.running(attempt)
    assert (await steer(daemon, attempt, "say @poem"))["id"] == process["id"]
    await until_reported(daemon, 2)
    (Path(attempt["container_ref"]) / "go").touch()
    ended = await daemon.over(attempt)
    assert (ended["id"], ended["status"]) == (process["id"], "completed")
    entries = await daemon.entries(ended)
    assert printed(entries, "user_message")[1:] == ["say roses"]
    assert printed(entries)[-1] == "heard say roses"
    assert [texts[-1] for texts in reported(daemon)][1:] == ["say roses"]


async def test_two_that_come_too_late_for_the_turn_have_one_of_their_own(scripted: Daemon) -> None:
    daemon = scripted
    attempt = await daemon.attempt(await daemon.project(), "wait go\nsay first", "CLAUDE_CODE")
    process = await daemon.running(attempt)
    for text in ("say second", "say third"):
        await steer(daemon, attempt, text)
    await until_reported(daemon, 3)
    (Path(attempt["container_ref"]) / "go").touch()
    ended = await daemon.over(attempt)
    assert (ended["id"], ended["status"]) == (process["id"], "completed")
    assert printed(await daemon.entries(ended))[-3:] == ["first", "second", "third"]


async def test_on_an_idle_attempt_it_is_a_follow_up(scripted: Daemon) -> None:
    daemon = scripted
    attempt = await daemon.attempt(await daemon.project(), "say first", "CLAUDE_CODE")
    first = await daemon.over(attempt)
    second = await steer(daemon, attempt, "say second")
    assert second["id"] != first["id"]
    assert printed(await daemon.entries(await daemon.over(attempt))) == ["second"]


async def test_what_cannot_be_said_is_refused_with_the_reason(scripted: Daemon) -> None:
    daemon = scripted
    await daemon.use_fake_agent()
    project = await daemon.project()
    attempt = await daemon.attempt(project, "silent")
    await daemon.running(attempt)
    with pytest.raises(Refused, match="takes no messages while it works") as refused:
        await steer(daemon, attempt, "say hello")
    assert (refused.value.status, refused.value.body["error_data"]["field"]) == (422, "steer")
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")

    attempt = await daemon.attempt(project, "hang", "CLAUDE_CODE")
    process = await daemon.running(attempt)
    with pytest.raises(Refused, match="retry") as refused:
        await steer(daemon, attempt, "say hello", retry_process_id=process["id"])
    assert refused.value.status == 400
    with pytest.raises(Refused, match="variant") as refused:
        await steer(daemon, attempt, "say hello", variant="PLAN")
    assert refused.value.status == 422
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")


async def test_what_a_stop_left_unsaid_is_a_draft(scripted: Daemon) -> None:
    daemon = scripted
    attempt = await daemon.attempt(await daemon.project(), "say first", "CLAUDE_CODE")
    await daemon.over(attempt)
    await steer(daemon, attempt, "hang")
    process = await daemon.running(attempt)
    # The daemon is dead when the wish has just been written, and a stop comes first afterwards.
    await daemon.kill()
    _write_down(daemon, process["id"], "say late", stop=True)
    await daemon.start()
    ended = await daemon.over(attempt)
    assert (ended["id"], ended["status"]) == (process["id"], "killed")
    draft = await daemon.ask("GET", f"/api/task-attempts/{attempt['id']}/draft")
    assert (draft["prompt"], draft["queued"]) == ("say late", False)
    assert "say late" not in [texts[-1] for texts in reported(daemon)]


async def test_what_was_written_down_but_never_said_begins_the_next_run(scripted: Daemon) -> None:
    daemon = scripted
    attempt = await daemon.attempt(await daemon.project(), "wait go\nsay first", "CLAUDE_CODE")
    process = await daemon.running(attempt)
    await until_reported(daemon, 1)
    await daemon.kill()
    (Path(attempt["container_ref"]) / "go").touch()
    _write_down(daemon, process["id"], "say second", stop=False)
    exit_file = daemon.data / "executions" / str(process["id"]) / "exit.json"
    run = json.loads(exit_file.with_name("run.json").read_text())
    os.kill(run["pid"], signal.SIGKILL)

    async def ended() -> bool:
        return exit_file.exists()

    await daemon.until(ended, "the end of the program")
    await daemon.start()
    last = await daemon.over(attempt)
    assert last["id"] != process["id"]
    assert printed(await daemon.entries(last)) == ["second"]


async def test_each_message_arrives_once_however_often_the_daemon_is_killed(
    scripted: Daemon,
) -> None:
    daemon = scripted
    attempt = await daemon.attempt(await daemon.project(), "wait go\nsay done", "CLAUDE_CODE")
    process = await daemon.running(attempt)
    sent = []
    chance = random.Random(7)
    for number in range(4):
        text = f"say number {number}"
        assert (await steer(daemon, attempt, text))["id"] == process["id"]
        sent.append(text)
        if chance.random() < 0.7:
            await daemon.kill()
            await daemon.start()
    (Path(attempt["container_ref"]) / "go").touch()
    ended = await daemon.over(attempt)
    assert (ended["id"], ended["status"]) == (process["id"], "completed")
    assert [texts[-1] for texts in reported(daemon)][1:] == sent
    entries = await daemon.entries(ended)
    assert printed(entries, "user_message")[1:] == sent


async def test_an_open_question_outlives_the_daemon_and_so_does_what_is_said_beside_it(
    scripted: Daemon,
) -> None:
    daemon = scripted
    await use_scripted_claude(daemon, approvals=True)
    attempt = await daemon.attempt(await daemon.project(), "ask", "CLAUDE_CODE")
    process = await daemon.running(attempt)
    question = await daemon.question()
    await steer(daemon, attempt, "say more")
    await daemon.kill()
    await daemon.start()
    assert (await daemon.question())["id"] == question["id"]
    path = f"/api/approvals/{question['id']}/respond"
    await daemon.ask("POST", path, {"status": {"status": "approved"}})
    ended = await daemon.over(attempt)
    assert (ended["id"], ended["status"]) == (process["id"], "completed")
    assert printed(await daemon.entries(ended)) == ["Do it", "allowed", "more"]


def _write_down(daemon: Daemon, process_id: str, text: str, *, stop: bool) -> None:
    """What is on the disk when a daemon dies after the commit and before it tells anyone."""
    with closing(sqlite3.connect(daemon.data / "anyon.db")) as connection, connection:
        where = "WHERE execution_process_id = ?"
        query = f"SELECT turn FROM executor_sessions {where}"
        turn = json.loads(connection.execute(query, (process_id,)).fetchone()[0])
        turn["said"] = [*turn.get("said", []), {"prompt": text, "told": text}]
        connection.execute(
            f"UPDATE executor_sessions SET turn = ? {where}", (json.dumps(turn), process_id)
        )
        if stop:
            connection.execute(
                "UPDATE execution_processes SET stop_reason = 'a test' WHERE id = ?", (process_id,)
            )


@pytest.mark.agents
async def test_the_real_program_takes_it_up_with_a_result_or_in_a_turn_of_its_own(
    person: Person,
) -> None:
    daemon = person.daemon
    attempt = await person.start("gate", "DEFAULT")
    process = await daemon.running(attempt)
    await person.sees(process, lambda e: e["content"] == "The first part, ")
    assert (await steer(daemon, attempt, "SCN=recall now"))["id"] == process["id"]
    await person.sees(process, lambda e: e["content"] == "SCN=recall now")
    person.gate.with_name("gate-1").touch()
    person.gate.with_name("gate-2").touch()
    ended = await daemon.over(attempt)
    assert (ended["id"], ended["status"]) == (process["id"], "completed")
    first = process["executor_action"]["typ"]["prompt"]
    written = printed(await daemon.entries(ended))
    assert written == ["The first part, the second part, the third part.", f"You had said: {first}"]
