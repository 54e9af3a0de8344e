"""How requests are read, and that a refusal names the field and says what is wrong with it."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from anyond.api.declaration.checks import identity
from anyond.http.request import decode
from anyond.http.request.params import position
from anyond.model.http.bodies import MergeStrategy, NewTask
from anyond.model.ids import new_id
from anyond.model.refusals.requests import Invalid
from tests.support.http.front_door import Server, envelope

ID = "3F2B8C1E-5d6a-4e7f-8a9b-0c1d2e3f4a5b"
TASK = {"project_id": ID, "title": "t"}
START = {"task": TASK, "executor_profile_id": {"executor": "DEMO"}, "base_branch": "main"}


def without(body: dict[str, Any], path: str, *value: Any) -> bytes:
    """`body` as JSON with the value at the dotted `path` replaced, or removed."""
    changed = json.loads(json.dumps(body))
    *parents, last = path.split(".")
    place = changed
    for parent in parents:
        place = place[parent]
    place.pop(last, None)
    if value:
        place[last] = value[0]
    return json.dumps(changed).encode()


MALFORMED = (
    ("POST", "/api/tasks", b"", "body: is empty; a JSON object is needed"),
    ("POST", "/api/tasks", b"{", "body: is not valid JSON: it ends too early"),
    (
        "POST",
        "/api/tasks",
        '{"title": "Grüße",\n "ü": NaN}'.encode(),
        "body: is not valid JSON: invalid character in line 2, column 7",
    ),
    (
        "POST",
        "/api/tasks",
        b"{'title': 1}",
        "body: is not valid JSON: object keys must be strings in line 1, column 2",
    ),
    ("POST", "/api/tasks", b"[]", "body: must be an object, not a list"),
    ("POST", "/api/tasks", b"null", "body: must be an object, not null"),
    ("POST", "/api/tasks", b'{"title":"\xff"}', "body: is not valid UTF-8"),
    ("POST", "/api/tasks", b"[" * 100_000, "body: must be an object, not a list"),
    ("POST", "/api/tasks", b'{"x":' + b"[" * 100_000, "body: is nested too deeply"),
    ("POST", "/api/tasks", without(TASK, "title"), "title: is missing"),
    ("POST", "/api/tasks", without(TASK, "title", 1), "title: must be text, not a whole number"),
    ("POST", "/api/tasks", without(TASK, "title", None), "title: must be text, not null"),
    ("POST", "/api/tasks", without(TASK, "title", " \n"), "title: must not be blank"),
    ("POST", "/api/tasks", without(TASK, "title", "x" * 1001), "title: must not be longer"),
    ("POST", "/api/tasks", without(TASK, "title", "a\0"), "title: must not contain NUL"),
    ("POST", "/api/tasks", without(TASK, "title", "\ud800"), "title: contains half of"),
    (
        "POST",
        "/api/tasks",
        without(TASK, "description", "x" * (1024 * 1024 + 1)),
        "description: must not be longer than 1,048,576 characters",
    ),
    ("POST", "/api/tasks", without(TASK, "project_id", "7"), "project_id: must be a UUID"),
    (
        "POST",
        "/api/tasks",
        without(TASK, "image_ids", ["x", 1]),
        "image_ids[1]: must be text, not a whole number",
    ),
    ("POST", "/api/tasks", without(TASK, "image_ids", ["x"]), "image_ids[0]: must be a UUID"),
    (
        "POST",
        "/api/tasks",
        without(TASK, "parent_task_attempt", "x"),
        "parent_task_attempt: must be a UUID",
    ),
    ("POST", "/api/tasks/create-and-start", without(START, "task"), "task: is missing"),
    (
        "POST",
        "/api/tasks/create-and-start",
        without(START, "task.title"),
        "task.title: is missing",
    ),
    (
        "POST",
        "/api/tasks/create-and-start",
        without(START, "task.title", ""),
        "task.title: must not be blank",
    ),
    (
        "POST",
        "/api/tasks/create-and-start",
        without(START, "task.project_id", ""),
        "task.project_id: must be a UUID",
    ),
    (
        "POST",
        "/api/tasks/create-and-start",
        without(START, "executor_profile_id.executor", "EMACS"),
        "executor_profile_id.executor: 'EMACS' is not one of CLAUDE_CODE, AMP",
    ),
    (
        "POST",
        "/api/tasks/create-and-start",
        without(START, "base_branch", ""),
        "base_branch: must not be blank",
    ),
    ("PUT", f"/api/tasks/{ID}", b'{"status":"doing"}', "status: 'doing' is not one of todo,"),
    ("PUT", f"/api/tasks/{ID}", b'{"title":""}', "title: must not be blank"),
    ("POST", "/api/projects", b'{"name":"p"}', "git_repo_path: is missing"),
    ("PUT", f"/api/projects/{ID}", b'{"name":" "}', "name: must not be blank"),
    ("POST", f"/api/task-attempts/{ID}/merge", b'{"strategy":"x"}', "strategy: 'x' is not one"),
    ("POST", f"/api/task-attempts/{ID}/merge", b"[]", "body: must be an object, not a list"),
    ("POST", f"/api/task-attempts/{ID}/follow-up", b'{"prompt":""}', "prompt: must not be"),
    (
        "POST",
        f"/api/approvals/{ID}/respond",
        b'{"status":{"status":"pending"}}',
        "status.status: must be approved or denied",
    ),
    ("POST", f"/api/approvals/{ID}/respond", b'{"status":{}}', "status.status: is missing"),
    ("PUT", "/api/config", b"[]", "body: must be an object, not a list"),
    ("PUT", "/api/config", b'{"theme":"PINK"}', "theme"),
    ("PUT", "/api/profiles", b"", "body: is empty"),
    ("GET", "/api/tasks", b"", "project_id: is missing"),
    ("GET", "/api/tasks?project_id=", b"", "project_id: is missing"),
    ("GET", "/api/tasks?project_id=1", b"", "project_id: must be a UUID"),
    ("GET", "/api/tasks/x", b"", "task_id: must be a UUID"),
    ("GET", "/api/tasks/%00", b"", "task_id: must be a UUID"),
    ("GET", "/api/task-attempts?task_id=x", b"", "task_id: must be a UUID"),
    ("GET", "/api/execution-processes", b"", "task_attempt_id: is missing"),
    (
        "GET",
        f"/api/execution-processes?task_attempt_id={ID}&show_soft_deleted=maybe",
        b"",
        "show_soft_deleted: must be true or false",
    ),
    ("GET", "/api/events?after=-1", b"", "after: must be a whole number"),
    (
        "GET",
        "/api/events?after=9999999999999999999",
        b"",
        "after: must be at most 9223372036854775",
    ),
    ("GET", "/api/approvals?status=lost", b"", "status: lost is not one of pending, approved"),
    ("GET", "/api/tags?search=%FF", b"", "search: is not valid UTF-8"),
    ("GET", "/api/projects?search=ok&%C3%28=1", b"", "query string: is not valid UTF-8"),
)


async def test_a_malformed_request_is_refused_by_the_name_of_the_field(server: Server) -> None:
    json_type = {"Content-Type": "application/json"}
    for method, path, body, message in MALFORMED:
        answer = await server.client.request(method, path, content=body, headers=json_type)
        refused = envelope(answer)
        displayed = refused["message"][: len(message)]
        assert (path, body[:99], answer.status_code, displayed) == (path, body[:99], 400, message)
        field = refused["message"].partition(":")[0]
        assert refused["error_data"] == {"type": "invalid", "field": field}


async def test_only_json_is_taken_for_json(server: Server) -> None:
    project = await server.project()
    body = json.dumps({"project_id": project.id, "title": "t"})
    for kind, status in {
        "application/json": 200,
        "application/json; charset=utf-8": 200,
        "application/merge-patch+json": 200,
        "": 200,
        "text/plain": 415,
        "application/x-www-form-urlencoded": 415,
    }.items():
        answer = await server.client.post(
            "/api/tasks", content=body, headers={"Content-Type": kind} if kind else {}
        )
        envelope(answer)
        assert (kind, answer.status_code) == (kind, status)
    packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    for path in ("/api/tasks", f"/api/task-attempts/{new_id()}/merge"):
        answer = await server.client.post(
            path, content=gzip.compress(body.encode()), headers=packed
        )
        refused = envelope(answer)
        reported = "Content-Encoding: gzip is not understood; send the body as it is."
        assert (answer.status_code, refused["message"]) == (415, reported), path
    plain = {"Content-Type": "text/plain"}
    answer = await server.client.put("/api/profiles", content=b'{"executors":{}}', headers=plain)
    assert answer.status_code == 200


@pytest.mark.parametrize("body", [b"", b"null", b" null\n", b"{}", b'{"strategy":null}'])
async def test_a_body_may_be_left_out_where_it_is_optional(server: Server, body: bytes) -> None:
    json_type = {"Content-Type": "application/json"}
    id = new_id()
    answer = await server.client.post(
        f"/api/task-attempts/{id}/merge", content=body, headers=json_type
    )
    assert answer.status_code == 200
    assert server.services.branches.asked == [("merge", id, MergeStrategy.MERGE)]


async def test_ids_are_taken_in_any_case(server: Server) -> None:
    project = await server.project()
    answer = await server.get(f"/api/projects/{project.id.upper()}")
    assert envelope(answer)["data"]["id"] == project.id
    assert identity(ID, "id") == ID.lower()


@pytest.mark.parametrize(
    "text", ["", "x", ID + "\n", ID.replace("-", ""), f"{{{ID}}}", f"urn:uuid:{ID}", "K" + ID[1:]]
)
def test_what_only_resembles_an_id_is_not_one(text: str) -> None:
    with pytest.raises(Invalid, match="must be a UUID"):
        identity(text, "id")


@pytest.mark.parametrize("text", ["-1", "1.0", "x", "", "٣", str(2**63), "1" * 5000])
def test_a_position_is_a_number_that_a_database_can_hold(text: str) -> None:
    with pytest.raises(Invalid):
        position(text, "after")
    assert position(str(2**63 - 1), "after") == 2**63 - 1


def test_unknown_fields_are_ignored_whatever_is_in_them() -> None:
    body = b'{"project_id":"p","title":"t","new":"\\u0000","image_ids":null}'
    assert decode.decode(body, NewTask) == NewTask(project_id="p", title="t")
