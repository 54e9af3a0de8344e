"""Drafts: what is queued is sent once, when the agent is free, whatever happens in between."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trio

from anyond.api.drafts import STREAM_DRAFTS, FollowedDrafts
from anyond.model.http.frames import DraftUpdated
from tests.support.daemon import Daemon, Refused
from tests.support.http.uploads import upload


async def put(daemon: Daemon, attempt: dict[str, Any], query: str = "", **body: Any) -> Any:
    return await daemon.ask("PUT", f"/api/task-attempts/{attempt['id']}/draft{query}", body)


async def queue(daemon: Daemon, attempt: dict[str, Any], body: object = None) -> Any:
    return await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/draft/queue", body)


async def draft(daemon: Daemon, attempt: dict[str, Any], query: str = "") -> Any:
    return await daemon.ask("GET", f"/api/task-attempts/{attempt['id']}/draft{query}")


def prompts(rows: list[dict[str, Any]]) -> list[str]:
    return [row["executor_action"]["typ"].get("prompt", "") for row in rows]


async def allow(daemon: Daemon) -> None:
    question = await daemon.question()
    yes = {"status": {"status": "approved"}}
    await daemon.ask("POST", f"/api/approvals/{question['id']}/respond", yes)


async def test_a_draft_has_the_shape_of_the_reference_and_is_guarded_by_its_version(
    daemon: Daemon,
) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say hi")
    await daemon.over(attempt)
    empty = await draft(daemon, attempt)
    assert empty.keys() == {
        *("id", "task_attempt_id", "draft_type", "retry_process_id", "prompt", "queued"),
        *("sending", "variant", "image_ids", "version", "created_at", "updated_at"),
    }
    assert (empty["draft_type"], empty["version"], empty["prompt"]) == ("follow_up", 0, "")
    saved = await put(daemon, attempt, prompt="more", variant=None, image_ids=[], version=0)
    assert (saved["prompt"], saved["version"]) == ("more", 1)
    with pytest.raises(Refused) as refusal:
        await put(daemon, attempt, prompt="other", version=0)
    assert (refusal.value.status, refusal.value.type) == (409, "stale_draft")
    assert refusal.value.body["error_data"]["draft"]["prompt"] == "more"
    assert (await draft(daemon, attempt, "?type=retry"))["version"] == 0
    with pytest.raises(Refused) as refusal:
        await draft(daemon, attempt, "?type=other")
    assert refusal.value.status == 400
    await daemon.ask("DELETE", f"/api/task-attempts/{attempt['id']}/draft")
    assert (await draft(daemon, attempt))["version"] == 0
    with pytest.raises(Refused) as refusal:
        await queue(daemon, attempt)
    assert (refusal.value.status, refusal.value.type) == (409, "empty_draft")


async def test_on_an_idle_attempt_a_queued_draft_is_sent_at_once(daemon: Daemon) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say hi")
    await daemon.over(attempt)
    await put(daemon, attempt, prompt="recall\nwrite second.txt 2")
    displayed = await queue(daemon, attempt)
    assert (displayed["queued"], displayed["sending"]) == (True, True)
    rows = await daemon.processes(attempt)
    assert len(rows) == 2
    assert rows[1]["executor_action"]["typ"]["type"] == "CodingAgentFollowUpRequest"
    assert (await daemon.over(attempt))["id"] == rows[1]["id"]
    assert (Path(attempt["container_ref"]) / "second.txt").exists()
    after = await draft(daemon, attempt)
    assert (after["prompt"], after["queued"]) == ("", False)


async def test_while_the_agent_works_it_waits_and_can_be_taken_back(daemon: Daemon) -> None:
    project = await daemon.project(cleanup_script="true")
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "write one.txt 1\nask")
    await daemon.question()
    await put(daemon, attempt, prompt="say never")
    assert (await queue(daemon, attempt, {"queued": True}))["sending"] is False
    with pytest.raises(Refused) as refusal:
        await put(daemon, attempt, prompt="say other")
    assert refusal.value.type == "draft_queued"
    assert (await queue(daemon, attempt, {"queued": False}))["queued"] is False
    await put(daemon, attempt, prompt="say later")
    assert (await queue(daemon, attempt))["queued"] is True
    await allow(daemon)
    assert prompts([await daemon.over(attempt)]) == ["say later"]
    rows = await daemon.processes(attempt)
    assert [row["run_reason"] for row in rows] == ["codingagent", "cleanupscript", "codingagent"]


async def test_a_failed_run_does_not_hold_back_what_is_queued(daemon: Daemon) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "ask\nexit 3")
    await daemon.question()
    await put(daemon, attempt, prompt="say again")
    await queue(daemon, attempt)
    await allow(daemon)
    ended = await daemon.over(attempt)
    assert (prompts([ended]), ended["status"]) == (["say again"], "completed")
    assert [row["status"] for row in await daemon.processes(attempt)] == ["failed", "completed"]


async def test_a_stop_stops_and_leaves_the_text(daemon: Daemon) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "ask")
    process = await daemon.running(attempt)
    await daemon.question()
    await put(daemon, attempt, prompt="say never")
    await queue(daemon, attempt)
    await daemon.ask("POST", f"/api/execution-processes/{process['id']}/stop")
    assert (await daemon.over(attempt))["status"] == "killed"
    assert len(await daemon.processes(attempt)) == 1
    left = await draft(daemon, attempt)
    assert (left["prompt"], left["queued"]) == ("say never", False)


@pytest.mark.parametrize("way", ["follow-up", "queue", "stop", "crash"])
async def test_a_message_whose_setup_failed_is_a_draft_again(daemon: Daemon, way: str) -> None:
    broken = daemon.root / "broken"
    wait = "sleep 60; " if way in ("stop", "crash") else ""
    script = f"if test -e {broken}; then {wait}exit 7; fi"
    project = await daemon.project(setup_script=script, cleanup_script="true")
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say hi")
    await daemon.over(attempt)
    shutil.rmtree(attempt["container_ref"])
    broken.touch()
    await put(daemon, attempt, prompt="say later, at length" if way == "queue" else "say lat")
    if way == "queue":
        await queue(daemon, attempt)
    else:
        body = {"prompt": "say later, at length"}
        await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/follow-up", body)
    if way == "stop":
        await put(daemon, attempt, prompt="say this first")
        running = await daemon.running(attempt)
        await daemon.ask("POST", f"/api/execution-processes/{running['id']}/stop")
    if way == "crash":
        await daemon.running(attempt)
        await daemon.kill()
        daemon.sweep()
        await daemon.start()
    ended = await daemon.over(attempt)
    status = "killed" if way == "stop" else "failed"
    assert (ended["run_reason"], ended["status"]) == ("setupscript", status)
    left = await draft(daemon, attempt)
    before = "say this first\n\n" if way == "stop" else ""
    assert (left["prompt"], left["queued"]) == (f"{before}say later, at length", False)
    if before:
        return
    broken.unlink()
    shutil.rmtree(attempt["container_ref"])
    await queue(daemon, attempt)
    assert prompts([await daemon.over(attempt)]) == ["say later, at length"]


async def test_what_a_task_says_is_no_draft_when_the_first_setup_fails(daemon: Daemon) -> None:
    project = await daemon.project(setup_script="exit 7")
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say hi")
    assert (await daemon.over(attempt))["status"] == "failed"
    assert (await draft(daemon, attempt))["prompt"] == ""


async def test_an_agent_that_cannot_start_after_its_setup_gives_the_message_back(
    daemon: Daemon,
) -> None:
    project = await daemon.project(setup_script="true")
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say hi")
    await daemon.over(attempt)
    shutil.rmtree(attempt["container_ref"])
    await daemon.use_fake_agent(base_command_override=str(daemon.root / "nothing"))
    await put(daemon, attempt, prompt="say later")
    await queue(daemon, attempt)
    ended = await daemon.over(attempt)
    assert (ended["run_reason"], ended["status"]) == ("codingagent", "failed")
    left = await draft(daemon, attempt)
    assert (left["prompt"], left["queued"]) == ("say later", False)


async def test_a_follow_up_empties_the_draft_and_a_retry_the_draft_of_the_retry(
    daemon: Daemon,
) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say hi")
    first = await daemon.over(attempt)
    path = f"/api/task-attempts/{attempt['id']}/follow-up"
    await put(daemon, attempt, prompt="half a thou")
    await daemon.ask("POST", path, {"prompt": "say half a thought"})
    second = await daemon.over(attempt)
    assert (await draft(daemon, attempt))["prompt"] == ""
    await put(daemon, attempt, prompt="next")
    await put(daemon, attempt, "?type=retry", prompt="say anew", retry_process_id=second["id"])
    assert (await draft(daemon, attempt, "?type=retry"))["retry_process_id"] == second["id"]
    with pytest.raises(Refused) as refusal:
        await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/draft/queue?type=retry")
    assert refusal.value.status == 400
    await daemon.ask("POST", path, {"prompt": "say anew", "retry_process_id": second["id"]})
    await daemon.over(attempt)
    assert (await draft(daemon, attempt, "?type=retry"))["version"] == 0
    assert (await draft(daemon, attempt))["prompt"] == "next"
    assert first["id"] in [row["id"] for row in await daemon.processes(attempt)]


async def test_what_cannot_be_started_is_a_draft_again(daemon: Daemon) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say hi")
    await daemon.over(attempt)
    await put(daemon, attempt, prompt="say x", variant="NONE")
    with pytest.raises(Refused) as refusal:
        await queue(daemon, attempt)
    assert refusal.value.status == 422
    assert (await draft(daemon, attempt))["queued"] is False
    await put(daemon, attempt, variant=None)
    await daemon.use_fake_agent(base_command_override="/nowhere/agent")
    sends: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: queue(daemon, attempt),
        lambda: daemon.ask(
            "POST", f"/api/task-attempts/{attempt['id']}/follow-up", {"prompt": "say x"}
        ),
    )
    for send in sends:
        with pytest.raises(Refused) as refusal:
            await send()
        assert refusal.value.type == "program_missing"
        left = await draft(daemon, attempt)
        assert (left["prompt"], left["queued"]) == ("say x", False)


async def test_a_queued_draft_is_sent_once_although_the_daemon_is_killed(daemon: Daemon) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "ask\nsay one")
    await daemon.question()
    await put(daemon, attempt, prompt="write queued.txt q")
    await queue(daemon, attempt)
    await daemon.kill()
    await daemon.start()
    assert (await draft(daemon, attempt))["queued"] is True
    await allow(daemon)
    for _ in range(2):  # killed at some moment while one run ends and the next one begins
        await trio.sleep(random.uniform(0, 0.3))
        await daemon.kill()
        await daemon.start()
    await daemon.over(attempt)
    rows = await daemon.processes(attempt)
    assert prompts(rows)[1:] == ["write queued.txt q"]
    assert [row["status"] for row in rows] == ["completed", "completed"]
    assert (await draft(daemon, attempt))["prompt"] == ""


async def test_what_was_queued_and_not_yet_sent_is_sent_by_the_next_daemon(daemon: Daemon) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say hi")
    await daemon.over(attempt)
    await put(daemon, attempt, prompt="say it")
    await daemon.kill()
    with closing(sqlite3.connect(daemon.data / "anyon.db", isolation_level=None)) as database:
        database.execute("UPDATE drafts SET state = 'queued'")
    await daemon.start()

    async def sent() -> bool:
        return len(await daemon.processes(attempt)) == 2

    await daemon.until(sent, "the queued message")
    assert prompts([await daemon.over(attempt)]) == ["say it"]


async def test_images_of_a_draft_go_along_with_it(daemon: Daemon) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say hi")
    await daemon.over(attempt)
    image = await upload(daemon)
    with pytest.raises(Refused) as refusal:
        await put(daemon, attempt, prompt="say x", image_ids=[attempt["id"]])
    assert refusal.value.status == 404
    saved = await put(daemon, attempt, prompt="say look", image_ids=[image["id"]])
    assert saved["image_ids"] == [image["id"]]
    await queue(daemon, attempt)
    (prompt,) = prompts([await daemon.over(attempt)])
    assert prompt.startswith("say look")
    assert image["file_path"] in prompt
    assert (Path(attempt["container_ref"]) / image["file_path"]).exists()
    assert (await draft(daemon, attempt))["image_ids"] == []


async def test_many_clients_that_queue_at_once_send_one_message(daemon: Daemon) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say hi")
    await daemon.over(attempt)
    await put(daemon, attempt, prompt="say once")
    refused: list[str | None] = []

    async def press() -> None:
        try:
            await queue(daemon, attempt)
        except Refused as refusal:
            refused.append(refusal.type)

    async with trio.open_nursery() as nursery:
        for _ in range(8):
            nursery.start_soon(press)
    await daemon.over(attempt)
    assert prompts(await daemon.processes(attempt))[1:] == ["say once"]
    assert set(refused) <= {"empty_draft"}


async def test_drafts_can_be_followed(daemon: Daemon) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say hi")
    await daemon.over(attempt)
    await put(daemon, attempt, prompt="say it")
    followed = FollowedDrafts(project_id=project["id"])
    async with daemon.api() as client, client.follow(STREAM_DRAFTS, followed) as frames:
        assert [one.prompt for one in (await anext(frames)).data] == ["say it"]
        await queue(daemon, attempt)
        seen = [await anext(frames) for _ in range(3)]
    assert [type(frame) for frame in seen] == [DraftUpdated] * 3
    states = [(f.data.queued, f.data.sending, f.data.prompt) for f in seen]
    assert states == [(True, False, "say it"), (True, True, "say it"), (False, False, "")]
