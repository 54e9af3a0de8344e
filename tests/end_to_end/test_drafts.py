"""Drafts: what is queued is sent once, when the agent is free, whatever happens in between."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.end_to_end.house import House, Refused
from tests.end_to_end.test_files import upload


async def put(house: House, attempt: dict[str, Any], query: str = "", **body: Any) -> Any:
    return await house.ask("PUT", f"/api/task-attempts/{attempt['id']}/draft{query}", body)


async def queue(house: House, attempt: dict[str, Any], body: object = None) -> Any:
    return await house.ask("POST", f"/api/task-attempts/{attempt['id']}/draft/queue", body)


async def draft(house: House, attempt: dict[str, Any], query: str = "") -> Any:
    return await house.ask("GET", f"/api/task-attempts/{attempt['id']}/draft{query}")


def prompts(rows: list[dict[str, Any]]) -> list[str]:
    return [row["executor_action"]["typ"].get("prompt", "") for row in rows]


async def allow(house: House) -> None:
    question = await house.question()
    yes = {"status": {"status": "approved"}}
    await house.ask("POST", f"/api/approvals/{question['id']}/respond", yes)


async def test_a_draft_has_the_shape_of_the_reference_and_is_guarded_by_its_version(
    house: House,
) -> None:
    project = await house.project()
    await house.use_fake_agent()
    attempt = await house.attempt(project, "say hi")
    await house.over(attempt)
    empty = await draft(house, attempt)
    assert empty.keys() == {
        *("id", "task_attempt_id", "draft_type", "retry_process_id", "prompt", "queued"),
        *("sending", "variant", "image_ids", "version", "created_at", "updated_at"),
    }
    assert (empty["draft_type"], empty["version"], empty["prompt"]) == ("follow_up", 0, "")
    saved = await put(house, attempt, prompt="more", variant=None, image_ids=[], version=0)
    assert (saved["prompt"], saved["version"]) == ("more", 1)
    with pytest.raises(Refused) as refusal:
        await put(house, attempt, prompt="other", version=0)
    assert (refusal.value.status, refusal.value.type) == (409, "stale_draft")
    assert refusal.value.body["error_data"]["draft"]["prompt"] == "more"
    assert (await draft(house, attempt, "?type=retry"))["version"] == 0
    with pytest.raises(Refused) as refusal:
        await draft(house, attempt, "?type=other")
    assert refusal.value.status == 400
    await house.ask("DELETE", f"/api/task-attempts/{attempt['id']}/draft")
    assert (await draft(house, attempt))["version"] == 0
    with pytest.raises(Refused) as refusal:
        await queue(house, attempt)
    assert (refusal.value.status, refusal.value.type) == (409, "empty_draft")


async def test_on_an_idle_attempt_a_queued_draft_is_sent_at_once(house: House) -> None:
    project = await house.project()
    await house.use_fake_agent()
    attempt = await house.attempt(project, "say hi")
    await house.over(attempt)
    await put(house, attempt, prompt="recall\nwrite second.txt 2")
    shown = await queue(house, attempt)
    assert (shown["queued"], shown["sending"]) == (True, True)
    rows = await house.processes(attempt)
    assert len(rows) == 2
    assert rows[1]["executor_action"]["typ"]["type"] == "CodingAgentFollowUpRequest"
    assert (await house.over(attempt))["id"] == rows[1]["id"]
    assert (Path(attempt["container_ref"]) / "second.txt").exists()
    after = await draft(house, attempt)
    assert (after["prompt"], after["queued"]) == ("", False)


async def test_while_the_agent_works_it_waits_and_can_be_taken_back(house: House) -> None:
    project = await house.project(cleanup_script="true")
    await house.use_fake_agent()
    attempt = await house.attempt(project, "write one.txt 1\nask")
    await house.question()
    await put(house, attempt, prompt="say never")
    assert (await queue(house, attempt, {"queued": True}))["sending"] is False
    with pytest.raises(Refused) as refusal:
        await put(house, attempt, prompt="say other")
    assert refusal.value.type == "draft_queued"
    assert (await queue(house, attempt, {"queued": False}))["queued"] is False
    await put(house, attempt, prompt="say later")
    assert (await queue(house, attempt))["queued"] is True
    await allow(house)
    assert prompts([await house.over(attempt)]) == ["say later"]
    rows = await house.processes(attempt)
    assert [row["run_reason"] for row in rows] == ["codingagent", "cleanupscript", "codingagent"]


async def test_a_failed_run_does_not_hold_back_what_is_queued(house: House) -> None:
    project = await house.project()
    await house.use_fake_agent()
    attempt = await house.attempt(project, "ask\nexit 3")
    await house.question()
    await put(house, attempt, prompt="say again")
    await queue(house, attempt)
    await allow(house)
    ended = await house.over(attempt)
    assert (prompts([ended]), ended["status"]) == (["say again"], "completed")
    assert [row["status"] for row in await house.processes(attempt)] == ["failed", "completed"]


async def test_a_stop_stops_and_leaves_the_text(house: House) -> None:
    project = await house.project()
    await house.use_fake_agent()
    attempt = await house.attempt(project, "ask")
    process = await house.running(attempt)
    await house.question()
    await put(house, attempt, prompt="say never")
    await queue(house, attempt)
    await house.ask("POST", f"/api/execution-processes/{process['id']}/stop")
    assert (await house.over(attempt))["status"] == "killed"
    assert len(await house.processes(attempt)) == 1
    left = await draft(house, attempt)
    assert (left["prompt"], left["queued"]) == ("say never", False)


async def test_a_follow_up_empties_the_draft_and_a_retry_the_draft_of_the_retry(
    house: House,
) -> None:
    project = await house.project()
    await house.use_fake_agent()
    attempt = await house.attempt(project, "say hi")
    first = await house.over(attempt)
    path = f"/api/task-attempts/{attempt['id']}/follow-up"
    await put(house, attempt, prompt="half a thou")
    await house.ask("POST", path, {"prompt": "say half a thought"})
    second = await house.over(attempt)
    assert (await draft(house, attempt))["prompt"] == ""
    await put(house, attempt, prompt="next")
    await put(house, attempt, "?type=retry", prompt="say anew", retry_process_id=second["id"])
    assert (await draft(house, attempt, "?type=retry"))["retry_process_id"] == second["id"]
    with pytest.raises(Refused) as refusal:
        await house.ask("POST", f"/api/task-attempts/{attempt['id']}/draft/queue?type=retry")
    assert refusal.value.status == 400
    await house.ask("POST", path, {"prompt": "say anew", "retry_process_id": second["id"]})
    await house.over(attempt)
    assert (await draft(house, attempt, "?type=retry"))["version"] == 0
    assert (await draft(house, attempt))["prompt"] == "next"
    assert first["id"] in [row["id"] for row in await house.processes(attempt)]


async def test_what_cannot_be_started_is_a_draft_again(house: House) -> None:
    project = await house.project()
    await house.use_fake_agent()
    attempt = await house.attempt(project, "say hi")
    await house.over(attempt)
    await put(house, attempt, prompt="say x", variant="NONE")
    with pytest.raises(Refused) as refusal:
        await queue(house, attempt)
    assert refusal.value.status == 422
    assert (await draft(house, attempt))["queued"] is False
    await put(house, attempt, variant=None)
    await house.use_fake_agent(base_command_override="/nowhere/agent")
    for send in (
        lambda: queue(house, attempt),
        lambda: house.ask(
            "POST", f"/api/task-attempts/{attempt['id']}/follow-up", {"prompt": "say x"}
        ),
    ):
        with pytest.raises(Refused) as refusal:
            await send()
        assert refusal.value.type == "program_missing"
        left = await draft(house, attempt)
        assert (left["prompt"], left["queued"]) == ("say x", False)


async def test_a_queued_draft_is_sent_once_although_the_daemon_is_killed(house: House) -> None:
    project = await house.project()
    await house.use_fake_agent()
    attempt = await house.attempt(project, "ask\nsay one")
    await house.question()
    await put(house, attempt, prompt="write queued.txt q")
    await queue(house, attempt)
    await house.kill()
    await house.start()
    assert (await draft(house, attempt))["queued"] is True
    await allow(house)
    for _ in range(2):  # killed at some moment while one run ends and the next one begins
        await trio.sleep(random.uniform(0, 0.3))
        await house.kill()
        await house.start()
    await house.over(attempt)
    rows = await house.processes(attempt)
    assert prompts(rows)[1:] == ["write queued.txt q"]
    assert [row["status"] for row in rows] == ["completed", "completed"]
    assert (await draft(house, attempt))["prompt"] == ""


async def test_what_was_queued_and_not_yet_sent_is_sent_by_the_next_daemon(house: House) -> None:
    project = await house.project()
    await house.use_fake_agent()
    attempt = await house.attempt(project, "say hi")
    await house.over(attempt)
    await put(house, attempt, prompt="say it")
    await house.kill()
    with closing(sqlite3.connect(house.data / "anyon.db", isolation_level=None)) as database:
        database.execute("UPDATE drafts SET state = 'queued'")
    await house.start()

    async def sent() -> bool:
        return len(await house.processes(attempt)) == 2

    await house.until(sent, "the queued message")
    assert prompts([await house.over(attempt)]) == ["say it"]


async def test_images_of_a_draft_go_along_with_it(house: House) -> None:
    project = await house.project()
    await house.use_fake_agent()
    attempt = await house.attempt(project, "say hi")
    await house.over(attempt)
    image = await upload(house)
    with pytest.raises(Refused) as refusal:
        await put(house, attempt, prompt="say x", image_ids=[attempt["id"]])
    assert refusal.value.status == 404
    saved = await put(house, attempt, prompt="say look", image_ids=[image["id"]])
    assert saved["image_ids"] == [image["id"]]
    await queue(house, attempt)
    (prompt,) = prompts([await house.over(attempt)])
    assert prompt.startswith("say look")
    assert image["file_path"] in prompt
    assert (Path(attempt["container_ref"]) / image["file_path"]).exists()
    assert (await draft(house, attempt))["image_ids"] == []


async def test_many_clients_that_queue_at_once_send_one_message(house: House) -> None:
    project = await house.project()
    await house.use_fake_agent()
    attempt = await house.attempt(project, "say hi")
    await house.over(attempt)
    await put(house, attempt, prompt="say once")
    refused: list[str | None] = []

    async def press() -> None:
        try:
            await queue(house, attempt)
        except Refused as refusal:
            refused.append(refusal.type)

    async with trio.open_nursery() as nursery:
        for _ in range(8):
            nursery.start_soon(press)
    await house.over(attempt)
    assert prompts(await house.processes(attempt))[1:] == ["say once"]
    assert set(refused) <= {"empty_draft"}


async def test_drafts_can_be_followed(house: House) -> None:
    project = await house.project()
    await house.use_fake_agent()
    attempt = await house.attempt(project, "say hi")
    await house.over(attempt)
    await put(house, attempt, prompt="say it")
    async with house.socket(f"/api/drafts/stream/ws?project_id={project['id']}") as socket:
        snapshot = json.loads(await socket.get_message())
        assert [d["prompt"] for d in snapshot["data"]] == ["say it"]
        await queue(house, attempt)
        seen = [json.loads(await socket.get_message()) for _ in range(3)]
    assert [frame["type"] for frame in seen] == ["draft_updated"] * 3
    states = [(f["data"]["queued"], f["data"]["sending"], f["data"]["prompt"]) for f in seen]
    assert states == [(True, False, "say it"), (True, True, "say it"), (False, False, "")]
