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

from tests.end_to_end.claude_cli import Person, said
from tests.end_to_end.house import House, Refused
from tests.end_to_end.scripted_claude import told, use_scripted_claude


@pytest.fixture
async def scripted(house: House) -> AsyncIterator[House]:
    """A house in which CLAUDE_CODE is the scripted program."""
    await use_scripted_claude(house)
    yield house
    assert "Traceback" not in house.log()


async def steer(house: House, attempt: dict[str, Any], prompt: str, **more: Any) -> dict[str, Any]:
    body = {"prompt": prompt, "steer": True, **more}
    path = f"/api/task-attempts/{attempt['id']}/follow-up"
    return await house.ask("POST", path, body)  # type: ignore[no-any-return]


async def until_told(house: House, count: int) -> None:
    async def look() -> bool:
        return len(told(house)) == count

    await house.until(look, f"{count} messages")


async def test_it_is_taken_up_by_the_turn_that_runs(scripted: House) -> None:
    house = scripted
    await house.ask("POST", "/api/tags", {"tag_name": "poem", "content": "roses"})
    attempt = await house.attempt(await house.project(), "tool go", "CLAUDE_CODE")
    process = await house.running(attempt)
    assert (await steer(house, attempt, "say @poem"))["id"] == process["id"]
    await until_told(house, 2)
    (Path(attempt["container_ref"]) / "go").touch()
    ended = await house.over(attempt)
    assert (ended["id"], ended["status"]) == (process["id"], "completed")
    entries = await house.entries(ended)
    assert said(entries, "user_message")[1:] == ["say roses"]
    assert said(entries)[-1] == "heard say roses"
    assert [texts[-1] for texts in told(house)][1:] == ["say roses"]


async def test_two_that_come_too_late_for_the_turn_have_one_of_their_own(scripted: House) -> None:
    house = scripted
    attempt = await house.attempt(await house.project(), "wait go\nsay first", "CLAUDE_CODE")
    process = await house.running(attempt)
    for text in ("say second", "say third"):
        await steer(house, attempt, text)
    await until_told(house, 3)
    (Path(attempt["container_ref"]) / "go").touch()
    ended = await house.over(attempt)
    assert (ended["id"], ended["status"]) == (process["id"], "completed")
    assert said(await house.entries(ended))[-3:] == ["first", "second", "third"]


async def test_on_an_idle_attempt_it_is_a_follow_up(scripted: House) -> None:
    house = scripted
    attempt = await house.attempt(await house.project(), "say first", "CLAUDE_CODE")
    first = await house.over(attempt)
    second = await steer(house, attempt, "say second")
    assert second["id"] != first["id"]
    assert said(await house.entries(await house.over(attempt))) == ["second"]


async def test_what_cannot_be_said_is_refused_with_the_reason(scripted: House) -> None:
    house = scripted
    await house.use_fake_agent()
    project = await house.project()
    attempt = await house.attempt(project, "silent")
    await house.running(attempt)
    with pytest.raises(Refused, match="takes no messages while it works") as refused:
        await steer(house, attempt, "say hello")
    assert (refused.value.status, refused.value.body["error_data"]["field"]) == (422, "steer")
    await house.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")

    attempt = await house.attempt(project, "hang", "CLAUDE_CODE")
    process = await house.running(attempt)
    with pytest.raises(Refused, match="retry") as refused:
        await steer(house, attempt, "say hello", retry_process_id=process["id"])
    assert refused.value.status == 400
    with pytest.raises(Refused, match="variant") as refused:
        await steer(house, attempt, "say hello", variant="PLAN")
    assert refused.value.status == 422
    await house.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")


async def test_what_a_stop_left_unsaid_is_a_draft(scripted: House) -> None:
    house = scripted
    attempt = await house.attempt(await house.project(), "say first", "CLAUDE_CODE")
    await house.over(attempt)
    await steer(house, attempt, "hang")
    process = await house.running(attempt)
    # The daemon is dead when the wish has just been written, and a stop comes first afterwards.
    await house.kill()
    _write_down(house, process["id"], "say late", stop=True)
    await house.start()
    ended = await house.over(attempt)
    assert (ended["id"], ended["status"]) == (process["id"], "killed")
    draft = await house.ask("GET", f"/api/task-attempts/{attempt['id']}/draft")
    assert (draft["prompt"], draft["queued"]) == ("say late", False)
    assert "say late" not in [texts[-1] for texts in told(house)]


async def test_what_was_written_down_but_never_said_begins_the_next_run(scripted: House) -> None:
    house = scripted
    attempt = await house.attempt(await house.project(), "wait go\nsay first", "CLAUDE_CODE")
    process = await house.running(attempt)
    await until_told(house, 1)
    await house.kill()
    (Path(attempt["container_ref"]) / "go").touch()
    _write_down(house, process["id"], "say second", stop=False)
    exit_file = house.data / "executions" / process["id"] / "exit.json"
    run = json.loads(exit_file.with_name("run.json").read_text())
    os.kill(run["pid"], signal.SIGKILL)

    async def ended() -> bool:
        return exit_file.exists()

    await house.until(ended, "the end of the program")
    await house.start()
    last = await house.over(attempt)
    assert last["id"] != process["id"]
    assert said(await house.entries(last)) == ["second"]


async def test_each_message_arrives_once_however_often_the_daemon_is_killed(
    scripted: House,
) -> None:
    house = scripted
    attempt = await house.attempt(await house.project(), "wait go\nsay done", "CLAUDE_CODE")
    process = await house.running(attempt)
    sent = []
    chance = random.Random(7)
    for number in range(4):
        text = f"say number {number}"
        assert (await steer(house, attempt, text))["id"] == process["id"]
        sent.append(text)
        if chance.random() < 0.7:
            await house.kill()
            await house.start()
    (Path(attempt["container_ref"]) / "go").touch()
    ended = await house.over(attempt)
    assert (ended["id"], ended["status"]) == (process["id"], "completed")
    assert [texts[-1] for texts in told(house)][1:] == sent
    entries = await house.entries(ended)
    assert said(entries, "user_message")[1:] == sent


async def test_an_open_question_outlives_the_daemon_and_so_does_what_is_said_beside_it(
    scripted: House,
) -> None:
    house = scripted
    await use_scripted_claude(house, approvals=True)
    attempt = await house.attempt(await house.project(), "ask", "CLAUDE_CODE")
    process = await house.running(attempt)
    question = await house.question()
    await steer(house, attempt, "say more")
    await house.kill()
    await house.start()
    assert (await house.question())["id"] == question["id"]
    path = f"/api/approvals/{question['id']}/respond"
    await house.ask("POST", path, {"status": {"status": "approved"}})
    ended = await house.over(attempt)
    assert (ended["id"], ended["status"]) == (process["id"], "completed")
    assert said(await house.entries(ended)) == ["Do it", "allowed", "more"]


def _write_down(house: House, process_id: str, text: str, *, stop: bool) -> None:
    """What is on the disk when a daemon dies after the commit and before it tells anyone."""
    with closing(sqlite3.connect(house.data / "anyon.db")) as connection, connection:
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
    house = person.house
    attempt = await person.start("gate", "DEFAULT")
    process = await house.running(attempt)
    await person.sees(process, lambda e: e["content"] == "The first part, ")
    assert (await steer(house, attempt, "SCN=recall now"))["id"] == process["id"]
    await person.sees(process, lambda e: e["content"] == "SCN=recall now")
    person.gate.with_name("gate-1").touch()
    person.gate.with_name("gate-2").touch()
    ended = await house.over(attempt)
    assert (ended["id"], ended["status"]) == (process["id"], "completed")
    first = process["executor_action"]["typ"]["prompt"]
    spoken = said(await house.entries(ended))
    assert spoken == ["The first part, the second part, the third part.", f"You had said: {first}"]
