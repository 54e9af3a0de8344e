"""Tags, images, the filesystem and containers, as clients use them."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.support.daemon import Daemon, Refused, local_client
from tests.support.http.pictures import SVG, png
from tests.support.http.uploads import PNG, upload

MIB = 1024**2


async def task_with(daemon: Daemon, project: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"project_id": project["id"], "title": "T", **more}
    return await daemon.ask("POST", "/api/tasks", body)  # type: ignore[no-any-return]


def stored(daemon: Daemon) -> list[str]:
    return sorted(os.listdir(daemon.data / "images"))


async def reported(daemon: Daemon, attempt: dict[str, Any]) -> str:
    """What the agent was told last, after the end of its run."""
    entries = await daemon.entries(await daemon.over(attempt))
    assert entries[0]["entry_type"]["type"] == "user_message"
    return entries[0]["content"]  # type: ignore[no-any-return]


async def test_tags_live_and_stand_for_their_content_in_every_prompt(daemon: Daemon) -> None:
    created = await daemon.ask(
        "POST", "/api/tags", {"tag_name": "greet", "content": "say hello\nsay @greet"}
    )
    assert set(created) == {"id", "tag_name", "content", "created_at", "updated_at"}
    assert await daemon.ask("GET", "/api/tags?search=GREE") == [created]
    assert await daemon.ask("GET", "/api/tags?search=x") == []
    assert await daemon.ask("GET", f"/api/tags/{created['id']}") == created
    with pytest.raises(Refused) as refusal:
        await daemon.ask("POST", "/api/tags", {"tag_name": "Greet", "content": ""})
    assert (refusal.value.status, refusal.value.type) == (409, "name_taken")
    with pytest.raises(Refused) as refusal:
        await daemon.ask("POST", "/api/tags", {"tag_name": "two words", "content": ""})
    assert refusal.value.status == 400

    project = await daemon.project(setup_script="true")
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "@Greet")
    assert await reported(daemon, attempt) == "Do it\n\nsay hello\nsay @greet"
    process = (await daemon.processes(attempt))[-1]
    assert process["executor_action"]["typ"]["prompt"] == "Do it\n\n@Greet"

    path = f"/api/tags/{created['id']}"
    changed = await daemon.ask("PUT", path, {"tag_name": None, "content": "say bye"})
    assert (changed["tag_name"], changed["content"]) == ("greet", "say bye")
    await daemon.ask(
        "POST", f"/api/task-attempts/{attempt['id']}/follow-up", {"prompt": "@greet, me@greet"}
    )
    assert await reported(daemon, attempt) == "say bye, me@greet"
    await daemon.ask("DELETE", path)
    for method in ("GET", "DELETE"):
        with pytest.raises(Refused) as refusal:
            await daemon.ask(method, path)
        assert refusal.value.status == 404


async def test_an_image_goes_from_an_upload_to_the_agent_and_not_into_commits(
    daemon: Daemon,
) -> None:
    repository = daemon.repository()
    project = await daemon.project(repository)
    await daemon.use_fake_agent()
    image = await upload(daemon, name="C:\\pics\\my [shot].png")
    digest = hashlib.sha256(PNG).hexdigest()
    assert image == {
        "id": image["id"],
        "file_path": f".vibe/images/{digest[:32]}.png",
        "original_name": "my [shot].png",
        "mime_type": "image/png",
        "size_bytes": len(PNG),
        "hash": f"sha256:{digest}",
        "created_at": image["created_at"],
        "updated_at": image["updated_at"],
    }
    assert (await upload(daemon))["id"] == image["id"]
    started = await daemon.ask(
        "POST",
        "/api/tasks/create-and-start",
        {
            "task": {
                "project_id": project["id"],
                "title": "Do it",
                "description": f"See ![x]({image['file_path']})\nwrite a.txt a",
                "image_ids": [image["id"].upper()],
            },
            "executor_profile_id": {"executor": "ACP"},
            "base_branch": "main",
        },
    )
    attempt = (await daemon.ask("GET", f"/api/task-attempts?task_id={started['id']}"))[0]
    worktree = Path(attempt["container_ref"])
    assert (worktree / image["file_path"]).read_bytes() == PNG
    assert f"See ![x]({worktree}/{image['file_path']})\n" in await reported(daemon, attempt)

    other = await upload(daemon, png(b"2"), "two.png")
    path = f"/api/task-attempts/{attempt['id']}/follow-up"
    unknown = "00000000-0000-4000-8000-000000000000"
    with pytest.raises(Refused) as refusal:
        await daemon.ask("POST", path, {"prompt": "say x", "image_ids": [other["id"], unknown]})
    assert refusal.value.status == 404
    assert len(await daemon.ask("GET", f"/api/images/task/{started['id']}")) == 1
    await daemon.ask("POST", path, {"prompt": "say look", "image_ids": [other["id"]]})
    assert await reported(daemon, attempt) == (
        f"say look\n\n![two.png]({worktree}/{other['file_path']})"
    )
    assert (worktree / other["file_path"]).read_bytes() == png(b"2")
    listed = await daemon.ask("GET", f"/api/images/task/{started['id']}")
    assert [one["id"] for one in listed] == [image["id"], other["id"]]
    assert daemon.git(worktree, "ls-files").split() == ["README.md", "a.txt"]
    assert daemon.git(worktree, "status", "--porcelain") == ""


async def test_no_rule_of_the_repository_lets_images_into_a_commit(daemon: Daemon) -> None:
    """Such a list of what alone may come in counts for more than what is ignored beside it."""
    project = await daemon.project()
    repository = Path(project["git_repo_path"])
    (repository / ".gitignore").write_text("*\n!*/\n!*.txt\n!*.png\n!.gitignore\n")
    daemon.git(repository, "add", "--all")
    daemon.git(repository, "commit", "-q", "-m", "Only texts and pictures")
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say hi")
    await daemon.over(attempt)
    image = await upload(daemon)
    path = f"/api/task-attempts/{attempt['id']}/follow-up"
    needed = {"prompt": "write b.txt b", "image_ids": [image["id"]]}
    await daemon.ask("POST", path, needed)
    await daemon.over(attempt)
    worktree = Path(attempt["container_ref"])
    assert (worktree / image["file_path"]).read_bytes() == PNG
    assert daemon.git(worktree, "diff", "--name-only", "main", "HEAD").split() == ["b.txt"]
    assert daemon.git(worktree, "status", "--porcelain") == ""


async def test_a_worktree_that_comes_back_has_its_images_again(daemon: Daemon) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say hi")
    await daemon.over(attempt)
    image = await upload(daemon, path=f"task/{attempt['task_id']}/upload")
    worktree = Path(attempt["container_ref"])
    daemon.git(Path(project["git_repo_path"]), "worktree", "remove", "--force", str(worktree))
    assert not worktree.exists()
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/follow-up", {"prompt": "say x"})
    await daemon.over(attempt)
    assert (worktree / image["file_path"]).read_bytes() == PNG


async def test_tasks_show_images_until_they_are_told_others(daemon: Daemon) -> None:
    project = await daemon.project()
    one, two = await upload(daemon), await upload(daemon, png(b"2"))
    task = await task_with(daemon, project, image_ids=[one["id"], one["id"]])
    path = f"/api/images/task/{task['id']}"
    assert await daemon.ask("GET", path) == [one]
    await daemon.ask("PUT", f"/api/tasks/{task['id']}", {"title": "New"})
    assert await daemon.ask("GET", path) == [one]
    await daemon.ask("PUT", f"/api/tasks/{task['id']}", {"image_ids": [two["id"]]})
    assert await daemon.ask("GET", path) == [two]
    three = await upload(daemon, png(b"3"), path=f"task/{task['id']}/upload")
    assert await daemon.ask("GET", path) == [two, three]
    for method, where, body in (
        (
            "POST",
            "/api/tasks",
            {"project_id": project["id"], "title": "T", "image_ids": [task["id"]]},
        ),
        ("PUT", f"/api/tasks/{task['id']}", {"image_ids": [task["id"]]}),
        ("GET", f"/api/images/task/{one['id']}", None),
    ):
        with pytest.raises(Refused) as refusal:
            await daemon.ask(method, where, body)
        assert refusal.value.status == 404
    with pytest.raises(Refused) as refusal:
        await upload(daemon, path=f"task/{one['id']}/upload")
    assert refusal.value.status == 404


async def test_an_image_is_served_safely_in_parts_and_not_twice(daemon: Daemon) -> None:
    image = await upload(daemon, name='grüße "1".png')
    path = f"/api/images/{image['id']}/file"
    answer = await daemon.request("GET", path)
    assert answer.content == PNG
    headers = answer.headers
    assert headers["content-type"] == "image/png"
    assert headers["x-content-type-options"] == "nosniff"
    assert "immutable" in headers["cache-control"]
    assert headers["content-disposition"] == (
        "inline; filename=\"gr__e _1_.png\"; filename*=UTF-8''gr%C3%BC%C3%9Fe%20%221%22.png"
    )
    known = await daemon.request("GET", path, headers={"If-None-Match": headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    for asked, status, content in (
        ("bytes=1-3", 206, PNG[1:4]),
        ("bytes=-4", 206, PNG[-4:]),
        ("bytes=8-", 206, PNG[8:]),
        ("bytes=0-1,4-5", 200, PNG),
        ("lines=1-2", 200, PNG),
    ):
        answer = await daemon.request("GET", path, headers={"Range": asked})
        assert (asked, answer.status_code, answer.content) == (asked, status, content)
    answer = await daemon.request("GET", path, headers={"Range": "bytes=1-3", "If-Range": '"x"'})
    assert answer.status_code == 200
    answer = await daemon.request("GET", path, headers={"Range": "bytes=99999-"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(PNG)}")
    assert answer.json()["success"] is False
    answer = await daemon.request("HEAD", path)
    assert (answer.content, answer.headers["content-length"]) == (b"", str(len(PNG)))

    drawing = await upload(daemon, SVG, "x.png")
    assert drawing["file_path"].endswith(".svg")
    headers = (await daemon.request("GET", f"/api/images/{drawing['id']}/file")).headers
    assert headers["content-type"] == "image/svg+xml"
    assert headers["content-disposition"].startswith("attachment;")
    assert "sandbox" in headers["content-security-policy"]


async def test_what_is_no_upload_of_an_image_is_refused_and_leaves_nothing(daemon: Daemon) -> None:
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    part = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    for headers, body, status, message in (
        ({"Content-Type": "application/json"}, b"{}", 415, "Content-Type: application/json"),
        ({"Content-Type": "image/png"}, PNG, 415, "Content-Type: image/png"),
        ({**form, "Content-Encoding": "br"}, PNG, 415, "Content-Encoding: br is not understood"),
        ({"Content-Type": "multipart/form-data"}, b"", 400, "Content-Type: must name"),
        (form, b"", 400, "body: is not a complete form"),
        (form, b"--b--\r\n", 400, "image: is missing"),
        (form, part + PNG, 400, "body: is not a complete form"),
        (form, part + b"\r\n--b--", 400, "image: is empty"),
        (form, part + b"text\r\n--b--", 415, "image: is neither PNG"),
        (form, part.replace(b"image", b"file") + PNG + b"\r\n--b--", 400, "image: is missing"),
        (form, part + PNG + b"\r\n" + part + PNG + b"\r\n--b--", 400, "image: must be one"),
        (form, b"--b\r\nX: \xff\r\n\r\n\r\n--b--", 400, "body: is not a complete form"),
    ):
        answer = await daemon.request("POST", "/api/images/upload", content=body, headers=headers)
        refused = answer.json()
        assert (answer.status_code, refused["message"][: len(message)]) == (status, message)
        assert list(refused) == ["success", "data", "error_data", "message"]
    assert stored(daemon) == []


async def test_twenty_mebibytes_are_taken_and_more_are_not(daemon: Daemon) -> None:
    largest = PNG + bytes(20 * MIB - len(PNG))
    image = await upload(daemon, largest)
    assert image["size_bytes"] == 20 * MIB
    answer = await daemon.request("GET", f"/api/images/{image['id']}/file")
    assert answer.content == largest

    async def streamed() -> Any:
        yield b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n' + PNG
        for _ in range(48):
            yield bytes(MIB // 2)

    for sending in (
        {"files": {"image": ("a.png", largest + b"x")}},
        {"files": {"image": ("a.png", largest + bytes(5 * MIB))}},
        {"content": streamed(), "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
    ):
        async with local_client(daemon.url) as client:
            answer = await client.post("/api/images/upload", **sending)
        assert answer.status_code == 413
        assert answer.json()["message"] == "image: is larger than 20 MiB."
    assert stored(daemon) == [Path(image["file_path"]).name]


async def test_a_client_that_goes_away_leaves_no_half_image(daemon: Daemon) -> None:
    port = int(daemon.url.rpartition(":")[2])
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    await stream.send_all(
        b"POST /api/images/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n' + PNG
    )

    async def begun() -> bool:
        return bool(stored(daemon))

    await daemon.until(begun, "the file of the upload")
    await stream.aclose()

    async def gone() -> bool:
        return not stored(daemon)

    await daemon.until(gone, "the end of the upload")
    assert "incident" not in daemon.log()


async def test_many_uploads_of_the_same_bytes_at_once_are_one_image(daemon: Daemon) -> None:
    ids: set[str] = set()

    async def one() -> None:
        ids.add((await upload(daemon))["id"])

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(one)
    assert len(ids) == 1
    assert len(stored(daemon)) == 1


async def test_a_deleted_image_is_gone_unless_other_tasks_would_lose_it(daemon: Daemon) -> None:
    project = await daemon.project()
    image = await upload(daemon)
    for _ in range(2):
        task = await task_with(daemon, project, image_ids=[image["id"]])
    path = f"/api/images/{image['id']}"
    with pytest.raises(Refused) as refusal:
        await daemon.ask("DELETE", path)
    assert (refusal.value.status, refusal.value.type) == (409, "image_in_use")
    assert task["id"] in refusal.value.body["error_data"]["task_ids"]
    await daemon.ask("PUT", f"/api/tasks/{task['id']}", {"image_ids": []})
    assert await daemon.ask("DELETE", path) is None
    assert stored(daemon) == []
    for method, where in (("DELETE", path), ("GET", f"{path}/file")):
        with pytest.raises(Refused) as refusal:
            await daemon.ask(method, where)
        assert refusal.value.status == 404


async def test_a_restart_sweeps_away_what_crashes_left_but_no_image_of_yesterday(
    daemon: Daemon,
) -> None:
    image = await upload(daemon)
    old = time.time() - 25 * 3600
    for name in (".incoming-1", "stray.png", Path(image["file_path"]).name):
        (daemon.data / "images" / name).touch()
        os.utime(daemon.data / "images" / name, (old, old))
    await daemon.stop()
    await daemon.start()

    known = Path(image["file_path"]).name

    async def swept() -> bool:
        return stored(daemon) == sorted([known, "stray.png"]) and "stray.png" in daemon.log()

    await daemon.until(swept, "the sweep")  # what no row is about is reported, and stays

    await daemon.stop()
    with closing(sqlite3.connect(daemon.data / "anyon.db")) as database, database:
        # As if a daemon had been at work on thirty more days.
        changed = database.execute("UPDATE meta SET value = value + 30 WHERE key = 'day_count'")
        assert changed.rowcount == 1
    await daemon.start()

    async def set_aside() -> bool:
        return stored(daemon) == [known]

    await daemon.until(set_aside, "what is set aside")
    assert [file.name for file in (daemon.data / "set-aside").rglob("*.png")] == ["stray.png"]
    assert (await daemon.request("GET", f"/api/images/{image['id']}/file")).content == PNG


async def test_directories_and_repositories_are_told_from_home_on(daemon: Daemon) -> None:
    (daemon.home / "code" / "tea" / ".git").mkdir(parents=True)
    (daemon.home / "notes.txt").write_text("x")
    listing = await daemon.ask("GET", "/api/filesystem/directory")
    assert (listing["current_path"], listing["truncated"]) == (str(daemon.home), False)
    assert [(e["name"], e["is_directory"]) for e in listing["entries"]] == [
        ("code", True),
        ("notes.txt", False),
    ]
    below = await daemon.ask("GET", f"/api/filesystem/directory?path={daemon.home}/code")
    (tea,) = below["entries"]
    assert set(tea) == {"name", "path", "is_directory", "is_git_repo", "last_modified"}
    assert tea["is_git_repo"] is True
    for query in ("", f"?path={daemon.home}"):
        (found,) = await daemon.ask("GET", f"/api/filesystem/git-repos{query}")
        assert (found["name"], found["path"]) == ("tea", str(daemon.home / "code/tea"))
    for path, status in (
        (daemon.home / "nowhere", 404),
        (daemon.home / "notes.txt", 400),
        ("code", 400),
        ("%00", 400),
    ):
        for route in ("directory", "git-repos"):
            with pytest.raises(Refused) as refusal:
                await daemon.ask("GET", f"/api/filesystem/{route}?path={path}")
            assert refusal.value.status == status
            if path != "%00":
                assert str(path) in refusal.value.body["message"]


async def test_a_person_without_a_home_begins_at_the_root(daemon: Daemon) -> None:
    """As in a container that is run under a number that nobody has given a name."""
    await daemon.stop()
    daemon.environment["HOME"] = "nowhere"
    await daemon.start()
    listing = await daemon.ask("GET", "/api/filesystem/directory")
    assert listing["current_path"] == "/"
    assert isinstance(await daemon.ask("GET", "/api/filesystem/git-repos"), list)
    (daemon.root / "work" / "tea" / ".git").mkdir(parents=True)
    found = await daemon.ask("GET", f"/api/filesystem/git-repos?path={daemon.root / 'work'}")
    assert [entry["name"] for entry in found] == ["tea"]
    for path, status in (
        ("/api/filesystem/directory?path=~", 400),
        ("/api/mcp-config?executor=CODEX", 503),
    ):
        with pytest.raises(Refused) as refusal:
            await daemon.ask("GET", path)
        assert refusal.value.status == status


async def test_of_a_huge_directory_a_part_is_told(daemon: Daemon) -> None:
    huge = daemon.root / "huge"
    huge.mkdir()
    for number in range(6_000):
        os.close(os.open(huge / f"{number:04}", os.O_CREAT))
    listing = await daemon.ask("GET", f"/api/filesystem/directory?path={huge}")
    assert listing["truncated"] is True
    assert [e["name"] for e in listing["entries"]] == [f"{n:04}" for n in range(5_000)]


async def test_a_path_in_a_worktree_tells_its_attempt(daemon: Daemon) -> None:
    link = daemon.root / "link"
    (daemon.root / "workspace").mkdir()
    link.symlink_to("workspace")
    await daemon.ask("PUT", "/api/config", {"workspace_dir": str(link)})
    project = await daemon.project()
    attempt = await daemon.attempt(project, "say hi", executor="DEMO")
    worktree = Path(attempt["container_ref"])
    (worktree / "inner").mkdir()
    (daemon.root / "shortcut").symlink_to(worktree / "inner")
    expected = {
        "attempt_id": attempt["id"],
        "task_id": attempt["task_id"],
        "project_id": project["id"],
    }
    for ref in (
        worktree,
        f"{worktree}/",
        worktree / "inner",
        worktree / "gone/file.txt",
        worktree.resolve(),
        worktree.resolve() / "inner",
        daemon.root / "shortcut",
    ):
        found = await daemon.ask("GET", f"/api/containers/info?ref={ref}")
        assert (ref, found) == (ref, expected)
    for query, status in (
        (f"?ref={worktree.parent}", 404),
        (f"?ref={daemon.root}/nowhere", 404),
        ("?ref=relative", 400),
        ("?ref=", 400),
        ("", 400),
    ):
        with pytest.raises(Refused) as refusal:
            await daemon.ask("GET", f"/api/containers/info{query}")
        assert (query, refusal.value.status) == (query, status)
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")
