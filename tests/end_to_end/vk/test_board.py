"""vibe-kanban's client works as it is, and at the end of a task knows what the daemon knows."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.support.clients.vk_client import Displayed, Json, Stream, Watching, apply, page
from tests.support.daemon import Daemon


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    made = Daemon(tmp_path / "daemon")
    made.environment["ANYON_DEMO_PACE"] = "0"
    await made.start("--vk-port", "0")
    try:
        yield made
    finally:
        await made.__aexit__()
    assert "Traceback" not in made.log()


def waiting(document: Any) -> Any:
    """The entry that waits for an answer, and where it stands."""
    for entry in document["entries"]:
        status = entry["content"]["entry_type"].get("status", {})
        if status.get("status") == "pending_approval":
            return status
    return None


def newest(document: Any) -> Any:
    """The process that was started last."""
    rows = document["execution_processes"].values()
    return max(rows, key=lambda row: row["created_at"]) if rows else None


async def answer(web: Watching, process: Json, log: Stream) -> str:
    asked = await log.until(waiting, "a question")
    path = f"/api/approvals/{asked['approval_id']}/respond"
    body = {"execution_process_id": process["id"], "status": {"status": "approved"}}
    assert await web.client.call("POST", path, body) == {"status": "approved"}
    assert await web.client.call("POST", path, body) == {"status": "approved"}  # a second click
    return path


async def test_a_whole_task_on_the_old_board(daemon: Daemon) -> None:
    repository = daemon.repository()
    async with page(daemon) as web:
        client = web.client
        created = {
            "name": "Project",
            "git_repo_path": str(repository),
            "use_existing_repo": True,
            "setup_script": None,
            "dev_script": None,
            "cleanup_script": None,
            "copy_files": None,
        }
        project = await client.call("POST", "/api/projects", created)
        board, drafts = await web.tasks(project), await web.drafts(project)
        await board.until(lambda _: board.frames, "a first frame, though there is nothing")
        await drafts.until(lambda _: drafts.frames, "a first frame, though there is nothing")

        needed = {
            "task": {
                "project_id": project["id"],
                "title": "Describe the tea timer",
                "description": "",
                "parent_task_attempt": None,
                "image_ids": None,
            },
            "executor_profile_id": {"executor": "DEMO", "variant": None},
            "base_branch": "main",
        }
        task = await client.call("POST", "/api/tasks/create-and-start", needed)
        await board.until(lambda d: task["id"] in d["tasks"], "the task")
        (attempt,) = await client.call("GET", f"/api/task-attempts?task_id={task['id']}")
        place = f"/api/task-attempts/{attempt['id']}"
        await drafts.until(lambda d: attempt["id"] in d["drafts"], "a place for drafts")
        displayed = drafts.document["drafts"][attempt["id"]]
        assert (displayed["follow_up"]["prompt"], displayed["retry"]) == ("", None)

        processes = await web.processes(attempt)
        process = await processes.until(newest)
        log = await web.conversation(process)
        log.at_the_end = lambda: processes.document["execution_processes"][process["id"]]
        output = await web.output(process)
        diff = await web.diff(attempt)
        stats = await web.diff(attempt, "?stats_only=true")
        question = await log.until(waiting, "a question")

        # A message is written while the agent is at work, and waits for its turn.
        await client.call("PUT", f"{place}/draft?type=follow_up", {"prompt": "Mention oolong."})
        saved = await client.call("PUT", f"{place}/draft?type=follow_up", {"variant": None})
        assert (saved["prompt"], saved["variant"], saved["image_ids"]) == (
            "Mention oolong.",
            None,
            [],
        )
        queue = f"{place}/draft/queue?type=follow_up"
        assert (await client.call("POST", queue, {"queued": True}))["queued"] is True
        with pytest.raises(Displayed):
            await client.call("PUT", f"{place}/draft?type=follow_up", {"prompt": "Too late."})
        assert (await client.call("POST", queue, {"queued": False}))["queued"] is False
        assert (await client.call("POST", queue, {"queued": True}))["queued"] is True
        await drafts.until(lambda d: d["drafts"][attempt["id"]]["follow_up"]["queued"])

        assert question == waiting(log.document)
        await answer(web, process, log)
        await log.until_finished()
        assert log.seen_at_the_end["status"] == "completed", "the end of a log was told too soon"
        assert waiting(log.document) is None
        await output.until_finished()
        printed = "".join(c["content"] for c in output.lines if c["type"] == "STDOUT")
        assert printed == "".join(e["content"] for e in output.document["entries"])

        second = await processes.until(
            lambda d: newest(d) if newest(d)["id"] != process["id"] else None, "the queued turn"
        )
        assert second["executor_action"]["typ"]["prompt"] == "Mention oolong."
        await drafts.until(lambda d: d["drafts"][attempt["id"]]["follow_up"]["prompt"] == "")
        sent = [o["value"] for f in drafts.frames for o in f if o["path"].endswith("follow_up")]
        assert [d["sending"] for d in sent if d["sending"]] == [True]
        log2 = await web.conversation(second)
        await answer(web, second, log2)
        await log2.until_finished()
        await board.until(lambda d: d["tasks"][task["id"]]["status"] == "inreview")

        retry = {"retry_process_id": second["id"], "prompt": "Again.", "image_ids": [],
                 "variant": None, "version": None}  # fmt: skip
        await client.call("PUT", f"{place}/draft?type=retry", retry)
        await drafts.until(lambda d: d["drafts"][attempt["id"]]["retry"])
        assert drafts.document["drafts"][attempt["id"]]["retry"]["prompt"] == "Again."
        await client.call("DELETE", f"{place}/draft?type=retry")
        await drafts.until(lambda d: d["drafts"][attempt["id"]]["retry"] is None)

        await diff.until(lambda d: "Mention oolong." in content(d), "the second turn's change")
        changed = await compared(daemon, attempt)
        assert diff.document["entries"] == changed
        await stats.until(lambda d: "NOTES.md" in d["entries"])
        file = stats.document["entries"]["NOTES.md"]["content"]
        assert (file["newContent"], file["contentOmitted"], file["deletions"]) == (None, True, 0)
        assert file["additions"] > 0

        status = await client.call("GET", f"{place}/branch-status")
        assert status["commits_ahead"] == 2
        await client.call("POST", f"{place}/merge")
        await board.until(lambda d: d["tasks"][task["id"]]["status"] == "done")
        assert "Mention oolong." in (repository / "NOTES.md").read_text()
        merged = await client.call("GET", f"{place}/branch-status")
        assert [m["type"] for m in merged["merges"]] == ["direct"]
        assert set(merged["merges"][0]) == {
            "type", "id", "task_attempt_id", "merge_commit", "target_branch_name", "created_at"
        }  # fmt: skip

        # What landed stays in sight, for who has the page open and for who opens it now.
        later = await web.diff(attempt), await web.diff(attempt, "?stats_only=true")
        for displayed, numbers in ((diff, stats), later):
            await displayed.until_finished()
            await numbers.until_finished()
            assert displayed.document["entries"] == changed
            assert numbers.document["entries"]["NOTES.md"]["content"] == file
        assert await compared(daemon, attempt) == {}

        # All that it was told piece by piece is what there is.
        await agree(daemon, client.call, board, processes, project=project, attempt=attempt)
        for ended, stream in ((process, log), (second, log2)):
            assert contents(stream) == await entries(daemon, ended)
            again = await web.conversation(ended)
            await again.until_finished()
            assert contents(again) == contents(stream)
        assert printed == await daemon.raw(process)
        assert {s.code for s in (board, drafts, processes, diff, stats)} == {None}


def content(document: Any) -> str:
    found = document["entries"].get("NOTES.md")
    return found["content"]["newContent"] or "" if found else ""


def patched(frames: list[Json]) -> Json:
    """The differences that a client knows of after `frames`."""
    document: Json = {"entries": {}}
    for frame in frames:
        apply(document, frame["JsonPatch"])
    return document["entries"]  # type: ignore[no-any-return]


def contents(stream: Stream) -> list[Json]:
    assert {entry["type"] for entry in stream.document["entries"]} == {"NORMALIZED_ENTRY"}
    return [entry["content"] for entry in stream.document["entries"]]


async def entries(daemon: Daemon, process: Json) -> list[Json]:
    """The conversation as our own clients have it, in words that vibe-kanban has."""
    found = []
    for entry in await daemon.entries(process):
        saved = {key: value for key, value in entry.items() if key not in {"index", "seq"}}
        if saved["entry_type"]["type"] == "token_usage":
            saved["entry_type"] = {"type": "system_message"}
        found.append(saved)
    return found


async def compared(daemon: Daemon, attempt: Json) -> Json:
    """The differences as our own clients have them."""
    found: Json = {}
    async with daemon.socket(f"/api/task-attempts/{attempt['id']}/diff/ws") as connection:
        while (frame := json.loads(await connection.get_message()))["type"] != "ready":
            name = frame["data"]["newPath"] or frame["data"]["oldPath"]
            found[name] = {"type": "DIFF", "content": frame["data"]}
    return found


async def agree(
    daemon: Daemon, call: Any, board: Stream, processes: Stream, *, project: Json, attempt: Json
) -> None:
    async def look() -> bool:
        rows = await call("GET", f"/api/tasks?project_id={project['id']}")
        runs = await daemon.processes(attempt)
        expected = (
            {"tasks": {row["id"]: row for row in rows}},
            {"execution_processes": {row["id"]: row for row in runs}},
        )
        return (board.document, processes.document) == expected

    await daemon.until(look, "agreement")


async def test_a_board_is_left_with_a_code_that_makes_it_come_back(daemon: Daemon) -> None:
    async with page(daemon) as web:
        project = await web.client.call(
            "POST",
            "/api/projects",
            {"name": "P", "git_repo_path": str(daemon.repository()), "use_existing_repo": True},
        )
        board, drafts = await web.tasks(project), await web.drafts(project)
        await board.until(lambda _: board.frames)
        await drafts.until(lambda _: drafts.frames)
        await daemon.stop()
        await board.until(lambda _: board.code)
        await drafts.until(lambda _: drafts.code)
        assert (board.code, drafts.code) == (1001, 1001)
        await daemon.start("--vk-port", "0")
        async with page(daemon) as again:
            board = await again.tasks(project)
            await board.until(lambda _: board.frames)
            assert board.frames == [[{"op": "replace", "path": "/tasks", "value": {}}]]


async def test_a_board_comes_back_to_a_daemon_that_was_killed(daemon: Daemon) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say one\nask\nwrite two.txt 2")
    place = f"/api/task-attempts/{attempt['id']}"
    async with page(daemon) as web:
        board, drafts = await web.tasks(project), await web.drafts(project)
        process = await daemon.running(attempt)
        log = await web.conversation(process)
        question = await log.until(waiting, "a question")
        await web.client.call("PUT", f"{place}/draft?type=follow_up", {"prompt": "say three"})
        queue = f"{place}/draft/queue?type=follow_up"
        assert (await web.client.call("POST", queue, {"queued": True}))["queued"] is True
        await daemon.kill()
        cut = (board, drafts, log)
        await board.until(lambda _: board.code)
        await drafts.until(lambda _: drafts.code)
        await log.until(lambda _: log.code)
        assert {(stream.code, stream.finished) for stream in cut} == {(1006, False)}
    await daemon.start("--vk-port", "0")
    async with page(daemon) as web:
        board, drafts = await web.tasks(project), await web.drafts(project)
        processes = await web.processes(attempt)
        log = await web.conversation(process)
        log.at_the_end = lambda: processes.document["execution_processes"][process["id"]]
        assert await log.until(waiting, "the question") == question
        await answer(web, process, log)
        await log.until_finished()
        assert log.seen_at_the_end["status"] == "completed"
        assert waiting(log.document) is None
        await processes.until(lambda d: len(d["execution_processes"]) == 2, "the queued turn")
        second = newest(processes.document)
        assert second["executor_action"]["typ"]["prompt"] == "say three"
        await drafts.until(lambda d: d["drafts"][attempt["id"]]["follow_up"]["prompt"] == "")
        await board.until(lambda d: d["tasks"][attempt["task_id"]]["status"] == "inreview")
        await agree(daemon, web.client.call, board, processes, project=project, attempt=attempt)
        assert contents(log) == await entries(daemon, process)


async def test_what_is_deleted_or_replaced_leaves_the_document(daemon: Daemon) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say one")
    await daemon.over(attempt)
    async with page(daemon, f"{daemon.url}/vk") as web:
        board, drafts = await web.tasks(project), await web.drafts(project)
        await board.until(lambda d: d["tasks"])
        await drafts.until(lambda d: d["drafts"])
        path = f"/api/execution-processes/stream/ws?task_attempt_id={attempt['id']}"
        short = await web.stream(path, {"execution_processes": {}})
        first = await short.until(newest)
        body = {"prompt": "say two", "retry_process_id": first["id"], "force_when_dirty": True,
                "perform_git_reset": True, "variant": None, "image_ids": None}  # fmt: skip
        follow = f"/api/task-attempts/{attempt['id']}/follow-up"
        second = await web.client.call("POST", follow, body)
        await short.until(lambda d: set(d["execution_processes"]) == {second["id"]})
        await daemon.over(attempt)

        other = {
            "task_id": attempt["task_id"],
            "executor_profile_id": {"executor": "ACP", "variant": None},
            "base_branch": "main",
        }
        new = await web.client.call("POST", "/api/task-attempts", other)
        await drafts.until(lambda d: set(d["drafts"]) == {attempt["id"], new["id"]})
        await daemon.over(new)
        await web.client.call("DELETE", f"/api/task-attempts/{new['id']}")
        await drafts.until(lambda d: set(d["drafts"]) == {attempt["id"]})
        (left,) = await web.client.call("GET", f"/api/task-attempts?task_id={attempt['task_id']}")
        assert left["id"] == attempt["id"]

        async def cleared() -> bool:
            return not Path(new["container_ref"]).exists()

        await daemon.until(cleared, "the removal of the worktree")
        assert daemon.git(Path(project["git_repo_path"]), "branch", "--list", new["branch"])

        await web.client.call("DELETE", f"/api/tasks/{attempt['task_id']}")
        await board.until(lambda d: d["tasks"] == {})
        await drafts.until(lambda d: d["drafts"] == {})


async def test_what_landed_is_shown_until_the_agent_goes_on(daemon: Daemon) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "write one.txt 1\nwrite two.txt 2")
    await daemon.over(attempt)
    place = f"/api/task-attempts/{attempt['id']}"
    await daemon.ask("POST", f"{place}/merge", {"strategy": "squash"})
    displayed = await daemon.frames(f"/vk{place}/diff/ws")
    assert set(patched(displayed)) == {"one.txt", "two.txt"}
    assert await daemon.frames(f"{place}/diff/ws?format=patch") == displayed
    await daemon.ask("POST", f"{place}/follow-up", {"prompt": "write three.txt 3\nsleep 600"})
    async with page(daemon) as web:
        diff = await web.diff(attempt)
        await diff.until(lambda d: set(d["entries"]) == {"one.txt", "two.txt", "three.txt"})
        assert not diff.finished
        await web.client.call("POST", f"{place}/stop")
        await web.client.call("POST", f"{place}/merge")
        await diff.until_finished()
        assert set(diff.document["entries"]) == {"three.txt"}
    Path(project["git_repo_path"], "three.txt").unlink()
    assert set(patched(await daemon.frames(f"/vk{place}/diff/ws"))) == {"three.txt"}


async def test_an_attempt_at_work_is_not_deleted(daemon: Daemon) -> None:
    project = await daemon.project()
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "sleep 600")
    async with page(daemon) as web:
        with pytest.raises(Displayed, match="stop it first"):
            await web.client.call("DELETE", f"/api/task-attempts/{attempt['id']}")
        await web.client.call("POST", f"/api/task-attempts/{attempt['id']}/stop")
        with trio.fail_after(30):
            await web.client.call("DELETE", f"/api/task-attempts/{attempt['id']}")
