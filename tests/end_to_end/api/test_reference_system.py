"""Settings, signing in, publishing and events: each request of the page, and what it promises."""

from __future__ import annotations

import io
import json
import re
import wave
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.support.clients.reference_client import (
    ENVELOPE,
    NOBODY,
    TASK,
    UUID,
    ReferenceClient,
    misfits,
    with_claude,
)
from tests.support.daemon import TIMEOUT_S, Daemon
from tests.support.fakes.servers.github_server import GitHubServer, github_server, publish

TOKEN = "ghp_xxx"
SLUG = "user/repo"

ENDPOINTS = """
GET /health
GET /api/info
PUT /api/config
GET /api/mcp-config
POST /api/mcp-config
GET /api/profiles
PUT /api/profiles
GET /api/sounds/{id}
POST /api/auth/github/device/start
POST /api/auth/github/device/poll
GET /api/auth/github/check
GET /api/projects
GET /api/projects/{id}
POST /api/projects
PUT /api/projects/{id}
DELETE /api/projects/{id}
GET /api/projects/{id}/branches
GET /api/projects/{id}/search
POST /api/projects/{id}/open-editor
GET /api/tasks
GET /api/tasks/{id}
POST /api/tasks
POST /api/tasks/create-and-start
PUT /api/tasks/{id}
DELETE /api/tasks/{id}
WS /api/tasks/stream/ws
GET /api/task-attempts
GET /api/task-attempts/{id}
POST /api/task-attempts
POST /api/task-attempts/{id}/follow-up
POST /api/task-attempts/{id}/replace-process
POST /api/task-attempts/{id}/run-agent-setup
GET /api/task-attempts/{id}/branch-status
WS /api/task-attempts/{id}/diff/ws
GET /api/task-attempts/{id}/commit-info
GET /api/task-attempts/{id}/commit-compare
POST /api/task-attempts/{id}/merge
POST /api/task-attempts/{id}/push
POST /api/task-attempts/{id}/pr
POST /api/task-attempts/{id}/pr/attach
POST /api/task-attempts/{id}/rebase
POST /api/task-attempts/{id}/conflicts/abort
POST /api/task-attempts/{id}/change-target-branch
POST /api/task-attempts/{id}/rename-branch
POST /api/task-attempts/{id}/open-editor
POST /api/task-attempts/{id}/delete-file
POST /api/task-attempts/{id}/start-dev-server
GET /api/task-attempts/{id}/children
POST /api/task-attempts/{id}/stop
GET /api/task-attempts/{id}/draft
PUT /api/task-attempts/{id}/draft
DELETE /api/task-attempts/{id}/draft
POST /api/task-attempts/{id}/draft/queue
GET /api/execution-processes
GET /api/execution-processes/{id}
POST /api/execution-processes/{id}/stop
WS /api/execution-processes/{id}/raw-logs/ws
WS /api/execution-processes/{id}/normalized-logs/ws
WS /api/execution-processes/stream/ws
POST /api/images/upload
POST /api/images/task/{id}/upload
GET /api/images/{id}/file
DELETE /api/images/{id}
GET /api/images/task/{id}
GET /api/events
GET /api/filesystem/directory
GET /api/filesystem/git-repos
GET /api/containers/info
GET /api/tags
GET /api/tags/{id}
POST /api/tags
PUT /api/tags/{id}
DELETE /api/tags/{id}
POST /api/approvals/{id}/respond
"""

CONFIG: dict[str, Any] = {
    "config_version": "1.0.0",
    "theme": "DARK",
    "executor_profile": {"executor": "CLAUDE_CODE", "variant": None},
    "disclaimer_acknowledged": True,
    "onboarding_acknowledged": True,
    "github_login_acknowledged": True,
    "telemetry_acknowledged": True,
    "analytics_enabled": True,
    "workspace_dir": "/path/to/workspace",
    "git_branch_prefix": "anyon",
    "language": "EN",
    "notifications": {
        "sound_enabled": True,
        "push_enabled": False,
        "sound_file": "ABSTRACT_SOUND1",
    },
    "editor": {
        "editor_type": "VS_CODE",
        "custom_command": None,
        "remote_ssh_host": None,
        "remote_ssh_user": None,
    },
    "github": {
        "pat": None,
        "oauth_token": TOKEN,
        "username": "myusername",
        "primary_email": "user@example.com",
        "default_pr_base": "main",
    },
}
CHOICES: dict[str, list[str]] = {
    "theme": ["LIGHT", "DARK", "SYSTEM"],
    "language": ["BROWSER", "EN", "JA", "ES", "KO"],
    "executor_profile.executor": [
        *("CLAUDE_CODE", "AMP", "GEMINI", "CODEX", "OPENCODE", "CURSOR_AGENT", "QWEN_CODE"),
        *("COPILOT", "DROID", "ACP", "DEMO"),
    ],
    "notifications.sound_file": [
        *("ABSTRACT_SOUND1", "ABSTRACT_SOUND2", "ABSTRACT_SOUND3", "ABSTRACT_SOUND4"),
        *("COW_MOOING", "PHONE_VIBRATION", "ROOSTER"),
    ],
    "editor.editor_type": [
        *("VS_CODE", "CURSOR", "WINDSURF", "INTELLI_J", "ZED", "XCODE", "CUSTOM"),
    ],
    "commit_message": ["summary", "title", "off"],
    "submodules": ["as_checkout", "all", "none"],
}


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubServer]:
    with github_server(tmp_path / "hub") as made:
        made.git.tokens[TOKEN] = "ada"
        yield made


@pytest.fixture
async def page(tmp_path: Path, github: GitHubServer) -> AsyncIterator[ReferenceClient]:
    daemon = Daemon(tmp_path / "daemon")
    daemon.environment |= {
        "ANYON_GITHUB_URL": github.url,
        "ANYON_GITHUB_API_URL": github.api,
        "ANYON_GITHUB_CLIENT_ID": github.client_id,
    }
    async with daemon:
        yield with_claude(daemon)


async def test_all_endpoints_are_there(page: ReferenceClient) -> None:
    endpoints = [line.split() for line in ENDPOINTS.split("\n") if line]
    assert len(endpoints) == 74
    for method, path in endpoints:
        if path == "/api/events":
            continue  # it never ends, and has a test of its own
        where = path.format(id=NOBODY)
        answer = await page.daemon.request("GET" if method == "WS" else method, where)
        if method == "WS":
            assert answer.status_code == 426, path
        else:
            assert answer.status_code not in {405, 500}, (method, path)
        if path != "/health":
            assert set(answer.json()) == ENVELOPE
            assert "There is nothing at" not in str(answer.json()["message"]), (method, path)


async def test_health(page: ReferenceClient) -> None:
    answer = await page.daemon.request("GET", "/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_the_configuration(page: ReferenceClient) -> None:
    displayed = {**CONFIG, "github": {**CONFIG["github"], "oauth_token": "********"}}
    await page.ask("PUT", "/api/config", displayed, CONFIG)
    info = {
        "config": displayed,
        "analytics_user_id": str,
        "executors": dict,
        "environment": dict.fromkeys(("os_type", "os_version", "os_architecture", "bitness"), str),
        "capabilities": dict,
    }
    found = await page.ask("GET", "/api/info", info)
    assert misfits(list(found["capabilities"].values()), [[str]]) == []
    assert "CLAUDE_CODE" in found["executors"]


async def test_every_choice_of_the_configuration_can_be_made_alone(page: ReferenceClient) -> None:
    for path, values in CHOICES.items():
        section, _, key = path.rpartition(".")
        for value in values:
            body = {section: {key: value}} if section else {key: value}
            await page.ask("PUT", "/api/config", body, body)
        body = {section: {key: "NONE OF THEM"}} if section else {key: "NONE OF THEM"}
        refusal = {"type": "invalid", "field": path}
        found = await page.refused("PUT", "/api/config", 400, refusal, body)
        assert all(value in found["message"] for value in values)
    await page.ask("PUT", "/api/config", dict, {})


async def test_mcp_servers(page: ReferenceClient) -> None:
    path = "/api/mcp-config?executor=CLAUDE_CODE"
    servers = {
        "filesystem": {
            "command": "npx",
            "args": ["-y", "@modelcontextprotocol/server-filesystem", "/path/to/allowed"],
        },
        "github": {
            "command": "npx",
            "args": ["-y", "@modelcontextprotocol/server-github"],
            "env": {"GITHUB_PERSONAL_ACCESS_TOKEN": TOKEN},
        },
    }
    await page.ask("POST", path, str, {"servers": servers})
    config = {
        "servers": servers,
        "servers_path": ["mcpServers"],
        "template": dict,
        "preconfigured": dict,
        "is_toml_config": False,
    }
    await page.ask("GET", path, {"mcp_config": config, "config_path": str})


async def test_profiles(page: ReferenceClient) -> None:
    variant = {"append_prompt": None, "model": "claude-sonnet-4-5", "approvals": True}
    body = {"executors": {"CLAUDE_CODE": {"default": {"CLAUDE_CODE": variant}}}}
    await page.ask("PUT", "/api/profiles", (dict, str), body)
    shape = {"content": str, "path": re.compile(r"/.*profiles\.json")}
    found = await page.ask("GET", "/api/profiles", shape)
    saved = json.loads(found["content"])["executors"]["CLAUDE_CODE"]["DEFAULT"]["CLAUDE_CODE"]
    assert (saved["model"], saved["approvals"]) == ("claude-sonnet-4-5", True)


async def test_sounds(page: ReferenceClient) -> None:
    for name in CHOICES["notifications.sound_file"]:
        answer = await page.daemon.request("GET", f"/api/sounds/{name}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
        with wave.open(io.BytesIO(answer.content)) as sound:
            assert sound.getnframes() > 0


async def test_signing_in(page: ReferenceClient, github: GitHubServer) -> None:
    await page.ask("GET", "/api/auth/github/check", "INVALID")
    code = {"user_code": str, "verification_uri": str, "expires_in": int, "interval": int}
    await page.ask("POST", "/api/auth/github/device/start", code)
    github.grants = [
        {"error": "authorization_pending"},
        {"access_token": TOKEN, "token_type": "bearer", "scope": "repo"},
    ]
    await page.ask("POST", "/api/auth/github/device/poll", "AUTHORIZATION_PENDING")
    await page.ask("POST", "/api/auth/github/device/poll", "SUCCESS")
    await page.ask("GET", "/api/auth/github/check", "VALID")


async def test_publishing(page: ReferenceClient, github: GitHubServer) -> None:
    await page.ask("PUT", "/api/config", dict, {"github": {"oauth_token": TOKEN}})
    attempt = await page.attempt()
    await page.over(attempt)
    publish(page.daemon.root / "project", github, SLUG)
    path = f"/api/task-attempts/{attempt['id']}"
    await page.ask("POST", f"{path}/push", None)
    assert attempt["branch"] in github.git.refs(SLUG)
    body = {
        "title": "Add dark mode support",
        "body": "This PR implements dark mode theme switching.\n\nCloses #123",
        "target_branch": None,
    }
    url = await page.ask("POST", f"{path}/pr", f"{github.url}/{SLUG}/pull/1", body)
    attached = {"pr_attached": True, "pr_url": url, "pr_number": 1, "pr_status": "open"}
    await page.ask("POST", f"{path}/pr/attach", attached)


async def test_events(page: ReferenceClient) -> None:
    assert page.daemon._http is not None
    found: dict[str, Any] = {}
    expected = {
        *("task_created", "task_updated", "task_deleted", "attempt_created", "attempt_updated"),
        *("process_started", "process_completed"),
    }
    with trio.fail_after(TIMEOUT_S):
        async with page.daemon._http.stream("GET", "/api/events") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            attempt = await page.attempt()
            await page.over(attempt)
            await page.ask("DELETE", f"/api/tasks/{attempt['task_id']}", None, status=202)
            name = ""
            async for line in stream.aiter_lines():
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    found[name] = json.loads(value)
                if expected <= set(found):
                    break
    assert misfits(found["task_created"], TASK) == []
    assert misfits(found["process_completed"], {"id": UUID, "status": "completed"}) == []
