"""Every call of vibe-kanban's web client, answered as it expects: one table, row by row."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.support.clients.vk_client import NOTHING, VkClient, page
from tests.support.clients.vk_shapes import (
    ATTEMPT,
    BRANCH,
    CONFIG,
    DISPLAYED_TASK,
    DRAFT,
    ENTRY,
    IMAGE,
    INFO,
    PNG,
    PROCESS,
    PROJECT,
    STATUS,
    TAG,
    TASK,
    Maybe,
    OneOf,
)
from tests.support.daemon import Daemon, local_client
from tests.support.fakes.servers.github_server import GitHubServer, github_server, publish

PROFILE = {"executor": "DEMO", "variant": None}


class Row(NamedTuple):
    """One call, and what the client reads of the answer.

    Args:
        data: the shape of `data`; None is null itself, `...` whatever it is.
        refusal: for an answer that says no: `error_data`, and the sentence or whether there is one.
    """

    method: str
    path: str
    body: Any = NOTHING
    data: Any = ...
    status: int = 200
    refusal: tuple[Any, bool | str] | None = None
    keep: str = ""


NO = (None, True)

READING = [
    Row("GET", "/api/health", data="OK"),
    Row("GET", "/api/info", data=INFO),
    Row("GET", "/api/config", data=CONFIG),
    Row("PUT", "/api/config", {"git_branch_prefix": "a/b"}, None, 200, NO),
    Row("GET", "/api/profiles", data={"content": str, "path": str}),
    Row("PUT", "/api/profiles", {"executors": {"DEMO": {"QUIET": {"DEMO": {}}}}}, str),
    Row("PUT", "/api/profiles", {"executors": {"NOBODY": {}}}, None, 200, NO),
    Row("GET", "/api/mcp-config?executor=CLAUDE_CODE", data={"mcp_config": dict,
        "config_path": str}),
    Row("POST", "/api/mcp-config?executor=CLAUDE_CODE", {"servers": {}}),
    Row("POST", "/api/mcp-config?executor=NOBODY", {"servers": {}}, None, 400, (..., True)),
    Row("GET", "/api/projects", data=[PROJECT]),
    Row("GET", "/api/projects/{project}", data=PROJECT),
    Row("PUT", "/api/projects/{project}", {"name": "Tea", "git_repo_path": None,
        "setup_script": "true", "dev_script": "sleep 600", "cleanup_script": "true",
        "copy_files": "a,b"}, {**PROJECT, "setup_script": "true", "copy_files": "a,b"}),
    Row("PUT", "/api/projects/{project}", {"setup_script": None}, {**PROJECT,
        "setup_script": None, "dev_script": "sleep 600", "cleanup_script": "true"}),
    Row("PUT", "/api/projects/{project}", {"name": None, "git_repo_path": None,
        "setup_script": None, "dev_script": "sleep 600", "cleanup_script": None,
        "copy_files": None}, {**PROJECT, "name": "Tea", "cleanup_script": None,
        "copy_files": None}),
    Row("GET", "/api/projects/{project}/branches", data=[BRANCH]),
    Row("GET", "/api/projects/{project}/search?q=read", data=[{"path": str, "is_file": bool,
        "match_type": OneOf(("FileName", "DirectoryName", "FullPath"))}]),
    Row("GET", "/api/projects/{project}/search?q=read&mode=Settings", data=list),
    Row("GET", "/api/tags", data=[]),
    Row("POST", "/api/tags", {"tag_name": "tests", "content": "Run them."}, TAG, keep="tag"),
    Row("GET", "/api/tags/{tag}", data=TAG),
    Row("PUT", "/api/tags/{tag}", {"tag_name": None, "content": "Run all."}, TAG),
    Row("DELETE", "/api/tags/{tag}", data=None),
    Row("GET", "/api/filesystem/directory", data={"entries": list, "current_path": str}),
    Row("GET", "/api/filesystem/git-repos", data=[ENTRY]),
    Row("GET", "/api/auth/github/check", data="VALID"),
    Row("POST", "/api/auth/github/device/start", data={"user_code": str, "verification_uri": str,
        "expires_in": int, "interval": int}),
    Row("POST", "/api/auth/github/device/poll", data="AUTHORIZATION_PENDING"),
]  # fmt: skip

WORKING = [
    Row("POST", "/api/tasks", {"project_id": "{project}", "title": "T", "description": "",
        "parent_task_attempt": None, "image_ids": None}, TASK, keep="task"),
    Row("PUT", "/api/tasks/{task}", {"title": "Do it", "description": "some", "status": None,
        "parent_task_attempt": None, "image_ids": None}, {**TASK, "description": "some"}),
    Row("PUT", "/api/tasks/{task}", {"title": None, "description": "", "status": "todo",
        "parent_task_attempt": None, "image_ids": None}, {**TASK,
        "description": OneOf(("", None))}),
    Row("GET", "/api/tasks?project_id={project}", data=[DISPLAYED_TASK]),
    Row("GET", "/api/tasks/{task}", data=TASK),
    Row("POST", "/api/task-attempts", {"task_id": "{task}", "executor_profile_id": PROFILE,
        "base_branch": "main"}, ATTEMPT, keep="attempt"),
    Row("GET", "/api/task-attempts?task_id={task}", data=[ATTEMPT]),
    Row("GET", "/api/task-attempts?task_id={nothing}", data=[]),
    Row("GET", "/api/task-attempts/{attempt}", data=ATTEMPT),
    Row("GET", "/api/task-attempts/{nothing}", None, None, 404, (..., True)),
    Row("GET", "/api/execution-processes?task_attempt_id={attempt}&show_soft_deleted=true",
        data=[PROCESS], keep="process"),
    Row("GET", "/api/execution-processes?task_attempt_id={nothing}", data=[]),
    Row("GET", "/api/execution-processes/{process}", data=PROCESS),
    Row("GET", "/api/approvals/pending", data=[{"approval_id": str, "requested_at": str,
        "timeout_at": str, "execution_process_id": str, "tool_name": str}], keep="approval"),
    Row("POST", "/api/task-attempts/{attempt}/follow-up", {"prompt": "Too early.", "variant": None,
        "image_ids": None, "retry_process_id": None, "force_when_dirty": None,
        "perform_git_reset": None}, None, 409, (..., True)),
    Row("DELETE", "/api/tasks/{task}", NOTHING, None, 409, (..., True)),
    Row("DELETE", "/api/task-attempts/{attempt}", NOTHING, None, 409, (..., True)),
    Row("POST", "/api/approvals/{approval}/respond", {"execution_process_id": "{process}",
        "status": {"status": "approved"}}, {"status": "approved"}),
    Row("POST", "/api/approvals/{approval}/respond", {"execution_process_id": "{process}",
        "status": {"status": "approved"}}, {"status": "approved"}),
]  # fmt: skip

AFTERWARDS = [
    Row("GET", "/api/approvals/pending", data=[]),
    Row("GET", "/api/task-attempts/{attempt}/children", data={"parent_task": Maybe(TASK),
        "current_attempt": ATTEMPT, "children": [TASK]}),
    Row("GET", "/api/task-attempts/{attempt}/branch-status", data=STATUS),
    Row("GET", "/api/task-attempts/{attempt}/commit-info?sha=HEAD", data={"sha": str,
        "subject": str}),
    Row("GET", "/api/task-attempts/{attempt}/commit-compare?sha=HEAD~1", data={"head_oid": str,
        "target_oid": str, "ahead_from_head": int, "behind_from_head": int, "is_linear": bool}),
    Row("GET", "/api/task-attempts/{attempt}/draft?type=follow_up", data=DRAFT),
    Row("GET", "/api/task-attempts/{attempt}/draft?type=retry", data=DRAFT),
    Row("PUT", "/api/task-attempts/{attempt}/draft?type=follow_up", {"prompt": "x"}, {**DRAFT,
        "prompt": "x"}),
    Row("PUT", "/api/task-attempts/{attempt}/draft?type=follow_up", {"variant": None}, {**DRAFT,
        "prompt": "x"}),
    Row("PUT", "/api/task-attempts/{attempt}/draft?type=retry", {"retry_process_id": "{process}",
        "prompt": "again", "image_ids": [], "version": None}, DRAFT),
    Row("DELETE", "/api/task-attempts/{attempt}/draft?type=retry", data=None),
    Row("POST", "/api/task-attempts/{attempt}/draft/queue?type=follow_up", {"queued": False},
        {**DRAFT, "queued": False}),
    Row("PUT", "/api/task-attempts/{attempt}/draft?type=follow_up", {"prompt": ""}, DRAFT),
    Row("POST", "/api/task-attempts/{attempt}/run-agent-setup", {"executor_profile_id": PROFILE},
        None, 422, (..., True)),
    Row("POST", "/api/task-attempts/{attempt}/start-dev-server", data=None),
    Row("POST", "/api/task-attempts/{attempt}/stop", data=None),
    Row("POST", "/api/execution-processes/{process}/stop", data=None),
    Row("POST", "/api/task-attempts/{attempt}/open-editor", None),
    Row("POST", "/api/task-attempts/{attempt}/open-editor", {"file_path": "README.md"}),
    Row("POST", "/api/projects/{project}/open-editor", None),
    Row("PUT", "/api/projects/{project}", {"dev_script": None}, {**PROJECT, "dev_script": None}),
    Row("POST", "/api/task-attempts/{attempt}/start-dev-server", NOTHING, None, 200, NO),
    Row("POST", "/api/task-attempts/{attempt}/change-target-branch", {"new_target_branch": "no"},
        None, 200, NO),
    Row("POST", "/api/task-attempts/{attempt}/change-target-branch", {"new_target_branch": "main"},
        {"new_target_branch": "main", "status": [int]}),
    Row("POST", "/api/task-attempts/{attempt}/rename-branch", {"new_branch_name": "main"},
        None, 200, NO),
    Row("POST", "/api/task-attempts/{attempt}/rename-branch", {"new_branch_name": "tea-timer"},
        {"branch": "tea-timer"}),
    Row("POST", "/api/task-attempts/{attempt}/rebase", {"old_base_branch": None,
        "new_base_branch": "no"}, None, 200, NO),
    Row("POST", "/api/task-attempts/{attempt}/rebase", {"old_base_branch": "main",
        "new_base_branch": "rival"}, None, 200, ({"type": "merge_conflicts", "op": "rebase",
        "message": str}, False)),
    Row("GET", "/api/task-attempts/{attempt}/branch-status", data={**STATUS,
        "is_rebase_in_progress": True, "conflict_op": "rebase", "conflicted_files": [str]}),
    Row("POST", "/api/task-attempts/{attempt}/rebase", {"old_base_branch": "main",
        "new_base_branch": "rival"}, None, 200, ({"type": "rebase_in_progress"}, False)),
    Row("POST", "/api/task-attempts/{attempt}/conflicts/abort", data=None),
    Row("POST", "/api/task-attempts/{attempt}/rebase", {"old_base_branch": "main",
        "new_base_branch": "main"}, data=None),
    Row("PUT", "/api/config", {"github": {"pat": ""}}, CONFIG),
    Row("POST", "/api/task-attempts/{attempt}/pr", {"title": "T", "body": "B",
        "target_branch": "main"}, None, 200, ("TOKEN_INVALID", False)),
    Row("PUT", "/api/config", {"github": {"pat": "ghp_wrong"}}, CONFIG),
    Row("POST", "/api/task-attempts/{attempt}/pr", {"title": "T", "body": "B",
        "target_branch": "main"}, None, 200, ("TOKEN_INVALID", False)),
    Row("GET", "/api/auth/github/check", data="INVALID"),
    Row("PUT", "/api/config", {"github": {"pat": "ghp_adas_secret_token"}}, CONFIG),
    Row("POST", "/api/task-attempts/{attempt}/pr", {"title": "T", "body": "B",
        "target_branch": "nowhere"}, None, 200, NO),
    Row("POST", "/api/task-attempts/{attempt}/push", data=None),
    Row("POST", "/api/task-attempts/{attempt}/pr", {"title": "T", "body": "B",
        "target_branch": "main"}, str),
    Row("GET", "/api/images/task/{task}", data=[IMAGE]),
    Row("GET", "/api/images/task/{nothing}", data=[]),
    Row("DELETE", "/api/images/{image}", data=None),
    Row("DELETE", "/api/images/{image}", data=None),
    Row("DELETE", "/api/task-attempts/{attempt}", data=None),
    Row("DELETE", "/api/tasks/{task}", data=None, status=202),
    Row("GET", "/api/tasks?project_id={project}", data=[]),
    Row("DELETE", "/api/projects/{project}", data=None),
    Row("GET", "/api/nothing", NOTHING, None, 404, (..., True)),
    Row("PATCH", "/api/projects", NOTHING, None, 405, (..., True)),
]  # fmt: skip


def differences(value: Any, shape: Any, where: str = "data") -> Iterator[str]:
    """How `value` is not as `shape` says; more than it says is fine."""
    if shape is ...:
        return
    if isinstance(shape, Maybe):
        if value is not None:
            yield from differences(value, shape.shape, where)
    elif isinstance(shape, OneOf):
        if value not in shape.values:
            yield f"{where} is {value!r}"
    elif isinstance(shape, type):
        if type(value) is not shape:
            yield f"{where} is {value!r}"
    elif isinstance(shape, dict):
        if not isinstance(value, dict):
            yield f"{where} is {value!r}"
            return
        for name, inner in shape.items():
            if name not in value:
                yield f"{where}.{name} is missing"
            else:
                yield from differences(value[name], inner, f"{where}.{name}")
    elif isinstance(shape, list) and shape:
        if not isinstance(value, list):
            yield f"{where} is {value!r}"
            return
        for index, item in enumerate(value):
            yield from differences(item, shape[0], f"{where}[{index}]")
    elif value != shape:
        yield f"{where} is {value!r}"


def filled(value: Any, known: dict[str, str]) -> Any:
    if isinstance(value, str):
        for name, id in known.items():
            value = value.replace(f"{{{name}}}", id)
    if isinstance(value, dict):
        return {key: filled(inner, known) for key, inner in value.items()}
    return value


async def walk(client: VkClient, rows: list[Row], known: dict[str, str]) -> list[str]:
    """All that is wrong with the answers to `rows`; ids that are found are kept in `known`."""
    wrong: list[str] = []
    for number, row in enumerate(rows):
        found = await client.request(row.method, filled(row.path, known), filled(row.body, known))
        flaws = list(read(found, row))
        if not flaws and row.keep:
            data = found.json()["data"]
            known[row.keep] = (data[0] if isinstance(data, list) else data)["id"]
        wrong += [f"{number}: {row.method} {row.path}: {flaw}" for flaw in flaws]
    return wrong


def read(found: httpx.Response, row: Row) -> Iterator[str]:
    if found.status_code != row.status:
        yield f"status {found.status_code}: {found.text[:300]}"
        return
    body = found.json()
    if not {"success", "data", "error_data", "message"} <= body.keys():
        yield f"no envelope: {body}"
    if row.refusal is None:
        if not body["success"]:
            yield f"refused: {body}"
        yield from differences(body["data"], row.data)
        return
    error_data, sentence = row.refusal
    if body["success"] or body["data"] is not None:
        yield f"not refused: {body}"
    if (body["message"] if isinstance(sentence, str) else bool(body["message"])) != sentence:
        yield f"message is {body['message']!r}"
    yield from differences(body["error_data"], error_data, "error_data")


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubServer]:
    with github_server(tmp_path / "hub") as made:
        yield made


@pytest.fixture
async def daemon(tmp_path: Path, github: GitHubServer) -> AsyncIterator[Daemon]:
    """A daemon for which the fake is GitHub, and whose editors and browsers are files."""
    made = Daemon(tmp_path / "daemon")
    tools = tmp_path / "daemon" / "programs"
    tools.mkdir()
    for name in ("xdg-open", "open", "code"):
        (tools / name).write_text("#!/bin/sh\nexit 0\n")
        (tools / name).chmod(0o755)
    made.environment |= {
        "DISPLAY": ":0",
        "ANYON_DEMO_PACE": "0",
        "ANYON_GITHUB_URL": github.url,
        "ANYON_GITHUB_API_URL": github.api,
        "ANYON_GITHUB_CLIENT_ID": github.client_id,
    }
    await made.start("--vk-port", "0")
    try:
        yield made
    finally:
        await made.__aexit__()
    assert "Traceback" not in made.log()


async def test_every_call_of_the_catalogue(daemon: Daemon, github: GitHubServer) -> None:
    repository = daemon.repository()
    publish(repository, github, "ada/tea")
    daemon.git(repository, "checkout", "-qb", "rival")
    (repository / "NOTES.md").write_text("something else altogether\n")
    daemon.git(repository, "add", "-A")
    daemon.git(repository, "commit", "-qm", "Rival notes")
    daemon.git(repository, "checkout", "-q", "main")
    known = {"nothing": "00000000-0000-4000-8000-000000000000"}
    async with page(daemon) as web:
        client = web.client
        await client.call("PUT", "/api/config", {"github": {"pat": "ghp_adas_secret_token"}})
        created = {"name": "P", "git_repo_path": str(repository), "use_existing_repo": True,
                   "setup_script": None, "dev_script": None, "cleanup_script": None,
                   "copy_files": None}  # fmt: skip
        project = await client.call("POST", "/api/projects", created)
        known["project"] = project["id"]
        github.grants = [{"error": "authorization_pending"}]
        assert not await walk(client, READING, known)
        github.grants = [{"error": "expired_token"}]
        poll = "/api/auth/github/device/poll"
        await client.call("POST", "/api/auth/github/device/start")
        too_late = Row("POST", poll, NOTHING, None, 409, (..., "expired_token"))
        assert not await walk(client, [too_late], known)

        assert not await walk(client, WORKING[:6], known)
        await daemon.question()
        assert not await walk(client, WORKING[6:], known)
        attempt = await client.call("GET", f"/api/task-attempts/{known['attempt']}")
        await daemon.over(attempt)

        picture = {"image": ("a.png", PNG, "image/png")}
        async with local_client(client.base) as forms:
            for path in ("upload", f"task/{known['task']}/upload"):
                upload = await forms.post(f"/api/images/{path}", files=picture)
                assert not list(read(upload, Row("POST", path, data=IMAGE)))
        known["image"] = upload.json()["data"]["id"]
        file = await client.request("GET", f"/api/images/{known['image']}/file")
        assert (file.content, file.headers["content-type"]) == (PNG, "image/png")
        sound = await client.request("GET", "/api/sounds/COW_MOOING")
        assert sound.headers["content-type"] == "audio/wav"
        assert not await walk(client, AFTERWARDS, known)


async def test_a_whole_config_comes_back_as_it_was_sent(daemon: Daemon) -> None:
    async with page(daemon) as web:
        info = await web.client.call("GET", "/api/info")
        changed = info["config"] | {
            "showcases": {"seen_features": ["task-panel-onboarding"], "later": [1]},
            "show_release_notes": True,
            "last_app_version": "0.0.116",
            "something_new": {"deep": [None, 1.5]},
        }
        assert await web.client.call("PUT", "/api/config", changed) == changed
        await daemon.stop()
        await daemon.start("--vk-port", "0")
    async with page(daemon) as web:
        assert (await web.client.call("GET", "/api/info"))["config"] == changed


async def test_an_agent_that_cannot_be_started_leaves_a_task_that_can_be_seen(
    daemon: Daemon,
) -> None:
    project = await daemon.project()
    lost = {"base_command_override": f"{sys.executable}-that-is-not-there"}
    body = {"executors": {"ACP": {"DEFAULT": {"ACP": lost}}}}
    await daemon.ask("PUT", "/api/profiles", body)
    profile = {"executor": "ACP", "variant": None}
    async with page(daemon) as web:
        made = await web.client.call(
            "POST",
            "/api/tasks/create-and-start",
            {
                "task": {"project_id": project["id"], "title": "T", "description": None},
                "executor_profile_id": profile,
                "base_branch": "main",
            },
        )
        assert not list(differences(made, DISPLAYED_TASK))
        again = await web.client.call(
            "POST",
            "/api/task-attempts",
            {"task_id": made["id"], "executor_profile_id": profile, "base_branch": "main"},
        )
        assert not list(differences(again, ATTEMPT))
        rows = await web.client.call(
            "GET", f"/api/execution-processes?task_attempt_id={again['id']}"
        )
        assert [row["status"] for row in rows] == ["failed"]
        log = await web.conversation(rows[0])
        await log.until_finished()
        assert log.document["entries"]


async def test_our_own_api_is_what_it_was(daemon: Daemon) -> None:
    project = await daemon.project(setup_script="true")
    plain = await daemon.ask("PUT", f"/api/projects/{project['id']}", {"setup_script": None})
    assert plain["setup_script"] == "true"
    assert (await daemon.request("GET", "/api/config")).status_code == 405
    assert (
        await daemon.request("DELETE", f"/api/task-attempts/{project['id']}")
    ).status_code == 405
    bad = await daemon.request("PUT", "/api/config", json={"git_branch_prefix": "a/b"})
    assert bad.status_code == 400
    prefixed = await daemon.request("PUT", "/vk/api/config", json={"git_branch_prefix": "a/b"})
    assert prefixed.status_code == 200


async def test_pages_of_strangers_are_refused_there_too(daemon: Daemon) -> None:
    async with page(daemon) as web:
        for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
            for path in ("/api/info", "/vk/api/config"):
                found = await web.client.http.get(path, headers=headers)
                assert (found.status_code, found.json()["success"]) == (403, False)
