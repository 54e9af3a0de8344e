"""Well-formed requests of every route, and whether an answer is one that its description allows."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import msgspec

from anyond.api.chapters import ENDPOINTS
from anyond.api.declaration import samples
from anyond.api.declaration.endpoint import Endpoint
from anyond.api.declaration.refusal_groups import NOT_ALLOWED
from anyond.api.examples.all import EXAMPLES, NONE
from anyond.http.app import create_app
from anyond.http.guard import Policy
from anyond.model.configuration.settings import Config
from anyond.model.refusals.requests import Invalid
from anyond.services.services import Services
from tests.support.hostile.fuzz_target import VARIANT
from tests.support.hostile.malformed import Answer, Shape

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

CHOSEN = [
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
            query[parameter.name] = IDS.get(example, quote(example))
    body = msgspec.json.encode(EXAMPLES.get(endpoint, NONE).send).decode()
    for sample, name in IDS.items():
        body = body.replace(sample, name)
    rule = re.sub(r"\{[^}]+\}", "<key>", endpoint.path)
    return Shape(endpoint.method, rule, key, json.loads(body), query)


SHAPES = [
    *CHOSEN,
    *(
        shape
        for shape in map(derived, ENDPOINTS)
        if not any((s.method, s.rule) == (shape.method, shape.rule) for s in CHOSEN)
    ),
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

DECLARED = {
    (endpoint.method, re.sub(r"{[^}]+}", "<key>", endpoint.path)): {
        Invalid.type,
        *(refusal.type for refusal in NOT_ALLOWED),
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
    """All methods of all routes, as the application knows them.

    But for `/mcp`, whose answers are those of a protocol of its own: `tests/http/mcp` has its odd
    requests.
    """
    services = SimpleNamespace(**(dict.fromkeys(Services.__struct_fields__) | {"capabilities": {}}))
    return {
        (route.method, re.sub("{[^}]+}", "<key>", route.path))
        for route in create_app(services, Policy()).routes  # type: ignore[arg-type]
        if route.path != "/mcp"
    }
