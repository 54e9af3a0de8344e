from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.importing.old_installation import counts, furnished, run
from tests.support.importing.old_kanban import AGES, OldKanban, claude_lines, first_request
from tests.support.paths import ROOT


@pytest.mark.parametrize("age", AGES)
async def test_a_whole_kanban_moves_in_and_is_served(tmp_path: Path, age: str) -> None:
    old = furnished(tmp_path / "old", age)
    daemon = Daemon(tmp_path / "daemon")
    done = run(daemon, str(old.path.parent), "--images", str(old.images))
    assert done.returncode == 0, done.stdout + done.stderr
    assert counts(done.stdout)["processes"] == [4, 4, 0]
    async with daemon:
        [project] = await daemon.ask("GET", "/api/projects")
        assert project["git_repo_path"] == str(old.repository)
        assert project["cleanup_script"] == "echo bye"
        listed = await daemon.ask("GET", f"/api/tasks?project_id={project['id']}")
        tasks = {task["title"]: task for task in listed}
        assert tasks["pay"]["status"] == "inreview"  # nothing runs that could end it
        assert tasks["pay"]["has_merged_attempt"]
        assert tasks["pay"]["created_at"] == "2025-10-21T08:01:00.250Z"
        assert tasks["ship"]["parent_task_attempt"] == old.id("first")
        await check_attempts(daemon, old, tasks["pay"])
        await check_logs(daemon, old)
        [tag] = await daemon.ask("GET", "/api/tags")
        assert (tag["tag_name"], tag["content"]) == ("be_kind", "Always.")
        [image] = await daemon.ask("GET", f"/api/images/task/{old.id('pay')}")
        assert image["file_path"] in tasks["pay"]["description"]
        displayed = await daemon.request("GET", f"/api/images/{image['id']}/file")
        assert displayed.content.startswith(b"\x89PNG")
    assert "Traceback" not in daemon.log()


async def check_attempts(daemon: Daemon, old: OldKanban, task: dict[str, Any]) -> None:
    listed = await daemon.ask("GET", f"/api/task-attempts?task_id={task['id']}")
    attempts = {attempt["id"]: attempt for attempt in listed}
    first, second = attempts[old.id("first")], attempts[old.id("second")]
    worktree = Path(first["container_ref"])
    assert (worktree / "notes.txt").read_text() == "not committed\n"
    assert (first["branch"], first["target_branch"]) == ("vk/first", "main")
    status = await daemon.ask("GET", f"/api/task-attempts/{first['id']}/branch-status")
    assert status["untracked_count"] == 1
    assert second["container_ref"] is None  # its directory is gone: made anew when it is needed
    assert second["executor"] == "GEMINI"
    if old.age == "0.0.95":
        draft = await daemon.ask("GET", f"/api/task-attempts/{first['id']}/draft")
        assert draft["prompt"] == "And then"


async def check_logs(daemon: Daemon, old: OldKanban) -> None:
    async def entries(name: str) -> list[tuple[str, str]]:
        path = f"/api/execution-processes/{old.id(name)}/normalized-logs/ws"
        return [
            (frame["entry_type"]["type"], frame["content"]) for frame in await daemon.frames(path)
        ]

    assert await entries("working") == [
        ("user_message", "Pay it"),
        ("system_message", "Model: m"),
        ("assistant_message", "I have paid."),
    ]
    reported = await entries("other")
    assert reported[:2] == [("user_message", "Try"), ("assistant_message", "I am trying.")]
    [(kind, command)] = await entries("setting up")
    assert (kind, command) == ("tool_use", "make")
    raw = await daemon.frames(f"/api/execution-processes/{old.id('setting up')}/raw-logs/ws")
    assert [(f["value"]["type"], f["value"]["content"]) for f in raw] == [
        ("stdout", "made\n"),
        ("stderr", "warned\n"),
    ]
    again = await daemon.ask("GET", f"/api/execution-processes/{old.id('again')}")
    assert again["status"] == "killed"
    assert again["before_head_commit"] == "a" * 40


@pytest.mark.parametrize("age", AGES)
def test_a_second_import_brings_nothing_twice_and_what_is_new_since(
    tmp_path: Path, age: str
) -> None:
    old = furnished(tmp_path / "old", age)
    daemon = Daemon(tmp_path / "daemon")
    assert run(daemon, str(old.path), "--images", str(old.images)).returncode == 0
    second = counts(run(daemon, str(old.path), "--images", str(old.images)).stdout)
    assert all(new == 0 and found == known for found, new, known in second.values())
    old.task("later")
    third = counts(run(daemon, str(old.path), "--images", str(old.images)).stdout)
    assert third["tasks"] == [3, 1, 2]
    assert third["attempts"] == [2, 0, 2]


async def test_what_was_deleted_here_comes_back_only_if_it_is_wanted(tmp_path: Path) -> None:
    old = furnished(tmp_path / "old", "0.0.116")
    daemon = Daemon(tmp_path / "daemon")
    assert run(daemon, str(old.path), "--images", str(old.images)).returncode == 0
    async with daemon:
        await daemon.ask("DELETE", f"/api/tasks/{old.id('ship')}")
        await daemon.ask("DELETE", f"/api/tags/{old.id('tag')}")
    done = run(daemon, str(old.path), "--images", str(old.images))
    assert counts(done.stdout)["tasks"] == [2, 0, 1]
    assert "Deleted here since an earlier import: 1 tags, 1 tasks" in done.stdout
    done = run(daemon, str(old.path), "--images", str(old.images), "--again")
    assert counts(done.stdout)["tasks"] == [2, 1, 1]
    assert counts(done.stdout)["tags"] == [1, 1, 0]
    async with daemon:
        project_id = (await daemon.ask("GET", "/api/projects"))[0]["id"]
        assert len(await daemon.ask("GET", f"/api/tasks?project_id={project_id}")) == 2
        await daemon.ask("DELETE", f"/api/projects/{project_id}")
    done = run(daemon, str(old.path), "--images", str(old.images))
    assert counts(done.stdout)["projects"] == [1, 0, 0]
    assert counts(done.stdout)["tasks"] == [2, 0, 0]
    assert "Not imported" not in done.stdout


def test_a_dry_run_counts_and_writes_nothing_anywhere(tmp_path: Path) -> None:
    old = furnished(tmp_path / "old", "0.0.116")
    daemon = Daemon(tmp_path / "daemon")
    before = {path: path.read_bytes() for path in old.path.parent.iterdir()}
    done = run(daemon, "--dry-run", str(old.path), "--images", str(old.images))
    assert counts(done.stdout)["tasks"] == [2, 2, 0]
    assert "Nothing was written" in done.stdout
    assert not daemon.data.exists()
    assert {path: path.read_bytes() for path in old.path.parent.iterdir()} == before


def test_the_old_database_is_only_read(tmp_path: Path) -> None:
    old = furnished(tmp_path / "old", "0.0.145")
    before = {path: path.read_bytes() for path in old.path.parent.iterdir()}
    assert len(before) == 3, "the write-ahead log was to be there"
    assert run(Daemon(tmp_path / "daemon"), str(old.path)).returncode == 0
    assert {path: path.read_bytes() for path in old.path.parent.iterdir()} == before


def test_what_is_not_understood_is_told_and_the_rest_comes(tmp_path: Path) -> None:
    old = furnished(tmp_path / "old", "0.0.145")
    old.project("twins", repositories=2)
    old.task("odd", "someday")
    old.attempt("alien", "pay", executor="HAL_9000")
    old.process("broken", "first", 7, "not json", reason="danceparty")
    old.insert("scratch", id=old.key("x"), payload="{}")
    (old.images / f"{old.id('shot')}.png").unlink()
    done = run(Daemon(tmp_path / "daemon"), str(old.path), "--images", str(old.images))
    assert done.returncode == 0, done.stderr
    for sentence in (
        "project twins: it has 2 repositories, not one",
        "task odd: its status is 'someday', which is not known",
        "attempt vk/alien of task pay: its executor is 'HAL_9000', which is not known",
        "a process of attempt vk/first: its run_reason is 'danceparty', which is not known",
        "table scratch: 1 rows of a sort that Anyon does not know",
        "image shot.png: there is no file",
    ):
        assert sentence in done.stdout
    assert counts(done.stdout)["tasks"] == [3, 2, 0]


async def test_a_picture_that_was_not_found_comes_with_another_import(tmp_path: Path) -> None:
    old = furnished(tmp_path / "old", "0.0.116")
    daemon = Daemon(tmp_path / "daemon")
    done = run(daemon, str(old.path), "--images", str(tmp_path))
    assert "brings it" in done.stdout
    assert counts(done.stdout)["images"] == [1, 0, 0]
    done = run(daemon, str(old.path), "--images", str(old.images))
    assert counts(done.stdout)["images"] == [1, 1, 0]
    done = run(daemon, str(old.path), "--images", str(tmp_path))
    assert counts(done.stdout)["images"] == [1, 0, 1]
    assert "Not imported" not in done.stdout
    async with daemon:
        [image] = await daemon.ask("GET", f"/api/images/task/{old.id('pay')}")
        task = await daemon.ask("GET", f"/api/tasks/{old.id('pay')}")
        assert image["file_path"] in task["description"]
        assert ".vibe-images" not in task["description"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"hello", "is no SQLite database"),
        (b"", "is not a database of vibe-kanban"),
    ],
)
def test_what_is_no_kanban_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "db.sqlite"
    path.write_bytes(content)
    done = run(Daemon(tmp_path / "daemon"), str(path))
    assert done.returncode == 1
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


async def test_it_stays_away_from_a_running_daemon(tmp_path: Path) -> None:
    old = furnished(tmp_path / "old", "0.0.116")
    async with Daemon(tmp_path / "daemon") as daemon:
        done = run(daemon, str(old.path))
        assert done.returncode == 3
        assert "already running" in done.stderr
        assert await daemon.ask("GET", "/api/projects") == []


async def test_a_replaced_run_that_comes_later_replaces_nothing_here(tmp_path: Path) -> None:
    old = OldKanban(tmp_path / "old", "0.0.116")
    old.project()
    old.task("pay")
    old.attempt("first", "pay")
    old.process("kept", "first", 6, first_request("Go"))
    daemon = Daemon(tmp_path / "daemon")
    assert run(daemon, str(old.path)).returncode == 0
    old.process("replaced", "first", 5, first_request("Went"), dropped=1)
    assert run(daemon, str(old.path)).returncode == 0
    async with daemon:
        path = f"/api/execution-processes?task_attempt_id={old.id('first')}"
        assert [p["id"] for p in await daemon.ask("GET", path)] == [old.id("kept")]
        every = await daemon.ask("GET", f"{path}&show_soft_deleted=true")
        assert {p["id"]: p["dropped"] for p in every} == {
            old.id("kept"): False,
            old.id("replaced"): True,
        }


def test_how_far_a_long_import_is_can_be_seen(tmp_path: Path) -> None:
    old = OldKanban(tmp_path / "old", "0.0.116")
    old.project()
    old.connection.execute("BEGIN")
    for n in range(1001):
        old.task(f"task {n}")
    old.connection.execute("COMMIT")
    daemon = Daemon(tmp_path / "daemon")
    done = run(daemon, str(old.path))
    assert "\n500 of 1001 tasks\n1000 of 1001 tasks\n" in done.stdout
    again = run(daemon, str(old.path))
    assert counts(again.stdout)["tasks"] == [1001, 0, 1001]
    assert "of 1001 tasks" not in again.stdout


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_import_that_was_ended_leaves_nothing_and_is_completed_by_the_next(
    tmp_path: Path, how: signal.Signals
) -> None:
    old = furnished(tmp_path / "old", "0.0.116")
    for n in range(40):
        old.task(f"task {n}")
        old.attempt(f"attempt {n}", f"task {n}")
        old.process(f"process {n}", f"attempt {n}", 4, first_request("Go"))
        old.log(f"process {n}", *claude_lines("Going."))
    daemon = Daemon(tmp_path / "daemon")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    # Whoever runs the tests in the background has children that ignore an interrupt.
    listening = (
        "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        " runpy.run_module('anyond', run_name='__main__', alter_sys=True)"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", listening, "import", "vibe-kanban", str(old.path)],
        env=daemon.environment | {"TMPDIR": str(scratch)},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    spools = daemon.data / "executions"
    while running.poll() is None and not (spools.is_dir() and len(os.listdir(spools)) > 5):
        pass
    running.send_signal(how)
    _, output = running.communicate()
    assert list(scratch.iterdir()) == []
    sentence = "Interrupted. The same command brings what is missing.\n"
    end = {signal.SIGKILL: (-9, ""), signal.SIGINT: (130, sentence)}[how]
    assert (running.returncode, output) in (end, (0, ""))  # 0 if it was done before
    assert run(daemon, str(old.path)).returncode == 0
    rest = counts(run(daemon, str(old.path)).stdout)
    assert rest["tasks"] == [42, 0, 42]
    assert rest["processes"] == [44, 0, 44]
    entries = (spools / old.id("process 3") / "entries.jsonl").read_text().splitlines()
    assert [json.loads(line)["entry"]["content"] for line in entries[:-1]] == [
        "Go",
        "Model: m",
        "Going.",
    ]


def test_a_log_is_on_the_disk_before_it_is_said_to_be_whole(tmp_path: Path) -> None:
    old = furnished(tmp_path / "old", "0.0.116")
    daemon = Daemon(tmp_path / "daemon")
    telling = f"""
import os, runpy
real, told = os.fsync, open({str(tmp_path / "synced")!r}, "w")
def fsync(descriptor):
    real(descriptor)
    file = os.fstat(descriptor)
    print(file.st_ino, file.st_size, file=told, flush=True)
os.fsync = fsync
runpy.run_module("anyond", run_name="__main__", alter_sys=True)
"""
    command = [sys.executable, "-c", telling, "import", "vibe-kanban", str(old.path)]
    subprocess.run(command, env=daemon.environment, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    synced = (tmp_path / "synced").read_text().splitlines()

    def moment(file: Path) -> int:
        return synced.index(f"{file.stat().st_ino} {file.stat().st_size}")

    for name in ("setting up", "working", "other"):
        spool = daemon.data / "executions" / old.id(name)
        end = moment(spool / "exit.json")
        assert moment(spool / "log") < end
        assert moment(spool / "log.idx") < end
