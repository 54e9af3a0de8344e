"""Other clients of vibe-kanban's family say some things in other words, and are understood."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.clients.vk_client import Displayed, VkClient
from tests.support.clients.vk_shapes import PNG
from tests.support.daemon import Daemon

Json = dict[str, Any]


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    made = Daemon(tmp_path / "daemon")
    async with made:
        await made.use_fake_agent()
        yield made


@pytest.fixture
async def client(daemon: Daemon) -> AsyncIterator[VkClient]:
    async with VkClient.at(f"{daemon.url}/vk") as made:
        yield made


async def worked(daemon: Daemon, prompt: str = "write hello.txt hello") -> Json:
    attempt = await daemon.attempt(await daemon.project(), prompt)
    await daemon.over(attempt)
    return attempt


async def test_a_variant_that_is_missing_in_the_whole_file_is_deleted(
    daemon: Daemon, client: VkClient
) -> None:
    mine = {"CLAUDE_CODE": {"MINE": {"CLAUDE_CODE": {"model": "opus"}}}}
    await daemon.ask("PUT", "/api/profiles", {"executors": mine})
    whole = json.loads((await client.call("GET", "/api/profiles"))["content"])
    assert "MINE" in whole["executors"]["CLAUDE_CODE"]
    del whole["executors"]["CLAUDE_CODE"]["MINE"]
    await client.call("PUT", "/api/profiles", whole)
    left = (await client.call("GET", "/api/info"))["executors"]
    assert "MINE" not in left["CLAUDE_CODE"]
    assert left["ACP"], "what is named in the file stays"


async def test_a_part_of_the_file_leaves_the_rest_in_our_own_api(daemon: Daemon) -> None:
    mine = {"CLAUDE_CODE": {"MINE": {"CLAUDE_CODE": {"model": "opus"}}}}
    other = {"CLAUDE_CODE": {"OTHER": {"CLAUDE_CODE": {"model": "sonnet"}}}}
    await daemon.ask("PUT", "/api/profiles", {"executors": mine})
    both = await daemon.ask("PUT", "/api/profiles", {"executors": other})
    assert {"MINE", "OTHER"} <= set(both["executors"]["CLAUDE_CODE"])
    one = await daemon.ask("PUT", "/api/profiles?replace=true", {"executors": other})
    assert "MINE" not in one["executors"]["CLAUDE_CODE"]
    assert {"OTHER", "DEFAULT"} <= set(one["executors"]["CLAUDE_CODE"])


async def test_commits_are_compared_as_seen_from_head(daemon: Daemon, client: VkClient) -> None:
    attempt = await worked(daemon)
    path = Path(attempt["container_ref"])
    before = daemon.git(path, "rev-parse", "HEAD~1").strip()
    compare = f"/api/task-attempts/{attempt['id']}/commit-compare?sha={before}"
    theirs = await client.call("GET", compare)
    assert (theirs["ahead_from_head"], theirs["behind_from_head"]) == (1, 0)
    assert theirs["is_linear"] is True
    ours = await daemon.ask("GET", compare)
    assert (ours["ahead_from_head"], ours["behind_from_head"]) == (0, 1)


async def test_branches_are_named_in_their_words(daemon: Daemon, client: VkClient) -> None:
    attempt = await worked(daemon)
    repository = Path(
        (await daemon.ask("GET", "/api/projects"))[0]["git_repo_path"],
    )
    for branch in ("release", "next"):
        daemon.git(repository, "branch", branch)
    at = f"/api/task-attempts/{attempt['id']}"
    await client.call("POST", f"{at}/change-target-branch", {"target_branch": "release"})
    assert (await daemon.ask("GET", at))["target_branch"] == "release"
    await client.call("POST", f"{at}/rebase", {"base_branch": "next"})
    assert (await daemon.ask("GET", at))["target_branch"] == "next"
    body = {"target_branch": "release", "new_target_branch": "main"}
    await client.call("POST", f"{at}/change-target-branch", body)
    assert (await daemon.ask("GET", at))["target_branch"] == "main", "our own word counts"
    task = {
        "task_id": attempt["task_id"],
        "executor_profile_id": {"executor": "ACP"},
        "target_branch": "next",
    }
    again = await client.call("POST", "/api/task-attempts", task)
    assert again["target_branch"] == "next"
    await daemon.over(again)


async def test_a_draft_may_be_posted(daemon: Daemon, client: VkClient) -> None:
    attempt = await worked(daemon)
    at = f"/api/task-attempts/{attempt['id']}/draft"
    saved = await client.call("POST", at, {"prompt": "Go on."})
    assert saved["prompt"] == "Go on."
    assert (await daemon.ask("GET", at))["prompt"] == "Go on."


async def test_a_picture_may_be_called_a_file(daemon: Daemon, client: VkClient) -> None:
    files = {"file": ("dot.png", PNG, "image/png")}
    async with daemon.client():
        sent = await daemon.request("POST", "/vk/api/images/upload", files=files)
        assert (sent.status_code, sent.json()["data"]["original_name"]) == (200, "dot.png")
        ours = await daemon.request("POST", "/api/images/upload", files=files)
        assert (ours.status_code, ours.json()["error_data"]["field"]) == (400, "image")
        none = {"other": ("dot.png", PNG, "image/png")}
        assert (await daemon.request("POST", "/vk/api/images/upload", files=none)).is_client_error


async def test_a_link_to_a_picture_shows_it_wherever_the_page_is(
    daemon: Daemon, client: VkClient
) -> None:
    async with daemon.client():
        files = {"image": ("dot.png", PNG, "image/png")}
        stored = (await daemon.request("POST", "/vk/api/images/upload", files=files)).json()["data"]
        link = stored["file_path"]
        for page in ("/projects/x/tasks/", "/projects/x/tasks/y/attempts/", "/data/worktrees/z/"):
            for method, content in (("GET", PNG), ("HEAD", b"")):
                displayed = await daemon.request(method, f"/vk{page}{link}")
                assert (displayed.status_code, displayed.content) == (200, content)
                assert displayed.headers["Content-Type"] == "image/png"
        name = link.rpartition("/")[2]
        for other in (name[1:], "..", "%2e%2e", f"{name}%00", " ", "x" * 999):
            missing = await daemon.request("GET", f"/vk/a/.vibe/images/{other}")
            assert missing.status_code in {400, 404}, other
        assert (await daemon.request("GET", f"/{link}")).status_code == 404, "ours knows one way"
        unusual = {"Origin": "http://evil.example"}
        refused = await daemon.request("GET", f"/vk/a/{link}", headers=unusual)
        assert refused.status_code == 403


async def test_a_picture_that_is_taken_out_of_one_form_stays_where_it_was(
    daemon: Daemon, client: VkClient
) -> None:
    project = (await daemon.project())["id"]
    files = {"image": ("dot.png", PNG, "image/png")}

    async def uploaded(at: str = "upload") -> Json:
        sent = await daemon.request("POST", f"/vk/api/images/{at}", files=files)
        return dict(sent.json()["data"])

    async def displayed(task: Json) -> list[str]:
        rows = await client.call("GET", f"/api/images/task/{task['id']}")
        return [row["id"] for row in rows]

    async with daemon.client():
        image = (await uploaded())["id"]
        await client.call("DELETE", f"/api/images/{image}")
        await client.call("DELETE", f"/api/images/{image}")  # it is gone, and that is fine
        image = (await uploaded())["id"]
        body = {"project_id": project, "title": "Tea", "image_ids": [image]}
        tea = await client.call("POST", "/api/tasks", body)
        milk = await client.call("POST", "/api/tasks", {"project_id": project, "title": "Milk"})
        # The same bytes in the form of another task, and out again.
        assert (await uploaded())["id"] == image
        await client.call("DELETE", f"/api/images/{image}")
        assert await displayed(tea) == [image]
        assert (await uploaded(f"task/{milk['id']}/upload"))["id"] == image
        assert await displayed(milk) == [image]
        await client.call("DELETE", f"/api/images/{image}")
        assert (await displayed(tea), await displayed(milk)) == ([image], [])
        file = await daemon.request("GET", f"/vk/api/images/{image}/file")
        assert (file.status_code, file.content) == (200, PNG)
        # Our own API deletes what it is told to.
        await daemon.ask("DELETE", f"/api/images/{image}")
        assert await displayed(tea) == []


@pytest.mark.parametrize(
    ("mode", "found"),
    [("settings", True), ("Settings", True), ("taskform", False), ("", False), ("FileName", False)],
)
async def test_what_is_searched_may_be_in_their_words(
    daemon: Daemon, client: VkClient, mode: str, found: bool
) -> None:
    project = await daemon.project()
    repository = Path(project["git_repo_path"])
    (repository / ".gitignore").write_text(".env*\n")
    (repository / ".env.local").write_text("A=1\n")
    rows = await client.call("GET", f"/api/projects/{project['id']}/search?q=.env&mode={mode}")
    assert ([row["path"] for row in rows] == [".env.local"]) is found
    odd = await client.request("GET", f"/api/projects/{project['id']}/search?q=a&mode=odd")
    assert odd.status_code == 400


@pytest.mark.parametrize(("approved", "status"), [(True, "approved"), (False, "denied")])
async def test_a_decision_may_be_yes_or_no(
    daemon: Daemon, client: VkClient, approved: bool, status: str
) -> None:
    attempt = await daemon.attempt(await daemon.project(), "ask rm -rf build")
    asked = await daemon.question()
    at = f"/api/approvals/{asked['id']}"
    assert (await client.call("GET", f"{at}/status"))["status"] == "pending"
    body = {"approved": approved, "comment": None if approved else "Keep it."}
    answer = await client.request("POST", f"{at}/respond", body)
    assert answer.json()["status"] == status
    decided = await client.call("GET", f"{at}/status")
    assert (decided["status"], decided.get("reason")) == (status, body["comment"])
    await daemon.over(attempt)


async def test_tasks_may_be_asked_for_below_their_project(daemon: Daemon, client: VkClient) -> None:
    project = (await daemon.project())["id"]
    at = f"/api/projects/{project}/tasks"
    task = await client.call("POST", at, {"title": "Tea"})
    assert task["project_id"] == project
    assert [row["id"] for row in await client.call("GET", at)] == [task["id"]]
    one = f"{at}/{task['id']}"
    assert (await client.call("PUT", one, {"status": "done"}))["status"] == "done"
    assert (await client.call("GET", one))["status"] == "done"
    await client.call("DELETE", one)


async def test_what_is_missing_or_torn_is_refused_as_a_mistake_of_the_client(
    daemon: Daemon, client: VkClient
) -> None:
    attempt = await worked(daemon)
    at = f"/api/task-attempts/{attempt['id']}"
    for path, body in (
        (f"{at}/change-target-branch", {}),
        (f"{at}/rename-branch", {}),
        (f"{at}/pr", {"body": "no title"}),
        ("/api/tasks/create-and-start", {"base_branch": "main"}),
        (f"{at}/change-target-branch", ["target_branch"]),
    ):
        refused = await client.request("POST", path, body)
        assert 400 <= refused.status_code < 500, path
        assert refused.json()["success"] is False
    compared = await client.request("GET", f"{at}/commit-compare")
    assert compared.status_code == 400
    torn = await client.http.request("POST", f"{at}/rebase", content=b'{"base_branch": "ma')
    assert 200 <= torn.status_code < 500
    assert torn.json()["success"] is False
    assert "Traceback" not in daemon.log()


async def test_an_agent_without_mcp_says_so_in_the_words_that_the_page_looks_for(
    client: VkClient,
) -> None:
    with pytest.raises(Displayed, match="does not support MCP"):
        await client.call("GET", "/api/mcp-config?executor=DEMO")
