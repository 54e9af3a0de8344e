"""A client that knows the page of the API and nothing else: its requests, keys and types."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import trio

from tests.support.daemon import TIMEOUT_S, Daemon
from tests.support.paths import SCRIPTED_AGENTS

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
OID = re.compile(r"[0-9a-f]{40}")
TEXT_OR_NULL = (str, None)
ENVELOPE = {"success", "data", "error_data", "message"}
NOBODY = "00000000-0000-4000-8000-000000000000"

STATUSES = {"todo", "inprogress", "inreview", "done", "cancelled"}
_TIMES = {"created_at": TIME, "updated_at": TIME}
PROJECT = {
    "id": UUID,
    "name": str,
    "git_repo_path": str,
    "setup_script": TEXT_OR_NULL,
    "dev_script": TEXT_OR_NULL,
    "cleanup_script": TEXT_OR_NULL,
    "copy_files": TEXT_OR_NULL,
    **_TIMES,
}
TASK = {
    "id": UUID,
    "project_id": UUID,
    "title": str,
    "description": TEXT_OR_NULL,
    "status": STATUSES,
    "parent_task_attempt": (UUID, None),
    **_TIMES,
}
LISTED_TASK = {
    **TASK,
    "has_in_progress_attempt": bool,
    "has_merged_attempt": bool,
    "last_attempt_failed": bool,
    "executor": str,
}
ATTEMPT = {
    "id": UUID,
    "task_id": UUID,
    "container_ref": str,
    "branch": str,
    "target_branch": str,
    "executor": "CLAUDE_CODE",
    "worktree_deleted": bool,
    "setup_completed_at": (TIME, None),
    **_TIMES,
}
PROCESS = {
    "id": UUID,
    "task_attempt_id": UUID,
    "run_reason": {"setupscript", "cleanupscript", "codingagent", "devserver"},
    "executor_action": {"typ": {"type": str}, "next_action": (dict, None)},
    "before_head_commit": (OID, None),
    "after_head_commit": (OID, None),
    "status": {"running", "completed", "failed", "killed"},
    "exit_code": (int, None),
    "dropped": bool,
    "started_at": TIME,
    "completed_at": (TIME, None),
    **_TIMES,
}
DRAFT = {
    "id": UUID,
    "task_attempt_id": UUID,
    "draft_type": {"follow_up", "retry"},
    "retry_process_id": (UUID, None),
    "prompt": str,
    "queued": bool,
    "sending": bool,
    "variant": TEXT_OR_NULL,
    "image_ids": list,
    "version": int,
    **_TIMES,
}
IMAGE = {
    "id": UUID,
    "file_path": re.compile(r"\.vibe/images/.+\.png"),
    "original_name": str,
    "mime_type": "image/png",
    "size_bytes": int,
    "hash": re.compile(r"sha256:[0-9a-f]{64}"),
    **_TIMES,
}
TAG = {"id": UUID, "tag_name": str, "content": str, **_TIMES}


def misfits(value: Any, shape: Any, at: str = "") -> list[str]:
    """Where `value` is not what the page says; nothing if it is.

    Args:
        shape: a type; a pattern for a whole text; a set of possible texts; a tuple of shapes, one
            of which fits; a list with the one shape of all items; a dictionary of keys that must be
            there, others may be too; or the value itself.
    """
    where = at or "it"
    match shape:
        case type():
            fits = isinstance(value, shape) and (shape is bool or not isinstance(value, bool))
        case re.Pattern():
            fits = isinstance(value, str) and shape.fullmatch(value) is not None
        case set():
            fits = value in shape
        case tuple():
            fits = any(not misfits(value, one) for one in shape)
        case [inner] if isinstance(value, list):
            return [
                flaw for n, item in enumerate(value) for flaw in misfits(item, inner, f"{at}[{n}]")
            ]
        case dict() if isinstance(value, dict):
            missing = [f"{where} lacks {key}" for key in shape if key not in value]
            known = [key for key in shape if key in value]
            return missing + [
                flaw for key in known for flaw in misfits(value[key], shape[key], f"{at}.{key}")
            ]
        case _:
            fits = value == shape and type(value) is type(shape)
    return [] if fits else [f"{where} is {value!r}, not {shape}"]


class ReferenceClient:
    """Sends what the page shows, and compares what comes back with what it promises."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon

    async def ask(
        self,
        method: str,
        path: str,
        shape: Any,
        body: Any = None,
        *,
        status: int = 200,
        files: Any = None,
    ) -> Any:
        """The `data` of a success, which must be of that shape, in a whole envelope."""
        content = None if body is None else json.dumps(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        answer = await self.daemon.request(
            method, path, content=content, headers=headers, files=files
        )
        found = answer.json()
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {found}"
        assert set(found) == ENVELOPE, f"{method} {path}: {found}"
        assert (found["success"], found["error_data"], found["message"]) == (True, None, None)
        assert misfits(found["data"], shape) == [], f"{method} {path}"
        return found["data"]

    async def refused(
        self, method: str, path: str, status: int, shape: Any, body: Any = None
    ) -> Any:
        """The envelope of a refusal, whose `error_data` must be of that shape."""
        answer = await self.daemon.request(method, path, json=body)
        found = answer.json()
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {found}"
        assert set(found) == ENVELOPE
        assert (found["success"], found["data"]) == (False, None)
        assert misfits(found["message"], str) == []
        assert misfits(found["error_data"], shape) == [], f"{method} {path}"
        return found

    async def frame(self, path: str, shape: Any) -> Any:
        """The first frame of a stream that is of that shape."""
        seen: list[Any] = []
        with trio.move_on_after(TIMEOUT_S):
            async with self.daemon.socket(path) as connection:
                while True:
                    seen.append(json.loads(await connection.get_message()))
                    if not misfits(seen[-1], shape):
                        return seen[-1]
        raise AssertionError(f"{path} did not say {shape}, but {seen}")

    async def project(self, **more: Any) -> Any:
        """A project with one commit on main."""
        path = str(self.daemon.repository())
        body = {"name": "My Project", "git_repo_path": path, "use_existing_repo": True, **more}
        return await self.ask("POST", "/api/projects", PROJECT, body)

    async def attempt(self, description: str = "write src/index.ts 1", **project: Any) -> Any:
        """An attempt in a project of its own that has been started, as the page does it."""
        made = await self.project(**project)
        task = {
            "project_id": made["id"],
            "title": "Add dark mode",
            "description": description,
            "parent_task_attempt": None,
            "image_ids": None,
        }
        started = await self.ask(
            "POST",
            "/api/tasks/create-and-start",
            {**LISTED_TASK, "has_in_progress_attempt": True, "executor": "CLAUDE_CODE"},
            {
                "task": task,
                "executor_profile_id": {"executor": "CLAUDE_CODE", "variant": None},
                "base_branch": "main",
            },
        )
        path = f"/api/task-attempts?task_id={started['id']}"
        return (await self.ask("GET", path, [ATTEMPT]))[0]

    async def over(self, attempt: Any) -> Any:
        """The newest process of an attempt, when nothing runs there any more."""
        process = await self.daemon.over(attempt)
        assert misfits(process, PROCESS) == []
        return process


def with_claude(daemon: Daemon) -> ReferenceClient:
    """From now on, the program `claude` is a fake."""
    fake = SCRIPTED_AGENTS / "claude_program.py"
    program: Path = daemon.root / "programs" / "claude"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -I -S {fake}\n")
    program.chmod(0o755)
    return ReferenceClient(daemon)
