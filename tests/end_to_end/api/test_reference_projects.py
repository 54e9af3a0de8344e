"""Projects, tasks, tags, images, directories: each request of the page, and what it promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.clients.reference_client import (
    ATTEMPT,
    IMAGE,
    LISTED_TASK,
    PROJECT,
    TAG,
    TASK,
    TIME,
    UUID,
    ReferenceClient,
    misfits,
    with_claude,
)
from tests.support.daemon import Daemon
from tests.support.http.pictures import png


@pytest.fixture
def page(daemon: Daemon) -> ReferenceClient:
    return with_claude(daemon)


async def test_projects(page: ReferenceClient, daemon: Daemon) -> None:
    new = {
        "name": "My New Project",
        "git_repo_path": str(daemon.root / "my-project"),
        "use_existing_repo": False,
        "setup_script": "npm install && npm run build",
        "dev_script": "npm run dev",
        "cleanup_script": "npm run clean",
        "copy_files": None,
    }
    created = await page.ask("POST", "/api/projects", PROJECT, new)
    assert created.items() >= (new.items() - {("use_existing_repo", False)})
    path = f"/api/projects/{created['id']}"
    assert await page.ask("GET", path, PROJECT) == created
    assert await page.ask("GET", "/api/projects", [PROJECT]) == [created]
    patch = {
        "name": "Updated Project Name",
        "git_repo_path": None,
        "setup_script": "pnpm install",
        "dev_script": "pnpm dev",
        "cleanup_script": None,
        "copy_files": None,
    }
    changed = await page.ask("PUT", path, PROJECT, patch)
    saved = {key: created[key] for key, value in patch.items() if value is None}
    assert changed.items() >= {**patch, **saved}.items()
    await page.ask("DELETE", path, None)
    assert await page.ask("GET", "/api/projects", [PROJECT]) == []


async def test_branches_and_files_of_a_project(page: ReferenceClient, daemon: Daemon) -> None:
    project = await page.project()
    path = f"/api/projects/{project['id']}"
    repository = Path(project["git_repo_path"])
    daemon.git(repository, "update-ref", "refs/remotes/origin/develop", "HEAD")
    branch = {"name": str, "is_current": bool, "is_remote": bool, "last_commit_date": TIME}
    found = await page.ask("GET", f"{path}/branches", [branch])
    reported = {b["name"]: (b["is_current"], b["is_remote"]) for b in found}
    assert reported == {"main": (True, False), "origin/develop": (False, True)}

    result = {
        "path": str,
        "is_file": bool,
        "match_type": {"FileName", "DirectoryName", "FullPath"},
    }
    for mode in ("", "&mode=TaskForm", "&mode=Settings"):
        found = await page.ask("GET", f"{path}/search?q=readme{mode}", [result])
        assert [(f["path"], f["match_type"]) for f in found] == [("README.md", "FileName")]


async def test_editors(page: ReferenceClient, daemon: Daemon) -> None:
    opened = daemon.root / "opened"
    editor = {"editor_type": "CUSTOM", "custom_command": f"touch {opened}"}
    await page.ask("PUT", "/api/config", dict, {"editor": editor})
    attempt = await page.attempt()
    project = (await page.ask("GET", "/api/projects", [PROJECT]))[0]
    await page.over(attempt)
    asked: tuple[tuple[str, dict[str, str | None]], ...] = (
        (f"/api/projects/{project['id']}", {"editor_type": None}),
        (f"/api/task-attempts/{attempt['id']}", {"editor_type": None, "file_path": None}),
    )
    for path, body in asked:
        await page.ask("POST", f"{path}/open-editor", {"url": None}, body)

        async def look() -> bool:
            return opened.exists()

        await daemon.until(look, "the editor")
        opened.unlink()
    remote = {"editor_type": "CURSOR", "remote_ssh_host": "box", "remote_ssh_user": "ada"}
    await page.ask("PUT", "/api/config", dict, {"editor": remote})
    url = {"url": str}
    await page.ask("POST", f"/api/projects/{project['id']}/open-editor", url, {})
    file = {"editor_type": "VS_CODE", "file_path": "src/index.ts"}
    await page.ask("POST", f"/api/task-attempts/{attempt['id']}/open-editor", url, file)


async def test_tasks(page: ReferenceClient, daemon: Daemon) -> None:
    project = await page.project()
    images = [await _uploaded(page, n) for n in (b"1", b"2", b"3")]
    new = {
        "project_id": project["id"],
        "title": "Implement user authentication",
        "description": "Add JWT-based authentication flow with refresh tokens",
        "parent_task_attempt": None,
        "image_ids": [images[0]["id"], images[1]["id"]],
    }
    created = await page.ask("POST", "/api/tasks", {**TASK, "status": "todo"}, new)
    path = f"/api/tasks/{created['id']}"
    assert misfits(await page.ask("GET", path, TASK), created) == []
    listed = await page.ask("GET", f"/api/tasks?project_id={project['id']}", [LISTED_TASK])
    assert [task["id"] for task in listed] == [created["id"]]
    patch = {
        "title": "Updated task title",
        "description": "Updated description",
        "status": "inreview",
        "parent_task_attempt": None,
        "image_ids": [images[2]["id"]],
    }
    changed = await page.ask("PUT", path, TASK, patch)
    assert (changed["title"], changed["status"]) == ("Updated task title", "inreview")
    displayed = await page.ask("GET", f"/api/images/task/{created['id']}", [IMAGE])
    assert [image["id"] for image in displayed] == [images[2]["id"]]
    for status in ("todo", "inprogress", "inreview", "done", "cancelled"):
        await page.ask("PUT", path, {**TASK, "status": status}, {"status": status})
    saved = await page.ask("GET", path, TASK)
    assert saved["description"] == "Updated description"

    stream = f"/api/tasks/stream/ws?project_id={project['id']}"
    async with daemon.socket(stream) as socket:
        await socket.get_message()
        frames = {}
        second = await page.ask("POST", "/api/tasks", TASK, {**new, "image_ids": None})
        frames["task_created"] = await socket.get_message()
        await page.ask("PUT", f"/api/tasks/{second['id']}", TASK, {"title": "Again"})
        frames["task_updated"] = await socket.get_message()
        await page.ask("DELETE", f"/api/tasks/{second['id']}", None, status=202)
        frames["task_deleted"] = await socket.get_message()
    for kind, frame in frames.items():
        assert (
            misfits(json.loads(frame), {"type": kind, "data": {**TASK, "id": second["id"]}}) == []
        )
    gone = await daemon.request("GET", f"/api/tasks/{second['id']}")
    assert gone.status_code == 404


async def test_images(page: ReferenceClient, daemon: Daemon) -> None:
    project = await page.project()
    new = {"project_id": project["id"], "title": "T"}
    task = await page.ask("POST", "/api/tasks", TASK, new)
    first = await _uploaded(page, b"1")
    second = await _uploaded(page, b"2", f"task/{task['id']}/")
    assert await page.ask("GET", f"/api/images/task/{task['id']}", [IMAGE]) == [second]
    file = await daemon.request("GET", f"/api/images/{first['id']}/file")
    assert (file.status_code, file.headers["content-type"]) == (200, "image/png")
    assert file.content == png(b"1")
    await page.ask("DELETE", f"/api/images/{first['id']}", None)
    assert (await daemon.request("GET", f"/api/images/{first['id']}/file")).status_code == 404


async def test_the_filesystem(page: ReferenceClient, daemon: Daemon) -> None:
    repository = daemon.repository("my-project")
    home = daemon.home / "projects"
    home.mkdir()
    repository.rename(home / "my-project")
    entry = {
        "name": "my-project",
        "path": str(home / "my-project"),
        "is_directory": True,
        "is_git_repo": True,
        "last_modified": int,
    }
    listed = {"entries": [entry], "current_path": str(home)}
    found = await page.ask("GET", f"/api/filesystem/directory?path={home}", listed)
    assert found["entries"][0]["last_modified"] > 1_700_000_000_000, "milliseconds"
    at_home = {"entries": [dict], "current_path": str(daemon.home)}
    await page.ask("GET", "/api/filesystem/directory", at_home)
    for query in (f"?path={daemon.home}", ""):
        assert len(await page.ask("GET", f"/api/filesystem/git-repos{query}", [entry])) == 1


async def test_tags(page: ReferenceClient) -> None:
    new = {
        "tag_name": "testing-prompt",
        "content": "Please write comprehensive unit tests for...",
    }
    created = await page.ask("POST", "/api/tags", {**TAG, **new}, new)
    path = f"/api/tags/{created['id']}"
    assert await page.ask("GET", path, TAG) == created
    for query, expected in (("", [created]), ("?search=testing", [created]), ("?search=x", [])):
        assert await page.ask("GET", f"/api/tags{query}", [TAG]) == expected
    patch = {"tag_name": "updated-name", "content": "Updated content"}
    await page.ask("PUT", path, {**TAG, **patch, "id": created["id"]}, patch)
    await page.ask("DELETE", path, None)
    assert await page.ask("GET", "/api/tags", [TAG]) == []


async def test_attempts_as_parents_and_where_they_are(page: ReferenceClient) -> None:
    attempt = await page.attempt()
    await page.over(attempt)
    project = (await page.ask("GET", "/api/projects", [PROJECT]))[0]
    place = {
        "attempt_id": attempt["id"],
        "task_id": attempt["task_id"],
        "project_id": project["id"],
    }
    await page.ask("GET", f"/api/containers/info?ref={attempt['container_ref']}", place)
    new = {"project_id": project["id"], "title": "A part", "parent_task_attempt": attempt["id"]}
    child = await page.ask("POST", "/api/tasks", {**TASK, "parent_task_attempt": UUID}, new)
    around = {"parent_task": None, "current_attempt": ATTEMPT, "children": [TASK]}
    found = await page.ask("GET", f"/api/task-attempts/{attempt['id']}/children", around)
    assert [task["id"] for task in found["children"]] == [child["id"]]


async def _uploaded(page: ReferenceClient, content: bytes, where: str = "") -> Any:
    files = {"image": ("screenshot.png", png(content), "image/png")}
    path = f"/api/images/{where}upload"
    return await page.ask("POST", path, IMAGE, files=files)
