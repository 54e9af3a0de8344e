"""Bad inputs of every kind: each has its status, and the name of the field that is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.hostile.fuzz_target import FuzzTarget, open_fuzz_target
from tests.support.hostile.malformed import UNKNOWN, Request, Shape
from tests.support.hostile.shapes import (
    PROFILE,
    enveloped,
)

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
