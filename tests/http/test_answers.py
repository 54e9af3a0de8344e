"""What comes back: the envelope around everything, the right status, and 304 for what is known."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import trio
from structlog.testing import capture_logs

from anyond.http.answer import envelope as wrapping
from anyond.model import errors
from anyond.model.ids import new_id
from anyond.model.refusals.git import HookRefused
from anyond.model.refusals.merging import MergeConflicts
from anyond.model.refusals.programs import ToolFailed
from anyond.model.refusals.requests import Impossible, Invalid
from anyond.model.refusals.runs import Busy
from anyond.model.rows import Approval, ApprovalStatus
from tests.support.http.front_door import Server, envelope

ID = new_id()


async def test_health_is_bare_and_enveloped(server: Server) -> None:
    assert (await server.get("/health")).json() == {"status": "ok"}
    assert envelope(await server.get("/api/health"))["data"] == {"status": "ok"}


MISSING = (
    ("GET", "/api/nothing", 404, "There is nothing at /api/nothing."),
    ("GET", "//api/projects", 404, "There is nothing at"),
    ("GET", f"/api/projects/{ID}", 404, f"There is no project {ID}."),
    ("GET", f"/api/tasks/{ID}", 404, f"There is no task {ID}."),
    ("GET", f"/api/tasks?project_id={ID}", 404, f"There is no project {ID}."),
    ("GET", f"/api/task-attempts?task_id={ID}", 404, f"There is no task {ID}."),
    ("GET", f"/api/task-attempts/{ID}", 404, "There is no "),
    ("GET", f"/api/execution-processes/{ID}", 404, "There is no "),
    ("GET", f"/api/execution-processes?task_attempt_id={ID}", 404, "There is no "),
    ("DELETE", f"/api/tasks/{ID}", 404, f"There is no task {ID}."),
    ("PATCH", "/api/projects", 405, "PATCH is not possible at /api/projects."),
    ("OPTIONS", "/api/projects", 405, "OPTIONS is not possible at /api/projects."),
    ("GET", f"/api/tasks/stream/ws?project_id={ID}", 426, "/api/tasks/stream/ws is a WebSocket"),
    ("GET", f"/api/execution-processes/{ID}/raw-logs/ws", 426, "/api/execution-processes/"),
)


async def test_what_is_not_there_is_refused_in_the_envelope(server: Server) -> None:
    for method, path, status, message in MISSING:
        answer = await server.client.request(method, path)
        displayed = envelope(answer)["message"][: len(message)]
        assert (path, answer.status_code, displayed) == (path, status, message)


async def test_a_refused_method_is_told_the_others(server: Server) -> None:
    answer = await server.client.patch("/api/projects")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


REFUSALS: tuple[tuple[Exception, int, dict[str, Any] | None], ...] = (
    (Invalid("f", "p"), 400, {"type": "invalid", "field": "f"}),
    (Busy("Busy."), 409, {"type": "busy", "message": "Busy."}),
    (
        MergeConflicts("merge", ["a\udc80"]),
        409,
        {
            "type": "merge_conflicts",
            "message": "Conflicts in a?",
            "op": "merge",
            "files": ["a?"],
        },
    ),
    (errors.TooLarge("Large."), 413, None),
    (Impossible("b", "no"), 422, {"type": "impossible", "field": "b"}),
    (ToolFailed("git", "Bad."), 502, {"type": "tool_failed", "tool": "git"}),
    (
        HookRefused("x", "the commit", "No."),
        409,
        {
            "type": "hook_refused",
            "message": "The repository's x hook refuses the commit: No.",
            "hook": "x",
        },
    ),
    (errors.ActorGone("Gone."), 503, None),
    (errors.TimedOut("Late."), 504, None),
    (
        ExceptionGroup("g", [ExceptionGroup("h", [Busy("Busy.")])]),
        409,
        {"type": "busy", "message": "Busy."},
    ),
)


async def test_every_refusal_has_its_status(server: Server) -> None:
    for error, status, data in REFUSALS:
        server.services.attempts.answer = error
        answer = await server.client.post(f"/api/task-attempts/{ID}/stop")
        assert (answer.status_code, envelope(answer)["error_data"]) == (status, data)


@pytest.mark.parametrize(
    "error",
    [
        KeyError("secret"),
        ExceptionGroup("g", [Busy("Busy."), KeyError("secret")]),
    ],
)
async def test_a_mistake_of_ours_is_500_with_a_number_to_find_it_by(
    server: Server, error: Exception
) -> None:
    server.services.attempts.answer = error
    with capture_logs() as logs:
        answer = await server.client.post(f"/api/task-attempts/{ID}/stop")
    message = envelope(answer)["message"]
    number = re.search(r"incident ([0-9a-f]{8})", message)
    assert answer.status_code == 500
    assert number is not None
    assert "secret" not in answer.text
    (entry,) = logs
    assert (entry["incident"], entry["exc_info"]) == (number[1], error)


async def test_a_client_that_leaves_cancels_its_request_quietly(server: Server) -> None:
    entered, left = trio.Event(), trio.Event()

    async def endless(id: str) -> None:
        entered.set()
        try:
            async with trio.open_nursery():
                await trio.sleep_forever()
        finally:
            left.set()

    server.services.attempts.stop = endless
    with capture_logs() as logs:
        stream = await server.raw(
            f"POST /api/task-attempts/{ID}/stop HTTP/1.1\nHost: localhost\n\n"
        )
        await entered.wait()
        await stream.aclose()
        with trio.fail_after(5):
            await left.wait()
        assert (await server.get("/health")).status_code == 200
    assert logs == []


async def test_what_the_client_holds_already_is_not_sent_again(server: Server) -> None:
    project = await server.project()
    for path in ("/api/projects", f"/api/projects/{project.id}", "/api/info"):
        first = await server.get(path)
        etag = first.headers["etag"]
        again = await server.get(path, if_none_match=f'"other", W/{etag}')
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert "content-length" not in again.headers
        assert (await server.get(path, if_none_match='"other"')).status_code == 200
    held = (await server.get("/api/projects")).headers["etag"]
    await server.project()
    assert (await server.get("/api/projects", if_none_match=held)).status_code == 200


async def test_projects_are_made_changed_listed_and_deleted(server: Server) -> None:
    body = {"name": "p", "git_repo_path": "/p", "use_existing_repo": True, "setup_script": "make"}
    made = envelope(await server.client.post("/api/projects", json=body))["data"]
    path = f"/api/projects/{made['id']}"
    changed = await server.client.put(path, json={"name": "q", "setup_script": ""})
    assert envelope(changed)["data"]["setup_script"] is None
    assert [p["name"] for p in envelope(await server.get("/api/projects"))["data"]] == ["q"]
    assert envelope(await server.client.delete(path))["data"] is None
    assert (await server.get(path)).status_code == 404


async def test_tasks_are_made_changed_listed_and_deleted(server: Server) -> None:
    project = await server.project()
    body = {"project_id": project.id.upper(), "title": "t", "description": None}
    made = envelope(await server.client.post("/api/tasks", json=body))["data"]
    path = f"/api/tasks/{made['id']}"
    changed = envelope(await server.client.put(path, json={"status": "done"}))["data"]
    assert (changed["title"], changed["status"]) == ("t", "done")
    listed = envelope(await server.get(f"/api/tasks?project_id={project.id}"))["data"]
    assert listed == [envelope(await server.get(path))["data"]]
    deleted = await server.client.delete(path)
    assert (deleted.status_code, envelope(deleted)["data"]) == (202, None)


async def test_images_and_parents_that_do_not_exist_are_not_found(server: Server) -> None:
    project = await server.project()
    task = await server.task(project.id)
    body = {"project_id": project.id, "title": "t"}
    for more, what in (
        ({"image_ids": [ID]}, "image"),
        ({"parent_task_attempt": ID}, "attempt"),
        ({"project_id": ID}, "project"),
    ):
        answer = await server.client.post("/api/tasks", json={**body, **more})
        assert (answer.status_code, what in envelope(answer)["message"]) == (404, True)
    answer = await server.client.put(f"/api/tasks/{task.id}", json={"parent_task_attempt": ID})
    assert answer.status_code == 404


async def test_an_answer_to_a_question_is_told_in_both_shapes(server: Server) -> None:
    server.services.attempts.answer = Approval(
        id=ID,
        execution_process_id=ID,
        task_attempt_id=ID,
        call="c",
        tool_name="Bash",
        tool_input={},
        status=ApprovalStatus.DENIED,
        reason="no",
        created_at="",
        timeout_at="",
    )
    body = {"status": {"status": "denied", "reason": "no"}, "execution_process_id": ID}
    answer = await server.client.post(f"/api/approvals/{ID}/respond", json=body)
    assert answer.json() == {
        "success": True,
        "data": {"status": "denied", "reason": "no"},
        "error_data": None,
        "message": None,
        "status": "denied",
    }
    assert envelope(await server.get("/api/approvals?status=pending"))["data"] == []


async def test_settings_are_read_and_changed(server: Server) -> None:
    info = envelope(await server.get("/api/info"))["data"]
    assert info["capabilities"] == {"DEMO": ["SESSION_FORK"]}
    assert info["availability"]["ACP"]["available"] is False
    assert info["analytics_user_id"] == server.services.settings.user_id
    assert set(info["environment"]) == {"os_type", "os_version", "os_architecture", "bitness"}
    assert all(info["environment"].values())
    changed = await server.client.put("/api/config", json={"github": {"pat": "x"}, "mine": [1]})
    config = envelope(changed)["data"]
    assert (config["github"]["pat"], config["mine"]) == ("********", [1])
    profiles = envelope(await server.get("/api/profiles"))["data"]
    assert json.loads(profiles["content"]) == {"executors": {}}


async def test_a_very_long_list_arrives_whole(server: Server) -> None:
    project = await server.project()
    for number in range(300):
        await server.task(project.id, f"{number} " + "x" * 900)
    answer = await server.get(f"/api/tasks?project_id={project.id}")
    assert len(envelope(answer)["data"]) == 300


def test_names_that_are_not_unicode_are_shown_as_far_as_they_can_be() -> None:
    assert wrapping.encode({"a\udcff": ["\udc80", 1, None]}) == b'{"a?":["?",1,null]}'
