"""An export of everything, taken in elsewhere, shows the same tasks, conversations and branches."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trio

from anyond.exporting import branches, layout
from anyond.store.engine.transaction import Reader
from anyond.store.upkeep import portable_rows
from tests.support.store.new_database import new_database
from tests.support.terminals.command_line import CommandLine, command_line


@pytest.fixture
def here(tmp_path: Path) -> Iterator[CommandLine]:
    with command_line(tmp_path / "here") as made:
        yield made


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[CommandLine]:
    with command_line(tmp_path / "elsewhere") as made:
        trio.run(made.daemon.stop)
        yield made


PLACES = ("container_ref", "worktree_deleted")
"""A worktree is made again from its branch, elsewhere."""


def seen_by_clients(anyon: CommandLine) -> dict[str, Any]:
    """All that a client sees, but for places on this disk."""
    projects = anyon.ask("GET", "/api/projects")
    found: dict[str, Any] = {"tags": anyon.ask("GET", "/api/tags"), "projects": [], "tasks": {}}
    for project in projects:
        found["projects"].append({k: v for k, v in project.items() if k != "git_repo_path"})
        for task in anyon.ask("GET", f"/api/tasks?project_id={project['id']}"):
            found["tasks"][task["id"]] = {"task": task, "attempts": attempts_of(anyon, task)}
    return found


def attempts_of(anyon: CommandLine, task: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for attempt in anyon.ask("GET", f"/api/task-attempts?task_id={task['id']}"):
        id = attempt["id"]
        rows = anyon.ask("GET", f"/api/execution-processes?task_attempt_id={id}")
        status = anyon.ask("GET", f"/api/task-attempts/{id}/branch-status")
        found.append(
            {
                "attempt": {k: v for k, v in attempt.items() if k not in PLACES},
                "processes": rows,
                "conversation": {row["id"]: entries(anyon, row) for row in rows},
                "raw": anyon.well("logs", "--raw", id),
                "commits": {k: status[k] for k in ("commits_ahead", "commits_behind", "merges")},
                "diff": anyon.well("diff", id),
            }
        )
    return found


def entries(anyon: CommandLine, row: dict[str, Any]) -> Any:
    async def asked() -> Any:
        return await anyon.daemon.frames(f"/api/execution-processes/{row['id']}/normalized-logs/ws")

    return trio.run(asked)


def differences(one: Any, other: Any, at: str = "") -> list[str]:
    """The places at which two values differ, each with both."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [line for key in one for line in differences(one[key], other[key], f"{at}/{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [line for n, (a, b) in pairs for line in differences(a, b, f"{at}/{n}")]
    return [] if one == other else [f"{at}: {one!r:.300} is {other!r:.300}"]


def refs(repository: Path) -> dict[str, str]:
    return trio.run(branches.refs_of, repository)


def worked(anyon: CommandLine) -> None:
    """A project with an attempt that was merged, one that was not, and one of two turns."""
    anyon.ask("POST", "/api/tags", {"tag_name": "tests", "content": "Write tests first."})
    anyon.well("run", "-y", "Tea", "-a", "demo", "--allow", "*")
    anyon.well("merge", "-")
    anyon.well("run", "-y", "Coffee", "-a", "demo", "--allow", "*")
    anyon.well("run", "-y", "Cake", "-a", "demo", "--allow", "*")
    anyon.well("new", "-y", "For later")


def branch_names(anyon: CommandLine) -> set[str]:
    return {one["branch"] for one in anyon.json("ps", "-a")}


def test_what_is_taken_in_elsewhere_is_the_same(
    here: CommandLine, elsewhere: CommandLine, tmp_path: Path
) -> None:
    worked(here)
    before, names = seen_by_clients(here), branch_names(here)
    target = tmp_path / "export"
    made = here.json("export", str(target))
    assert (made["tables"]["tasks"], made["left_out"]) == (4, [])
    refs_before = refs(here.repository)
    # Elsewhere there is no such repository.
    trio.run(here.daemon.stop)
    shutil.rmtree(here.repository)
    shutil.rmtree(here.daemon.data)
    places = tmp_path / "repositories"
    with elsewhere.terminal("import", "anyon", str(target), "--repositories", str(places)) as shown:
        shown.expect("tasks")
        assert shown.end() == 0
        assert "- " not in shown.text
    trio.run(elsewhere.daemon.start)
    assert branch_names(elsewhere) == names
    assert differences(before, seen_by_clients(elsewhere)) == []
    [repository] = places.iterdir()
    assert refs(repository) == refs_before
    assert (repository / "README.md").exists()
    # And it goes on there.
    attempt = next(one for one in elsewhere.json("ps", "-a") if one["title"] == "Cake")
    elsewhere.well("send", attempt["id"], "More sugar.", cwd=repository)
    elsewhere.well("stop", attempt["id"], cwd=repository)
    assert Path(elsewhere.well("cd", attempt["id"]).strip()).is_dir()


def test_done_again_it_brings_what_is_missing_and_nothing_twice(
    here: CommandLine, elsewhere: CommandLine, tmp_path: Path
) -> None:
    worked(here)
    target, places = tmp_path / "export", tmp_path / "repositories"
    here.well("export", str(target))
    first = json.loads(imported(elsewhere, target, places))
    assert (first["new"]["tasks"], first["known"]) == (4, {})
    second = json.loads(imported(elsewhere, target, places))
    assert (second["new"], second["left_out"]) == ({}, [])
    here.well("run", "-y", "Bread", "-a", "demo", "--allow", "*")
    here.well("export", str(target))
    third = json.loads(imported(elsewhere, target, places))
    assert (third["new"]["tasks"], third["known"]["tasks"]) == (1, 4)
    trio.run(elsewhere.daemon.start)
    elsewhere.well(
        "rm", "-y", next(o["id"] for o in elsewhere.json("ps", "-a") if o["title"] == "Bread")
    )
    trio.run(elsewhere.daemon.stop)
    deleted = json.loads(imported(elsewhere, target, places))
    assert deleted["new"] == {}
    assert deleted["deleted"] >= 1
    again = json.loads(imported(elsewhere, target, places, "--again"))
    assert again["new"]["task_attempts"] == 1
    # The repository is where it was, so none is made.
    assert not places.exists()


def imported(anyon: CommandLine, target: Path, places: Path, *more: str) -> str:
    words = ("import", "anyon", str(target), "--repositories", str(places), "--json", *more)
    return anyon.well(*words)


def test_a_zip_has_the_same_and_one_project_is_one(
    here: CommandLine, elsewhere: CommandLine, tmp_path: Path
) -> None:
    worked(here)
    other = here.daemon.repository("other")
    here.well("projects", "add", "--name", "Other", cwd=other)
    target = tmp_path / "anyon.zip"
    with here.terminal("export", str(target), "--project", "tea") as shown:
        shown.expect(str(target))
        assert shown.end() == 0
    assert target.stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.glob("*.zip*")] == ["anyon.zip"]
    assert not list(tmp_path.glob(".anyon*"))
    made = json.loads(imported(elsewhere, target, tmp_path / "repositories"))
    assert (made["new"]["projects"], made["new"]["tasks"]) == (1, 4)
    assert not list(elsewhere.daemon.data.glob(".importing*"))
    assert here.run("export", str(target), "--project", "no such").returncode == 1


def test_it_has_patches_and_no_secrets_of_a_start(here: CommandLine, tmp_path: Path) -> None:
    here.well("run", "-y", "Tea", "-a", "demo", "--allow", "*")
    [attempt] = here.json("ps", "-a")
    worktree = Path(here.well("cd", attempt["id"]).strip())
    (worktree / "README.md").write_text("not committed\n")
    target = tmp_path / "export"
    here.well("export", str(target))
    patch = target / "patches" / f"{attempt['id']}.patch"
    subprocess.run(["git", "apply", "--check", patch], cwd=here.repository, check=True)
    assert "+not committed" in (target / f"patches/{attempt['id']}.uncommitted.patch").read_text()
    names = {path.name for path in (target / "logs").rglob("*") if path.is_file()}
    assert names <= set(layout.LOG_FILES)
    assert {"log", "entries.jsonl", "exit.json"} <= names
    here.well("export", str(target), "--no-logs")


def test_what_was_at_work_is_not_at_work_elsewhere(
    here: CommandLine, elsewhere: CommandLine, tmp_path: Path
) -> None:
    here.well("run", "-y", "-d", "Tea", "-a", "demo")
    deadline = time.monotonic() + 60
    while here.json("ps")[0]["state"] != "question":
        assert time.monotonic() < deadline
    target = tmp_path / "export"
    here.well("export", str(target))
    imported(elsewhere, target, tmp_path / "repositories")
    trio.run(elsewhere.daemon.start)
    [attempt] = elsewhere.json("ps", "-a")
    assert attempt["state"] not in ("running", "question")
    elsewhere.well("logs", attempt["id"])


def test_what_is_no_export_or_not_whole_is_refused(
    here: CommandLine, elsewhere: CommandLine, tmp_path: Path
) -> None:
    here.well("run", "-y", "Tea", "-a", "demo", "--allow", "*")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "file").write_text("mine")
    assert here.run("export", str(mine)).returncode == 1
    (tmp_path / "mine.zip").write_text("mine")
    assert here.run("export", str(tmp_path / "mine.zip")).returncode == 1
    assert (tmp_path / "mine.zip").read_text() == "mine"
    for path in (mine, tmp_path / "mine.zip"):
        assert "no export" in elsewhere.run("import", "anyon", str(path)).stderr
    target = tmp_path / "export"
    here.well("export", str(target))
    manifest = json.loads((target / "export.json").read_text())
    (target / "export.json").write_text(json.dumps({**manifest, "made_at": None}))
    assert "interrupted" in elsewhere.run("import", "anyon", str(target)).stderr
    (target / "export.json").write_text(json.dumps({**manifest, "format": 99}))
    assert "newer Anyon" in elsewhere.run("import", "anyon", str(target)).stderr
    running = here.run("import", "anyon", str(target))
    assert running.returncode == 3


def test_a_hostile_export_writes_nowhere_else(
    here: CommandLine, elsewhere: CommandLine, tmp_path: Path
) -> None:
    here.well("run", "-y", "Tea", "-a", "demo", "--allow", "*")
    target = tmp_path / "export"
    here.well("export", str(target))
    rows = target / "rows" / "execution_processes.jsonl"
    processes = [json.loads(line) for line in rows.read_text().splitlines()]
    processes[0]["id"] = "../../escaped"
    rows.write_text("".join(json.dumps(row) + "\n" for row in processes))
    done = elsewhere.run("import", "anyon", str(target), "--repositories", str(tmp_path / "r"))
    assert done.returncode == 1
    assert "an id that is none" in done.stderr
    assert not (elsewhere.daemon.root / "escaped").exists()
    evil = tmp_path / "evil.zip"
    with zipfile.ZipFile(evil, "w") as archive:
        archive.writestr("../../outside", "x")
        archive.writestr("export.json", (target / "export.json").read_text())
    elsewhere.run("import", "anyon", str(evil))
    assert not list(tmp_path.rglob("outside"))


def test_each_table_of_a_persons_work_goes_along(tmp_path: Path) -> None:
    new_database(tmp_path / "anyon.db")
    with closing(sqlite3.connect(tmp_path / "anyon.db")) as connection:
        found = {table.name for table in portable_rows.tables(Reader(connection))}
    assert found >= {*portable_rows.ROOTS, "executor_sessions", "approvals", "merges", "drafts"}
    assert found >= {"task_images", "remarks"}
    assert not found & portable_rows.OF_THIS_MACHINE.keys()


def test_killed_anywhere_both_can_be_done_again(
    here: CommandLine, elsewhere: CommandLine, tmp_path: Path
) -> None:
    worked(here)
    before = seen_by_clients(here)
    target, places = tmp_path / "export", tmp_path / "repositories"
    spools = elsewhere.daemon.data / "executions"
    takes = ["import", "anyon", str(target), "--repositories", str(places)]
    for seen in (target / "rows", target / "logs", target / "branches"):
        kill_when(here, ["export", str(target)], seen)
    here.well("export", str(target))
    trio.run(here.daemon.stop)
    shutil.rmtree(here.repository)
    shutil.rmtree(here.daemon.data)
    for seen in (places, *(spools / path.name for path in (target / "logs").iterdir())):
        kill_when(elsewhere, takes, seen)
    elsewhere.well(*takes)
    trio.run(elsewhere.daemon.start)
    assert differences(before, seen_by_clients(elsewhere)) == []
    assert len([path for path in places.iterdir() if not path.name.startswith(".")]) == 1


def kill_when(anyon: CommandLine, arguments: list[str], seen: Path) -> None:
    """Start the command and kill it as soon as that is there, or it has ended."""
    program = subprocess.Popen(
        [sys.executable, "-m", "anyond", *arguments],
        env=anyon.environment,
        cwd=anyon.daemon.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not seen.exists() and program.poll() is None:
        time.sleep(0.001)
    program.kill()
    program.wait()
