"""The board and the inbox as clients see them, beside those that know nothing of either."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import trio
from trio_websocket import WebSocketConnection

from tests.support.daemon import TIMEOUT_S, Daemon

UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def next_frame(connection: WebSocketConnection) -> Any:
    with trio.fail_after(TIMEOUT_S):
        return json.loads(await connection.get_message())


async def until(connection: WebSocketConnection, done: Callable[[Any], bool]) -> Any:
    while True:
        frame = await next_frame(connection)
        if done(frame):
            return frame


async def test_many_tasks_are_changed_at_once_and_each_has_its_outcome(tmp_path: Path) -> None:
    async with Daemon(tmp_path) as daemon:
        project = await daemon.project()
        ids = [
            (
                await daemon.ask(
                    "POST", "/api/tasks", {"project_id": project["id"], "title": f"Task {n}"}
                )
            )["id"]
            for n in range(3)
        ]
        old = (await daemon.request("GET", f"/api/tasks?project_id={project['id']}")).content
        async with daemon.socket("/api/board/tasks/stream/ws") as board:
            snapshot = await next_frame(board)
            assert [row["id"] for row in snapshot["data"]] == ids[::-1]
            body = {
                "task_ids": [ids[0], UNKNOWN, ids[2], ids[0]],
                "place": {"archived": True, "add_labels": ["later"]},
            }
            first, unknown, third = await daemon.ask("POST", "/api/tasks/bulk", body)
            assert [one["task_id"] for one in (first, unknown, third)] == [ids[0], UNKNOWN, ids[2]]
            assert first["refusal"] is None
            assert first["task"]["labels"] == ["later"]
            assert (unknown["task"], unknown["refusal"]["status"]) == (None, 404)
            assert unknown["refusal"]["type"] == "not_found"
            frame = await next_frame(board)
            assert frame["type"] == "board_task_updated"
            assert frame["data"]["archived_at"]
        # Who knows nothing of the board gets the same bytes as before.
        answer = await daemon.request("GET", f"/api/tasks?project_id={project['id']}")
        assert answer.content == old
        listed = await daemon.ask("GET", "/api/board/tasks")
        assert [row["id"] for row in listed] == [ids[1]]
        await daemon.ask("PUT", f"/api/board/tasks/{ids[1]}", {"rank": "z", "priority": "high"})
        everything = await daemon.ask(
            "GET", f"/api/board/tasks?archived=true&project_id={project['id']}"
        )
        assert [row["id"] for row in everything] == [ids[2], ids[0], ids[1]]
        async with daemon.socket(f"/api/board/tasks/stream/ws?after={snapshot['seq']}") as board:
            told = [await next_frame(board) for _ in range(3)]
            assert {frame["data"]["id"] for frame in told} == set(ids)
        for bad in ({"rank": "a b"}, {"rank": "a\n"}, {"priority": "now"}, {"labels": [" "]}):
            refused = await daemon.request("PUT", f"/api/board/tasks/{ids[1]}", json=bad)
            assert refused.status_code == 400, bad


async def test_agents_are_started_and_stopped_for_many_tasks(tmp_path: Path) -> None:
    async with Daemon(tmp_path) as daemon:
        project = await daemon.project()
        new = {"project_id": project["id"], "title": "Task"}
        ids = [(await daemon.ask("POST", "/api/tasks", new))["id"] for _ in range(2)]
        start = {
            "executor_profile_id": {"executor": "DEMO"},
            "base_branch": "main",
        }
        started = await daemon.ask("POST", "/api/tasks/bulk", {"task_ids": ids, "start": start})
        assert [len(one["attempt_ids"]) for one in started] == [1, 1]
        wrong = {**start, "base_branch": "nowhere"}
        (refused,) = await daemon.ask(
            "POST", "/api/tasks/bulk", {"task_ids": ids[:1], "start": wrong}
        )
        assert (refused["refusal"]["status"], refused["attempt_ids"]) == (422, [])
        stop = {"task_ids": ids, "stop": True}
        stopped = await daemon.ask("POST", "/api/tasks/bulk", stop)
        assert [one["attempt_ids"] for one in stopped] == [one["attempt_ids"] for one in started]
        both = await daemon.request("POST", "/api/tasks/bulk", json={**stop, "start": start})
        assert both.status_code == 400
        again = await daemon.ask("POST", "/api/tasks/bulk", stop)
        assert [one["attempt_ids"] for one in again] == [[], []]


async def test_a_question_calls_a_person_and_a_result_until_it_is_seen(tmp_path: Path) -> None:
    async with Daemon(tmp_path) as daemon:
        daemon.environment["ANYON_DEMO_PACE"] = "0"
        await daemon.stop()
        await daemon.start()
        project = await daemon.project()
        async with (
            daemon.socket("/api/inbox/stream/ws") as inbox,
            daemon.socket("/api/board/tasks/stream/ws") as board,
        ):
            assert (await next_frame(inbox))["data"] == []
            attempt = await daemon.attempt(project, "Do it", "DEMO")
            asked = await until(inbox, lambda f: [i["kind"] for i in f["data"]] == ["question"])
            (item,) = asked["data"]
            assert item["attempt"]["id"] == item["approval"]["task_attempt_id"] == attempt["id"]
            task = await until(
                board,
                lambda f: f["type"] == "board_task_updated" and f["data"]["questions"] == 1,
            )
            assert task["data"]["unseen"]
            decided = {"status": {"status": "approved"}}
            await daemon.request(
                "POST", f"/api/approvals/{item['approval']['id']}/respond", json=decided
            )
            ended = await until(inbox, lambda f: [i["kind"] for i in f["data"]] == ["finished"])
            assert ended["data"] == await daemon.ask("GET", "/api/inbox")
            seen = await daemon.ask("PUT", f"/api/task-attempts/{attempt['id']}/seen", {})
            assert not seen["unseen"]
            assert (await next_frame(inbox))["data"] == []
            await until(
                board,
                lambda f: f["type"] == "board_task_updated" and not f["data"]["unseen"],
            )
        # It is kept, and is the same for every client.
        await daemon.kill()
        await daemon.start()
        assert await daemon.ask("GET", f"/api/task-attempts/{attempt['id']}/seen") == seen
        assert await daemon.ask("GET", "/api/inbox") == []
        events = await daemon.request("GET", f"/api/task-attempts/{UNKNOWN}/seen")
        assert events.status_code == 404
