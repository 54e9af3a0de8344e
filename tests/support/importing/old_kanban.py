"""A vibe-kanban of a chosen age, made in a few lines: its database, its repository, its images."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import uuid
from pathlib import Path
from typing import Any

AGES = ("0.0.95", "0.0.116", "0.0.138", "0.0.145")
"""Templates and base branches; tags and drafts; tables of repositories; workspaces, sessions."""

MOMENT = "2025-10-21 08:{:02d}:00.250"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(64)

_EVERY_AGE = """
CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL);
CREATE TABLE images (id BLOB PRIMARY KEY, file_path TEXT NOT NULL, original_name TEXT NOT NULL,
    mime_type TEXT, size_bytes INTEGER, hash TEXT NOT NULL UNIQUE, created_at TEXT,
    updated_at TEXT);
CREATE TABLE task_images (id BLOB PRIMARY KEY, task_id BLOB NOT NULL, image_id BLOB NOT NULL,
    created_at TEXT);
CREATE TABLE execution_process_logs (execution_id BLOB NOT NULL, logs TEXT NOT NULL,
    byte_size INTEGER NOT NULL, inserted_at TEXT NOT NULL);
"""
_PROCESS = """run_reason TEXT NOT NULL, executor_action TEXT NOT NULL DEFAULT '{}',
    status TEXT NOT NULL, exit_code INTEGER, dropped INTEGER NOT NULL DEFAULT 0,
    started_at TEXT NOT NULL, completed_at TEXT, created_at TEXT NOT NULL, updated_at TEXT"""
_SCRIPTS = "setup_script TEXT, dev_script TEXT, cleanup_script TEXT"
_MERGE = """merge_type TEXT NOT NULL, merge_commit TEXT, pr_number INTEGER, pr_url TEXT,
    pr_status TEXT, pr_merged_at TEXT, pr_merge_commit_sha TEXT, created_at TEXT NOT NULL,
    target_branch_name TEXT NOT NULL"""
_TASK = """id BLOB PRIMARY KEY, project_id BLOB NOT NULL, title TEXT NOT NULL, description TEXT,
    status TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL"""
_TURN = """id BLOB PRIMARY KEY, execution_process_id BLOB NOT NULL, session_id TEXT, prompt TEXT,
    summary TEXT"""


def schema(age: str) -> str:
    """The tables as they were at that age."""
    many = AGES.index(age) >= 2
    workspaces = age == "0.0.145"
    attempt = "workspaces" if workspaces else "task_attempts"
    target = {"0.0.95": ", base_branch TEXT", "0.0.116": ", target_branch TEXT"}.get(age, "")
    columns = {
        "0.0.95": f"git_repo_path TEXT NOT NULL, {_SCRIPTS}",
        "0.0.116": f"git_repo_path TEXT NOT NULL, {_SCRIPTS}, copy_files TEXT",
    }.get(age, "remote_project_id BLOB")
    parent = "parent_workspace_id" if workspaces else "parent_task_attempt"
    owner = "session_id" if workspaces else "task_attempt_id"
    heads = "" if many else ", before_head_commit TEXT, after_head_commit TEXT"
    merged = "workspace_id" if workspaces else "task_attempt_id"
    parts = [
        _EVERY_AGE,
        f"CREATE TABLE projects (id BLOB PRIMARY KEY, name TEXT NOT NULL, {columns},"
        " created_at TEXT, updated_at TEXT);",
        f"CREATE TABLE tasks ({_TASK}, {parent} BLOB);",
        f"CREATE TABLE {attempt} (id BLOB PRIMARY KEY, task_id BLOB NOT NULL, container_ref TEXT,"
        f" branch TEXT{target}{'' if workspaces else ', executor TEXT'},"
        " worktree_deleted INTEGER NOT NULL DEFAULT 0, setup_completed_at TEXT,"
        " created_at TEXT, updated_at TEXT);",
        f"CREATE TABLE execution_processes (id BLOB PRIMARY KEY, {owner} BLOB NOT NULL,"
        f" {_PROCESS}{heads});",
        f"CREATE TABLE merges (id BLOB PRIMARY KEY, {merged} BLOB NOT NULL, {_MERGE});",
    ]
    if workspaces:
        parts.append(
            "CREATE TABLE sessions (id BLOB PRIMARY KEY, workspace_id BLOB, executor TEXT,"
            f" created_at TEXT); CREATE TABLE coding_agent_turns ({_TURN});"
            " CREATE TABLE scratch (id BLOB PRIMARY KEY, payload TEXT);"
        )
    else:
        parts.append(f"CREATE TABLE executor_sessions ({_TURN}, task_attempt_id BLOB);")
    if many:
        parts.append(
            "CREATE TABLE repos (id BLOB PRIMARY KEY, path TEXT NOT NULL, name TEXT NOT NULL);"
            " CREATE TABLE project_repos (id BLOB PRIMARY KEY, project_id BLOB, repo_id BLOB,"
            f" {_SCRIPTS}, copy_files TEXT);"
            f" CREATE TABLE {'workspace' if workspaces else 'attempt'}_repos (id BLOB PRIMARY KEY,"
            f" {'workspace' if workspaces else 'attempt'}_id BLOB, repo_id BLOB,"
            " target_branch TEXT NOT NULL);"
            " CREATE TABLE execution_process_repo_states (id BLOB PRIMARY KEY,"
            " execution_process_id BLOB, repo_id BLOB, before_head_commit TEXT,"
            " after_head_commit TEXT);"
        )
    if age == "0.0.95":
        parts.append(
            "CREATE TABLE task_templates (id BLOB PRIMARY KEY, project_id BLOB, title TEXT,"
            " description TEXT, template_name TEXT NOT NULL, created_at TEXT, updated_at TEXT);"
            " CREATE TABLE follow_up_drafts (id BLOB PRIMARY KEY, task_attempt_id BLOB,"
            " prompt TEXT, queued INTEGER);"
        )
    else:
        parts.append(
            "CREATE TABLE tags (id BLOB PRIMARY KEY, tag_name TEXT NOT NULL UNIQUE, content TEXT,"
            " created_at TEXT, updated_at TEXT);"
        )
    if age == "0.0.116":
        parts.append(
            "CREATE TABLE drafts (id BLOB PRIMARY KEY, task_attempt_id BLOB, draft_type TEXT,"
            " prompt TEXT, queued INTEGER, variant TEXT);"
        )
    return "\n".join(parts)


class OldKanban:
    """One data directory of it, with a repository beside."""

    def __init__(self, root: Path, age: str) -> None:
        self.age = age
        self.many = AGES.index(age) >= 2
        self.workspaces = age == "0.0.145"
        self.root = root
        self.path = root / "vibe-kanban" / "db.sqlite"
        self.images = root / "cache" / "images"
        self.repository = root / "shop"
        self.path.parent.mkdir(parents=True)
        self.images.mkdir(parents=True)
        self.connection = sqlite3.connect(self.path, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.executescript(schema(age))
        self.insert("_sqlx_migrations", version=20251020120000, description="that age")
        self.git("init", "-q", "-b", "main", str(self.repository), at=root)
        self.git("commit", "-q", "--allow-empty", "-m", "first")
        self.repo_id = self.key("repo")

    def git(self, *arguments: str, at: Path | None = None) -> str:
        return subprocess.run(
            ["git", "-c", "user.name=Ada", "-c", "user.email=ada@localhost", *arguments],
            cwd=at or self.repository,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    @staticmethod
    def key(name: str) -> bytes:
        return uuid.uuid5(uuid.NAMESPACE_OID, name).bytes

    @classmethod
    def id(cls, name: str) -> str:
        return str(uuid.UUID(bytes=cls.key(name)))

    def insert(self, table: str, **values: Any) -> None:
        marks = ", ".join("?" * len(values))
        self.connection.execute(
            f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values())
        )

    def loosen(self) -> None:
        """Let every column be empty, as only damage makes them."""
        self.connection.execute("PRAGMA writable_schema = ON")
        self.connection.execute("UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '')")
        self.connection.close()
        self.connection = sqlite3.connect(self.path, isolation_level=None)

    # ------------------------------------------------------------ rows

    def project(self, name: str = "shop", repositories: int = 1) -> None:
        moments = {"created_at": MOMENT.format(0), "updated_at": MOMENT.format(0)}
        own = {"setup_script": "true", "dev_script": None, "cleanup_script": "echo bye"}
        if not self.many:
            path = str(self.root / name)
            self.insert(
                "projects", id=self.key(name), name=name, git_repo_path=path, **own, **moments
            )
            return
        self.insert("projects", id=self.key(name), name=name, **moments)
        for n in range(repositories):
            repo = self.repo_id if (name, n) == ("shop", 0) else self.key(f"repo {name} {n}")
            self.insert("repos", id=repo, path=str(self.root / name), name=name)
            self.insert(
                "project_repos",
                id=self.key(f"link {name} {n}"),
                project_id=self.key(name),
                repo_id=repo,
                **own,
            )

    def task(self, name: str, status: str = "todo", parent: str | None = None, **more: Any) -> None:
        parent_column = "parent_workspace_id" if self.workspaces else "parent_task_attempt"
        values = {
            "id": self.key(name),
            "project_id": self.key("shop"),
            "title": name,
            "description": None,
            "status": status,
            parent_column: None if parent is None else self.key(parent),
            "created_at": MOMENT.format(1),
            "updated_at": MOMENT.format(9),
        }
        self.insert("tasks", **values | more)

    def attempt(
        self, name: str, task: str, worktree: Path | None = None, executor: str = "CLAUDE_CODE"
    ) -> None:
        values = {
            "id": self.key(name),
            "task_id": self.key(task),
            "container_ref": None if worktree is None else str(worktree),
            "branch": f"vk/{name}",
            "created_at": MOMENT.format(2),
            "updated_at": MOMENT.format(3),
        }
        if not self.workspaces:
            values["executor"] = executor
        if not self.many:
            values["base_branch" if self.age == "0.0.95" else "target_branch"] = "main"
        self.insert("workspaces" if self.workspaces else "task_attempts", **values)
        if self.many:
            kind = "workspace" if self.workspaces else "attempt"
            link = {f"{kind}_id": self.key(name), "repo_id": self.repo_id}
            self.insert(f"{kind}_repos", id=self.key(f"at {name}"), target_branch="main", **link)
        if self.workspaces:
            # Its session has an id of its own, as new ones do.
            self.insert(
                "sessions",
                id=self.key(f"session {name}"),
                workspace_id=self.key(name),
                executor=executor,
                created_at=MOMENT.format(2),
            )

    def worktree(self, name: str, folder: str | None = None) -> Path:
        """A real one on the branch of an attempt; in a workspace, in the folder of its repo."""
        place = self.root / "worktrees" / name
        inner = place / "shop" if self.many else place
        inner.parent.mkdir(parents=True, exist_ok=True)
        self.git("worktree", "add", "-q", "-b", f"vk/{name}", str(inner))
        return place

    def process(
        self,
        name: str,
        attempt: str,
        minute: int,
        action: dict[str, Any] | str,
        reason: str = "codingagent",
        status: str = "completed",
        turn: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        owner = (
            {"session_id": self.key(f"session {attempt}")}
            if self.workspaces
            else {"task_attempt_id": self.key(attempt)}
        )
        values = {
            "id": self.key(name),
            "run_reason": reason,
            "executor_action": action if isinstance(action, str) else json.dumps(action),
            "status": status,
            "exit_code": 0 if status == "completed" else None,
            "started_at": MOMENT.format(minute),
            "completed_at": None if status == "running" else MOMENT.format(minute + 1),
            "created_at": MOMENT.format(minute),
            "updated_at": MOMENT.format(minute),
        }
        if not self.many:
            values |= {"before_head_commit": "a" * 40, "after_head_commit": "b" * 40}
        self.insert("execution_processes", **values | owner | more)
        if self.many:
            self.insert(
                "execution_process_repo_states",
                id=self.key(f"state {name}"),
                execution_process_id=self.key(name),
                repo_id=self.repo_id,
                before_head_commit="a" * 40,
                after_head_commit="b" * 40,
            )
        if turn is not None:
            table = "coding_agent_turns" if self.workspaces else "executor_sessions"
            self.insert(
                table, id=self.key(f"turn {name}"), execution_process_id=self.key(name), **turn
            )

    def log(self, process: str, *messages: Any) -> None:
        logs = "".join(json.dumps(message) + "\n" for message in messages)
        self.insert(
            "execution_process_logs",
            execution_id=self.key(process),
            logs=logs,
            byte_size=len(logs),
            inserted_at=MOMENT.format(5),
        )

    def image(self, name: str, task: str) -> str:
        """Returns the name of its file."""
        file = f"{self.id(name)}.png"
        (self.images / file).write_bytes(PNG + name.encode())
        self.insert(
            "images",
            id=self.key(name),
            file_path=file,
            original_name=f"{name}.png",
            hash=name,
        )
        self.insert(
            "task_images",
            id=self.key(f"{task} {name}"),
            task_id=self.key(task),
            image_id=self.key(name),
        )
        return file


def first_request(prompt: str, executor: str = "CLAUDE_CODE") -> dict[str, Any]:
    """The action of an agent's first run."""
    return {
        "typ": {
            "type": "CodingAgentInitialRequest",
            "prompt": prompt,
            "executor_profile_id": {"executor": executor, "variant": None},
        },
        "next_action": None,
    }


def claude_lines(text: str) -> list[dict[str, str]]:
    """What the log of a run of Claude Code holds, in pieces that are cut anywhere."""
    message = {"id": "m1", "role": "assistant", "content": [{"type": "text", "text": text}]}
    lines = [
        {"type": "system", "subtype": "init", "session_id": "s-1", "model": "m", "tools": []},
        {"type": "assistant", "session_id": "s-1", "message": message},
        {"type": "result", "subtype": "success", "is_error": False, "session_id": "s-1"},
    ]
    whole = "".join(json.dumps(line) + "\n" for line in lines)
    middle = len(whole) // 2
    return [{"Stdout": whole[:middle]}, {"Stdout": whole[middle:]}]
