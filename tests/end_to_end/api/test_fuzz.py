"""No request, however wrong, gets more than a refusal in the envelope that names what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anyond.api.chapters import ENDPOINTS
from anyond.api.declaration import samples
from anyond.api.declaration.endpoint import Endpoint
from anyond.api.examples.all import EXAMPLES, NONE
from anyond.http.app import create_app
from anyond.http.guard import Policy
from anyond.model.configuration.settings import Config
from anyond.model.refusals.requests import Invalid, NotLetIn
from anyond.services.services import Services
from tests.support.hostile import malformed
from tests.support.hostile.fuzz_target import VARIANT, FuzzTarget, open_fuzz_target
from tests.support.hostile.malformed import UNKNOWN, Answer, Request, Shape

TASK = {
    "project_id": "$project",
    "title": "A title",
    "description": "Words",
    "parent_task_attempt": "$attempt",
    "image_ids": [],
}
PROFILE = {"executor": "ACP", "variant": "QUICK"}
SCRIPTS = {
    "setup_script": "true",
    "dev_script": "true",
    "cleanup_script": "true",
    "copy_files": "README.md",
}
CONFIG = {
    **msgspec.to_builtins(Config()),
    "theme": "DARK",
    "executor_profile": {"executor": "CLAUDE_CODE", "variant": "PLAN"},
    "disclaimer_acknowledged": True,
    "notifications": {"sound_enabled": False, "push_enabled": False, "sound_file": "ROOSTER"},
    "editor": {"editor_type": "ZED", "custom_command": "ed", "remote_ssh_host": "host"},
    "github": {"pat": "secret", "username": "ada"},
    "language": "EN",
    "git_branch_prefix": "anyon",
    "showcases": {"seen_features": ["one"]},
    "approval_timeout_s": 60.5,
    "commit_message": "title",
    "log_limit_bytes": 2000000000,
}
SHAPES = [
    Shape("GET", "/vk/api/health"),
    Shape("GET", "/vk/api/config"),
    Shape("GET", "/vk/api/approvals/pending"),
    Shape("GET", "/vk/api/approvals/<key>/status", "$question"),
    Shape("GET", "/vk/api/images/named/<key>", "picture.png"),
    Shape("DELETE", "/vk/api/images/<key>", "$image", query={"force": "false"}),
    Shape("POST", "/vk/api/images/upload"),
    Shape("POST", "/vk/api/images/task/<key>/upload", "$task"),
    Shape("PUT", "/vk/api/projects/<key>", "$spare", body={"name": "S", **SCRIPTS}),
    Shape("DELETE", "/vk/api/task-attempts/<key>", "$spent"),
    Shape("PUT", "/api/config", body=CONFIG),
    Shape("PUT", "/api/profiles", body={"executors": {"ACP": {"QUICK": {"ACP": VARIANT}}}}),
    Shape(
        "POST",
        "/api/projects",
        body={"name": "N", "git_repo_path": "$folder", "use_existing_repo": True, **SCRIPTS},
    ),
    Shape(
        "PUT",
        "/api/projects/<key>",
        "$spare",
        body={"name": "N", "git_repo_path": "$folder", **SCRIPTS},
    ),
    Shape("DELETE", "/api/projects/<key>", "$victim"),
    Shape("POST", "/api/tasks", body=TASK),
    Shape(
        "POST",
        "/api/tasks/create-and-start",
        body={"task": TASK, "executor_profile_id": PROFILE, "base_branch": "main"},
    ),
    Shape(
        "PUT",
        "/api/tasks/<key>",
        "$task",
        body={
            "title": "T",
            "description": "D",
            "status": "inreview",
            "parent_task_attempt": "$attempt",
            "image_ids": [],
        },
    ),
    Shape("DELETE", "/api/tasks/<key>", "$doomed"),
    Shape(
        "POST",
        "/api/task-attempts",
        body={"task_id": "$task", "executor_profile_id": PROFILE, "base_branch": "main"},
    ),
    Shape(
        "POST",
        "/api/task-attempts/<key>/follow-up",
        "$attempt",
        body={
            "prompt": "say more",
            "variant": "QUICK",
            "image_ids": [],
            "retry_process_id": "$process",
            "force_when_dirty": False,
            "perform_git_reset": False,
            "steer": True,
        },
    ),
    Shape("POST", "/api/task-attempts/<key>/merge", "$attempt", body={"strategy": "squash"}),
    Shape(
        "POST",
        "/api/task-attempts/<key>/replace-process",
        "$attempt",
        body={
            "process_id": "$process",
            "prompt": "say more",
            "variant": "QUICK",
            "force_when_dirty": False,
            "perform_git_reset": False,
        },
    ),
    Shape(
        "POST",
        "/api/task-attempts/<key>/run-agent-setup",
        "$attempt",
        body={"executor_profile_id": PROFILE},
    ),
    Shape("GET", "/api/task-attempts/<key>/commit-info", "$attempt", query={"sha": "HEAD"}),
    Shape("GET", "/api/task-attempts/<key>/commit-compare", "$attempt", query={"sha": "main"}),
    Shape(
        "POST",
        "/api/task-attempts/<key>/rebase",
        "$attempt",
        body={"old_base_branch": "main", "new_base_branch": "main"},
    ),
    Shape(
        "POST",
        "/api/task-attempts/<key>/change-target-branch",
        "$attempt",
        body={"new_target_branch": "main"},
    ),
    Shape(
        "POST",
        "/api/task-attempts/<key>/rename-branch",
        "$attempt",
        body={"new_branch_name": "renamed"},
    ),
    Shape(
        "POST",
        "/api/task-attempts/<key>/delete-file",
        "$attempt",
        query={"file_path": "a.txt"},
    ),
    Shape(
        "POST",
        "/api/task-attempts/<key>/open-editor",
        "$attempt",
        body={"editor_type": "XCODE", "file_path": "a.txt"},
    ),
    Shape(
        "POST",
        "/api/projects/<key>/git-programs/accept",
        "$project",
        body={"digest": "0", "always": False},
    ),
    Shape("POST", "/api/projects/<key>/open-editor", "$project", body={"editor_type": "INTELLI_J"}),
    Shape("WEBSOCKET", "/api/task-attempts/<key>/diff/ws", "$attempt", query={"stats_only": "1"}),
    Shape("GET", "/api/approvals", query={"status": "pending"}),
    Shape(
        "POST",
        "/api/approvals/<key>/respond",
        "$question",
        body={"status": {"status": "denied", "reason": "no"}},
    ),
    Shape("GET", "/api/events", query={"after": "0"}),
    Shape("GET", "/api/tags", query={"search": "a"}),
    Shape("POST", "/api/tags", body={"tag_name": "name", "content": "text"}),
    Shape("PUT", "/api/tags/<key>", "$tag", body={"tag_name": "name", "content": "text"}),
    Shape("POST", "/api/images/task/<key>/upload", "$task"),
    Shape("GET", "/api/filesystem/directory", query={"path": "$root"}),
    Shape("GET", "/api/filesystem/git-repos", query={"path": "$root"}),
    Shape("GET", "/api/containers/info", query={"ref": "$root"}),
    Shape("POST", "/api/task-attempts/<key>/push", "$attempt", body={"force": False}),
    Shape(
        "POST",
        "/api/task-attempts/<key>/pr",
        "$attempt",
        body={"title": "T", "body": "B", "target_branch": "main"},
    ),
    Shape("GET", "/api/task-attempts/<key>/draft", "$attempt", query={"type": "follow_up"}),
    Shape(
        "PUT",
        "/api/task-attempts/<key>/draft",
        "$attempt",
        query={"type": "retry"},
        body={
            "prompt": "again",
            "variant": "QUICK",
            "image_ids": [],
            "retry_process_id": "$process",
            "version": 0,
        },
    ),
    Shape("DELETE", "/api/task-attempts/<key>/draft", "$attempt"),
    Shape(
        "POST",
        "/api/task-attempts/<key>/draft/queue",
        "$attempt",
        body={"queued": True, "expected_queued": False, "expected_version": 1},
    ),
    Shape("GET", "/api/mcp-config", query={"executor": "CODEX"}),
    Shape(
        "POST",
        "/api/mcp-config",
        query={"executor": "CLAUDE_CODE"},
        body={"servers": {"one": {}}},
    ),
    Shape("GET", "/api/sounds/<key>", "ROOSTER"),
    Shape("GET", "/api/projects/<key>/search", "$project", query={"q": "a", "mode": "Settings"}),
]


IDS = {
    samples.PROJECT_ID: "$project",
    samples.TASK_ID: "$task",
    samples.ATTEMPT_ID: "$attempt",
    samples.PROCESS_ID: "$process",
    samples.APPROVAL_ID: "$question",
    samples.TAG_ID: "$tag",
    samples.IMAGE_ID: "$image",
}


def derived(endpoint: Endpoint[Any]) -> Shape:
    """The example of an endpoint; for those above it would destroy too much, or tell too little."""
    key, query = "", {}
    for parameter in endpoint.parameters():
        example = str(msgspec.to_builtins(parameter.example))
        if parameter.place == "path":
            key = IDS.get(example, example)
        elif parameter.example is not None:
            query[parameter.name] = IDS.get(example, example)
    body = msgspec.json.encode(EXAMPLES.get(endpoint, NONE).send).decode()
    for sample, name in IDS.items():
        body = body.replace(sample, name)
    rule = re.sub(r"\{[^}]+\}", "<key>", endpoint.path)
    return Shape(endpoint.method, rule, key, json.loads(body), query)


SHAPES += [
    shape
    for shape in map(derived, ENDPOINTS)
    if not any((s.method, s.rule) == (shape.method, shape.rule) for s in SHAPES)
]

OUTSIDE = {
    "/api/auth/github/device/start",
    "/api/auth/github/device/poll",
    "/api/auth/github/check",
    "/api/task-attempts/<key>/push",
    "/api/task-attempts/<key>/pr",
    "/api/task-attempts/<key>/pr/attach",
}
"""Where GitHub has a part in the answer, and in these tests nobody is there."""


@pytest.fixture(scope="module")
def fuzz_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FuzzTarget]:
    with open_fuzz_target(tmp_path_factory.mktemp("fuzz") / "daemon") as made:
        yield made


DECLARED = {
    (endpoint.method, re.sub(r"{[^}]+}", "<key>", endpoint.path)): {
        Invalid.type,
        NotLetIn.type,
        *(refusal.type for refusal in endpoint.refusals),
    }
    for endpoint in ENDPOINTS
}
"""The types of the refusals that each endpoint says it has."""


def enveloped(shape: Shape, answer: Answer) -> dict[str, Any]:
    """The body of an answer, which must be the envelope and nothing else."""
    body: dict[str, Any] = json.loads(answer.body)
    assert answer.headers["Content-Type"] == "application/json"
    keys = ["success", "data", "error_data", "message"]
    if shape.rule.endswith("/respond") and answer.status == 200:
        keys.append("status")
    assert list(body) == keys, body
    assert body["success"] is (answer.status < 300), body
    if not body["success"]:
        assert body["message"], body
        assert body["data"] is None, body
    return body


def judged(shape: Shape, answer: Answer) -> None:
    """What must hold of every answer to every request."""
    if answer.status == 503 and shape.rule in OUTSIDE:
        assert json.loads(answer.body)["error_data"]["type"] == "unreachable"
        return
    assert answer.status < 500, answer
    if answer.status in (101, 304) or answer.stream:
        return
    if shape.rule == "/health" and answer.status == 200:
        assert json.loads(answer.body) == {"status": "ok"}
        return
    if shape.rule in {"/openapi.json", "/docs"} and answer.status in (200, 206):
        return
    if shape.rule.startswith("/api/sounds/") and answer.status in (200, 206):
        assert answer.headers["Content-Type"] == "audio/wav"
        return
    body = enveloped(shape, answer)
    if body["error_data"] is not None and (shape.method, shape.rule) in DECLARED:
        assert body["error_data"]["type"] in DECLARED[shape.method, shape.rule], body
    if answer.status == 400:
        # What is no HTTP at all has no field that could be named.
        error = body["error_data"]
        assert error is not None, body
        assert error["type"] == "invalid", body
        assert body["message"].startswith(f"{error['field']}: "), body


def routes() -> set[tuple[str, str]]:
    """All methods of all routes, as the application knows them."""
    services = SimpleNamespace(
        **(dict.fromkeys(Services.__dataclass_fields__) | {"capabilities": {}})
    )
    app = create_app(services, Policy())  # type: ignore[arg-type]
    return {
        (method, re.sub("<[^>]+>", "<key>", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in ({"WEBSOCKET"} if rule.websocket else rule.methods or ())
        if method != "HEAD"
    }


def test_every_route_of_the_application_is_tried() -> None:
    known = [(shape.method, shape.rule) for shape in SHAPES]
    assert len(known) == len(set(known))
    assert set(known) == routes()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_no_request_breaks_anything(
    fuzz_target: FuzzTarget, shape: Shape, data: st.DataObject
) -> None:
    judged(shape, fuzz_target.ask(data.draw(malformed.requests(shape))))


def called(path: malformed.Path) -> str:
    """How a refusal names a place in a body: as it is spelled, except for lists of settings."""
    if path[0] == "executors":
        path = (*path[:3], *path[4:5])  # the options of a variant are named as its own
        return malformed.spelled(path)
    if path[0] == "showcases":
        path = path[:2]
    return malformed.spelled(path)


def wrong(value: Any) -> Any:
    """Something of another type than `value`, for which no field could take it."""
    return {"odd": []} if isinstance(value, str | bool | int | float) else 7


@pytest.mark.parametrize("shape", [s for s in SHAPES if s.body is not None], ids=str)
def test_a_wrong_type_is_refused_by_the_name_of_its_field_wherever_it_is(
    fuzz_target: FuzzTarget, shape: Shape
) -> None:
    for path, value in malformed.places(shape.body):
        name = called(path)
        answer = fuzz_target.send(shape, malformed.replaced(shape.body, path, wrong(value)))
        judged(shape, answer)
        body = enveloped(shape, answer)
        assert (name, answer.status) == (name, 400), body
        assert body["error_data"]["field"] == name


@pytest.mark.parametrize("shape", [s for s in SHAPES if s.body is not None], ids=str)
def test_a_lone_surrogate_or_a_nul_in_any_text_is_refused_by_the_name_of_its_field(
    fuzz_target: FuzzTarget, shape: Shape
) -> None:
    for path, value in malformed.places(shape.body):
        if isinstance(value, str):
            for odd in ("a\ud800", "a\0b"):
                answer = fuzz_target.send(shape, malformed.replaced(shape.body, path, odd))
                body = enveloped(shape, answer)
                assert (path, odd, answer.status) == (path, odd, 400), body
                named = {called(path), malformed.spelled(path)}
                if shape.rule == "/api/profiles":
                    named.add("body")  # it is decoded without a type, and so without a place
                assert body["error_data"]["field"] in named, body


PROJECT = {"name": "N", "git_repo_path": "$folder", "use_existing_repo": True}
NEW_TASK = {"project_id": "$project", "title": "T"}
ATTEMPT = {"task_id": "$task", "executor_profile_id": PROFILE, "base_branch": "main"}
START = {"task": NEW_TASK, "executor_profile_id": PROFILE, "base_branch": "main"}
FOLLOW_UP = "/api/task-attempts/$attempt/follow-up"
ANSWER = "/api/approvals/$question/respond"


def project(**more: Any) -> dict[str, Any]:
    return {**PROJECT, **more}


def attempt(**more: Any) -> dict[str, Any]:
    return {**ATTEMPT, **more}


def profile(**more: Any) -> dict[str, Any]:
    return attempt(executor_profile_id={"executor": "ACP", **more})


def variant(**options: Any) -> dict[str, Any]:
    return {"executors": {"ACP": {"QUICK": {"ACP": options}}}}


REFUSED: list[tuple[str, str, Any, int, str]] = [
    # projects
    ("POST", "/api/projects", project(git_repo_path="folder"), 400, "git_repo_path"),
    ("POST", "/api/projects", project(git_repo_path="./folder"), 400, "git_repo_path"),
    ("POST", "/api/projects", project(git_repo_path=""), 400, "git_repo_path"),
    ("POST", "/api/projects", project(git_repo_path="$root/missing"), 400, "git_repo_path"),
    ("POST", "/api/projects", project(git_repo_path="$root/full"), 400, "git_repo_path"),
    ("POST", "/api/projects", project(git_repo_path="$root/plain"), 400, "git_repo_path"),
    ("POST", "/api/projects", project(git_repo_path="$root/plain/x"), 400, "git_repo_path"),
    ("POST", "/api/projects", project(git_repo_path="$root/bare"), 400, "git_repo_path"),
    ("POST", "/api/projects", project(git_repo_path="$folder\0"), 400, "git_repo_path"),
    ("POST", "/api/projects", project(git_repo_path="/" + "x" * 300), 400, "git_repo_path"),
    ("POST", "/api/projects", project(git_repo_path="~nobody-at-all/x"), 400, "git_repo_path"),
    ("POST", "/api/projects", project(git_repo_path="$taken"), 409, "path_taken"),
    ("POST", "/api/projects", project(git_repo_path="$taken/./"), 409, "path_taken"),
    ("PUT", "/api/projects/$spare", {"git_repo_path": "$taken"}, 409, "path_taken"),
    ("PUT", "/api/projects/$spare", {"git_repo_path": "$root/full"}, 400, "git_repo_path"),
    ("PUT", "/api/projects/$spare", {"git_repo_path": ""}, 400, "git_repo_path"),
    ("PUT", "/api/projects/$spare", {"name": ""}, 400, "name"),
    *(
        (
            "POST",
            "/api/projects",
            project(use_existing_repo=False, git_repo_path=path),
            400,
            "git_repo_path",
        )
        for path in ("$root/full", "$root/plain", "$root/plain/x", "relative", "")
    ),
    *(
        ("POST", "/api/projects", project(copy_files=files), 400, "copy_files")
        for files in ("../x", "a, ../../x", "/etc/passwd", ".git/config", "a\n../b", "x/../../y")
    ),
    ("PUT", "/api/projects/$spare", {"copy_files": "../x"}, 400, "copy_files"),
    ("GET", f"/api/projects/{UNKNOWN}", None, 404, "not_found"),
    ("GET", f"/api/projects/{UNKNOWN}/branches", None, 404, "not_found"),
    ("DELETE", f"/api/projects/{UNKNOWN}", None, 404, "not_found"),
    # tasks
    ("POST", "/api/tasks", {**NEW_TASK, "project_id": UNKNOWN}, 404, "not_found"),
    ("POST", "/api/tasks", {**NEW_TASK, "parent_task_attempt": UNKNOWN}, 404, "not_found"),
    ("POST", "/api/tasks", {**NEW_TASK, "image_ids": [UNKNOWN]}, 404, "not_found"),
    ("PUT", "/api/tasks/$task", {"status": "later"}, 400, "status"),
    ("PUT", f"/api/tasks/{UNKNOWN}", {"title": "T"}, 404, "not_found"),
    ("DELETE", f"/api/tasks/{UNKNOWN}", None, 404, "not_found"),
    ("GET", f"/api/tasks?project_id={UNKNOWN}", None, 404, "not_found"),
    # attempts
    ("POST", "/api/task-attempts", attempt(task_id=UNKNOWN), 404, "not_found"),
    ("POST", "/api/task-attempts", profile(executor="EMACS"), 400, "executor_profile_id.executor"),
    ("POST", "/api/task-attempts", profile(variant="NONE"), 422, "executor_profile_id.variant"),
    ("POST", "/api/task-attempts", profile(variant=""), 422, "executor_profile_id.variant"),
    ("POST", "/api/task-attempts", attempt(base_branch=""), 400, "base_branch"),
    ("POST", "/api/task-attempts", attempt(base_branch=" \n"), 400, "base_branch"),
    *(
        ("POST", "/api/task-attempts", attempt(base_branch=branch), 422, "base_branch")
        for branch in (
            "missing",
            "-f",
            "--orphan",
            "HEAD",
            "@{-1}",
            "main~1",
            "main:README.md",
            "main..main",
            "../main",
            "refs/heads/main",
            "main\n",
            "main main",
            "*",
            "\u202emain",
            "x" * 1000,
        )
    ),
    ("POST", "/api/tasks/create-and-start", {**START, "base_branch": "no"}, 422, "base_branch"),
    (
        "POST",
        "/api/tasks/create-and-start",
        {**START, "executor_profile_id": {"executor": "ACP", "variant": "NO"}},
        422,
        "executor_profile_id.variant",
    ),
    ("GET", f"/api/task-attempts?task_id={UNKNOWN}", None, 404, "not_found"),
    ("POST", FOLLOW_UP, {"prompt": " "}, 400, "prompt"),
    ("POST", FOLLOW_UP, {"prompt": "x", "variant": "NO"}, 422, "variant"),
    (
        "POST",
        "/api/task-attempts/$attempt/replace-process",
        {"process_id": "$process", "prompt": "x", "variant": "NO"},
        422,
        "variant",
    ),
    ("POST", FOLLOW_UP, {"prompt": "x", "image_ids": [UNKNOWN]}, 404, "not_found"),
    ("POST", FOLLOW_UP, {"prompt": "x", "retry_process_id": UNKNOWN}, 404, "not_found"),
    ("POST", FOLLOW_UP, {"prompt": "x", "retry_process_id": "x"}, 400, "retry_process_id"),
    ("POST", f"/api/task-attempts/{UNKNOWN}/follow-up", {"prompt": "x"}, 404, "not_found"),
    ("POST", f"/api/task-attempts/{UNKNOWN}/merge", None, 404, "not_found"),
    ("POST", f"/api/task-attempts/{UNKNOWN}/stop", None, 404, "not_found"),
    ("GET", f"/api/task-attempts/{UNKNOWN}/branch-status", None, 404, "not_found"),
    ("POST", f"/api/execution-processes/{UNKNOWN}/stop", None, 404, "not_found"),
    ("GET", "/api/execution-processes?task_attempt_id=x", None, 400, "task_attempt_id"),
    # approvals
    (
        "POST",
        f"/api/approvals/{UNKNOWN}/respond",
        {"status": {"status": "approved"}},
        404,
        "not_found",
    ),
    ("POST", ANSWER, {"status": {"status": "timed_out"}}, 400, "status.status"),
    ("POST", ANSWER, {"status": {"status": "APPROVED"}}, 400, "status.status"),
    ("POST", ANSWER, {"status": "approved"}, 400, "status"),
    # settings
    *(
        ("PUT", "/api/config", {"git_branch_prefix": prefix}, 400, "git_branch_prefix")
        for prefix in (
            "a/b",
            "-x",
            ".x",
            "a..b",
            "x.lock",
            "a b",
            "a~1",
            "@",
            "a@{b",
            "x" * 101,
            "\n",
        )
    ),
    ("PUT", "/api/config", {"workspace_dir": "relative"}, 400, "workspace_dir"),
    ("PUT", "/api/config", {"approval_timeout_s": 0}, 400, "approval_timeout_s"),
    ("PUT", "/api/config", {"approval_timeout_s": 1e300}, 400, "approval_timeout_s"),
    ("PUT", "/api/config", {"log_limit_bytes": 1}, 400, "log_limit_bytes"),
    ("PUT", "/api/config", {"theme": "PINK"}, 400, "theme"),
    ("PUT", "/api/config", {"editor": {"remote_ssh_host": "-oX=y"}}, 400, "editor.remote_ssh_host"),
    ("PUT", "/api/profiles", {}, 400, "executors"),
    ("PUT", "/api/profiles", {"executors": {"EMACS": {}}}, 400, "executors.EMACS"),
    ("PUT", "/api/profiles", {"executors": {"ACP": None}}, 400, "executors.ACP"),
    ("PUT", "/api/profiles", {"executors": {"ACP": {"!": {}}}}, 400, "executors.ACP.!"),
    ("PUT", "/api/profiles", variant(env={"A=B": "c"}), 400, "executors.ACP.QUICK.env"),
    (
        "PUT",
        "/api/profiles",
        variant(base_command_override="open 'quote"),
        400,
        "executors.ACP.QUICK.base_command_override",
    ),
    # streams
    ("GET", "/api/events?after=x", None, 400, "after"),
    ("WEBSOCKET", f"/api/tasks/stream/ws?project_id={UNKNOWN}", None, 404, "not_found"),
    ("WEBSOCKET", "/api/tasks/stream/ws", None, 400, "project_id"),
    ("WEBSOCKET", "/api/tasks/stream/ws?project_id=$project&after=-1", None, 400, "after"),
    ("WEBSOCKET", f"/api/task-attempts/{UNKNOWN}/diff/ws", None, 404, "not_found"),
    ("WEBSOCKET", "/api/task-attempts/$attempt/diff/ws?format=x", None, 400, "format"),
    ("WEBSOCKET", f"/api/execution-processes/{UNKNOWN}/raw-logs/ws", None, 404, "not_found"),
    ("WEBSOCKET", f"/api/execution-processes/{UNKNOWN}/normalized-logs/ws", None, 404, "not_found"),
    ("WEBSOCKET", "/api/execution-processes/$process/raw-logs/ws?batch=x", None, 400, "batch"),
]


def test_each_bad_input_has_its_status_and_the_name_of_what_is_wrong(tmp_path: Path) -> None:
    # One of its own: what has been tried on the other may have replaced or deleted anything.
    with open_fuzz_target(tmp_path / "daemon") as fuzz_target:
        refuses_each(fuzz_target)


def refuses_each(fuzz_target: FuzzTarget) -> None:
    before = fuzz_target.send(Shape("GET", "/api/projects"), None).body
    found = []
    for method, target, body, _, _ in REFUSED:
        path, _, query = target.partition("?")
        content = b"" if body is None else json.dumps(body).encode()
        request = Request(method, path, query, (("Content-Type", "application/json"),), content)
        answer = fuzz_target.ask(request)
        error = enveloped(Shape(method, path), answer)["error_data"] or {}
        found.append((method, target, body, answer.status, error.get("field", error.get("type"))))
    assert [pair for pair in zip(found, REFUSED, strict=True) if pair[0] != pair[1]] == []
    assert fuzz_target.send(Shape("GET", "/api/projects"), None).body == before


def test_other_methods_than_those_of_a_route_are_405_and_what_is_no_route_is_404(
    fuzz_target: FuzzTarget,
) -> None:
    known = routes()
    for rule in {rule for _, rule in known}:
        # Below a prefix is what is there only, and all that is without it.
        plain = rule.removeprefix("/vk")
        methods = {method for method, its in known if its in {rule, plain}}
        if "WEBSOCKET" in methods:
            continue
        path = rule.replace("<key>", UNKNOWN)
        for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"} - methods:
            answer = fuzz_target.ask(Request(method, path, "", (), b""))
            enveloped(Shape(method, rule), answer)
            # The last word of some routes could be an id as well.
            parent, _, last = rule.rpartition("/")
            ids = {f"{parent}/<key>", f"{parent.removeprefix('/vk')}/<key>"}
            others = {m for m, its in known if its in ids and last != "<key>"}
            if method in others:
                assert answer.status == 400
                continue
            assert (method, path, answer.status) == (method, path, 405)
            allowed = set(answer.headers["Allow"].split(", "))
            assert methods <= allowed
    for path in (
        "/",
        "/api",
        "/api/",
        "/API/tasks",
        "//api/nothing",
        "/api//tasks",
        "/api/tasks/../projects",
        "/api/%2e%2e/health",
        "/api/tasks;x",
        "/api/health%00",
        "/%61pi/nothing",
        "/api/" + "x/" * 900,
    ):
        answer = fuzz_target.ask(Request("GET", path, "", (), b""))
        enveloped(Shape("GET", path), answer)
        assert (path, answer.status) == (path, 404)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/octet-stream", 415),
        ("\x80", 415),
    ],
)
def test_only_json_is_read_as_json(fuzz_target: FuzzTarget, kind: str, status: int) -> None:
    body = json.dumps({"title": "Renamed"}).encode()
    answer = fuzz_target.ask(
        Request("PUT", "/api/tasks/$task", "", (("Content-Type", kind),), body)
    )
    enveloped(Shape("PUT", "/api/tasks/<key>"), answer)
    assert answer.status == status


def test_a_body_that_is_too_large_is_413(fuzz_target: FuzzTarget) -> None:
    body = json.dumps({"title": "x" * 5_000_000}).encode()
    answer = fuzz_target.ask(Request("PUT", "/api/tasks/$task", "", (), body))
    assert enveloped(Shape("PUT", ""), answer)["message"].startswith("body: ")
    assert answer.status == 413
