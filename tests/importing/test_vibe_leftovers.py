"""What an old database holds that has no place here is told, and costs nothing else its place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.daemon import Daemon
from tests.support.importing.old_installation import counts, furnished, run
from tests.support.importing.old_kanban import MOMENT, OldKanban, claude_lines, first_request
from tests.support.paths import ROOT


def test_columns_of_later_versions_and_rows_that_hang_on_nothing_are_told(tmp_path: Path) -> None:
    old = furnished(tmp_path / "old", "0.0.145")
    old.connection.execute("ALTER TABLE workspaces ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0")
    old.connection.execute("ALTER TABLE tasks ADD COLUMN shared_with TEXT")
    old.connection.execute("UPDATE tasks SET shared_with = 'Bo' WHERE title = 'pay'")
    old.attempt("alone", "no task")
    old.process("lost", "no attempt", 4, first_request("Go"))
    old.log("no process", *claude_lines("Hello."))
    old.image("unused", "no task")
    old.connection.execute("DELETE FROM task_images WHERE task_id = ?", (old.key("no task"),))
    done = run(Daemon(tmp_path / "daemon"), str(old.path), "--images", str(old.images))
    assert done.returncode == 0, done.stderr
    for sentence in (
        "column tasks.shared_with: 1 rows of a sort that Anyon does not know",
        "1 attempts belong to no task of this database",
        "1 processes belong to no attempt of this database",
        "1 pieces of logs belong to no process of this database",
        "1 images belong to no task of this database",
    ):
        assert f"- {sentence}\n" in done.stdout
    assert "pinned" not in done.stdout
    assert counts(done.stdout)["attempts"] == [2, 2, 0]


@pytest.mark.parametrize("age", ["0.0.95", "0.0.116", "0.0.138"])
def test_of_a_database_of_the_known_versions_nothing_is_left(tmp_path: Path, age: str) -> None:
    old = furnished(tmp_path / "old", age)
    done = run(Daemon(tmp_path / "daemon"), str(old.path), "--images", str(old.images))
    assert (done.returncode, "Not imported" in done.stdout) == (0, False), done.stdout


def test_a_log_whose_row_is_damaged_is_left_and_the_others_come(tmp_path: Path) -> None:
    old = furnished(tmp_path / "old", "0.0.116")
    old.connection.execute("UPDATE execution_process_logs SET byte_size = 1.5")
    old.connection.execute("UPDATE execution_process_logs SET byte_size = 'many' WHERE rowid = 1")
    old.loosen()
    old.log("again", {"Stdout": "x"})
    old.connection.execute(
        "UPDATE execution_process_logs SET logs = NULL WHERE execution_id = ?", (old.key("again"),)
    )
    done = run(Daemon(tmp_path / "daemon"), str(old.path), "--images", str(old.images))
    assert done.returncode == 0, done.stderr
    assert counts(done.stdout)["processes"] == [4, 4, 0]


def test_a_tag_that_cannot_have_its_name_is_told_before_anything_is_written(
    tmp_path: Path,
) -> None:
    old = furnished(tmp_path / "old", "0.0.116")
    old.insert("tags", id=old.key("odd"), tag_name="two\u202ewords", content="x",
               created_at=MOMENT.format(0))  # fmt: skip
    done = run(Daemon(tmp_path / "daemon"), "--dry-run", str(old.path))
    assert counts(done.stdout)["tags"] == [2, 1, 0]
    assert "must be one word, without blanks and without @" in done.stdout


async def test_a_repository_that_is_here_already_is_known_behind_a_link_too(
    tmp_path: Path,
) -> None:
    old = OldKanban(tmp_path / "old", "0.0.116")
    old.project("link")
    (old.root / "link").symlink_to(old.repository)
    old.task("pay", project_id=old.key("link"))
    daemon = Daemon(tmp_path / "daemon")
    async with daemon:
        body = {"name": "S", "git_repo_path": str(old.repository), "use_existing_repo": True}
        here = await daemon.ask("POST", "/api/projects", body)
    done = run(daemon, str(old.path))
    assert counts(done.stdout)["projects"] == [1, 0, 1]
    async with daemon:
        assert [p["id"] for p in await daemon.ask("GET", "/api/projects")] == [here["id"]]
        (task,) = await daemon.ask("GET", f"/api/tasks?project_id={here['id']}")
        assert task["title"] == "pay"


def test_a_disk_that_is_full_while_the_copy_is_read_is_told(tmp_path: Path) -> None:
    old = OldKanban(tmp_path / "old", "0.0.116")
    old.project()
    old.connection.execute("BEGIN")
    for n in range(3000):
        old.task(f"task {n}")
        old.attempt(f"attempt {n}", f"task {n}")
    old.connection.execute("COMMIT")
    old.connection.close()
    daemon = Daemon(tmp_path / "daemon")
    # There is room for the copy, and not for its indexes.
    room = old.path.stat().st_size + 8192
    narrow = (
        f"import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}));"
        " runpy.run_module('anyond', run_name='__main__', alter_sys=True)"
    )
    done = subprocess.run(
        [sys.executable, "-c", narrow, "import", "vibe-kanban", "--dry-run", str(old.path)],
        env=daemon.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "can be read no further" in done.stderr) == (1, True), done.stderr
    assert "Traceback" not in done.stderr
