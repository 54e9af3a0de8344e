"""What an attempt has changed, by list and by file, and the way back from what replaced it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.daemon import Daemon


async def turn(daemon: Daemon, attempt: dict[str, Any], prompt: str) -> None:
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/follow-up", {"prompt": prompt})
    await daemon.over(attempt)


async def listed(daemon: Daemon, attempt: dict[str, Any], query: str = "") -> dict[str, Any]:
    path = f"/api/task-attempts/{attempt['id']}/diff{query}"
    return await daemon.ask("GET", path)  # type: ignore[no-any-return]


def names(found: dict[str, Any]) -> list[str]:
    return [one["path"] for one in found["files"]]


async def test_an_attempt_is_compared_with_what_a_person_wants(daemon: Daemon) -> None:
    await daemon.use_fake_agent()
    project = await daemon.project(daemon.repository(a="one\n"))
    attempt = await daemon.attempt(project, "write a two\nwrite b new")
    await daemon.over(attempt)
    first = await listed(daemon, attempt)
    assert names(first) == ["a", "b"]
    assert (first["head"], first["additions"]) == (None, 2)
    await daemon.ask("PUT", f"/api/task-attempts/{attempt['id']}/seen", {})
    assert names(await listed(daemon, attempt, "?against=seen")) == []
    await turn(daemon, attempt, "write c more")
    assert names(await listed(daemon, attempt, "?against=turn")) == ["c"]
    assert names(await listed(daemon, attempt, "?against=seen")) == ["c"]
    second = await listed(daemon, attempt)
    assert names(second) == ["a", "b", "c"]
    versions = {one["path"]: one["version"] for one in second["files"]}
    assert versions["b"] == {one["path"]: one["version"] for one in first["files"]}["b"]
    worktree = Path(
        (await daemon.ask("GET", f"/api/task-attempts/{attempt['id']}"))["container_ref"]
    )
    (worktree / "b").write_text("otherwise\n")
    third = await listed(daemon, attempt)
    assert {one["path"]: one["version"] for one in third["files"]}["b"] != versions["b"]
    head = daemon.git(worktree, "rev-parse", "HEAD").strip()
    assert names(await listed(daemon, attempt, f"?commit={head}")) == ["c"]
    assert names(await listed(daemon, attempt, f"?against={head[:12]}")) == ["b"]
    other = await daemon.attempt(project, "write b new\nwrite d only")
    await daemon.over(other)
    assert names(await listed(daemon, other, f"?against={attempt['id']}")) == ["a", "c", "d"]
    one = f"/api/task-attempts/{attempt['id']}/diff/file?against={head}&path="
    found = await daemon.ask("GET", f"{one}b")
    assert [line["text"] for line in found["hunks"][0]["lines"]] == ["new", "otherwise"]
    for context in ("-1", "9" * 30):
        refused = await daemon.request("GET", f"{one}b&context={context}")
        assert refused.status_code == 400, context
    for wrong in ("../a", "/etc/passwd", ".git/config", "a/../../x", ""):
        assert (await daemon.request("GET", f"{one}{wrong}")).status_code == 400, wrong
    gone = await daemon.request(
        "GET", f"/api/task-attempts/{attempt['id']}/diff?against=--output=x"
    )
    assert gone.status_code == 404


async def test_a_branch_without_its_worktree_can_be_compared_too(daemon: Daemon) -> None:
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(await daemon.project(), "write b new")
    await daemon.over(attempt)
    row = await daemon.ask("GET", f"/api/task-attempts/{attempt['id']}")
    repository = daemon.root / "project"
    daemon.git(repository, "worktree", "remove", "--force", row["container_ref"])
    found = await listed(daemon, attempt)
    assert names(found) == ["b"]
    assert found["head"] == daemon.git(repository, "rev-parse", row["branch"]).strip()
    of_file = await daemon.ask("GET", f"/api/task-attempts/{attempt['id']}/diff/file?path=b")
    assert of_file["hunks"][0]["lines"][0]["text"] == "new"


async def test_what_a_step_has_replaced_comes_back_and_goes_again(daemon: Daemon) -> None:
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(await daemon.project(), "write b first\nwrite c stays")
    await daemon.over(attempt)
    path = f"/api/task-attempts/{attempt['id']}"
    worktree = Path((await daemon.ask("GET", path))["container_ref"])
    assert (await daemon.request("POST", f"{path}/undo", json={})).status_code == 404
    (worktree / "c").write_text("changed by hand\n")
    (worktree / "d").write_text("new\n")
    before = daemon.git(worktree, "rev-parse", "HEAD").strip()
    await daemon.ask("POST", f"{path}/delete-file?file_path=b")
    assert not (worktree / "b").exists()
    deleted = daemon.git(worktree, "rev-parse", "HEAD").strip()
    undone = await daemon.ask("POST", f"{path}/undo", {})
    assert (undone["restored"]["reason"], undone["before"]["reason"]) == ("delete-file", "undo")
    assert (worktree / "b").read_text() == "first\n"
    assert (worktree / "c").read_text() == "changed by hand\n"
    assert daemon.git(worktree, "rev-parse", "HEAD").strip() == before
    assert daemon.git(worktree, "symbolic-ref", "--short", "HEAD").strip() == attempt["branch"]
    states = await daemon.ask("GET", f"{path}/snapshots")
    assert [one["reason"] for one in states][:2] == ["undo", "delete-file"]
    await daemon.ask("POST", f"{path}/undo", {"number": undone["before"]["number"]})
    assert not (worktree / "b").exists()
    assert daemon.git(worktree, "rev-parse", "HEAD").strip() == deleted
    assert (worktree / "d").read_text() == "new\n"
    assert (await daemon.request("POST", f"{path}/undo", json={"number": 99})).status_code == 404
