"""`anyon doctor` with and without a daemon: everything that is wrong is found, and what can be
undone is mended.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import trio

from anyond.doctor import directories
from anyond.doctor.examination import CHECKS, Check, examine
from anyond.doctor.facts import Facts
from anyond.doctor.findings import Finding, Level, ok
from anyond.host.app_paths import AppPaths
from tests.support.terminals.command_line import CommandLine, command_line


def findings(anyon: CommandLine, check: str) -> list[dict[str, Any]]:
    done = anyon.run("doctor", "--json")
    assert done.returncode in (0, 1), done.stderr
    assert done.stdout, done.stderr
    answer = json.loads(done.stdout)
    return [one for one in answer["checks"] if one["check"] == check]


def levels(anyon: CommandLine, check: str) -> set[str]:
    return {one["level"] for one in findings(anyon, check)}


def test_each_check_says_something_in_a_sentence(anyon: CommandLine) -> None:
    answer = json.loads(anyon.run("doctor", "--json").stdout)
    assert {one["check"] for one in answer["checks"]} == {check.name for check in CHECKS}
    for one in answer["checks"]:
        assert one["sentence"][0].isupper() or one["sentence"].startswith(("git", "fs.")), one
        assert one["sentence"].endswith("."), one
        assert one["level"] == "ok" or one["remedy"], one
    by_name = {one["check"]: one["level"] for one in answer["checks"]}
    well = ("daemon", "listeners", "settings", "database", "git", "worktrees", "shims", "locks")
    assert {name: by_name[name] for name in well} == dict.fromkeys(well, "ok")


def test_a_terminal_has_marks_and_a_pipe_has_the_same_words(anyon: CommandLine) -> None:
    printed = anyon.run("doctor").stdout
    assert "✓ daemon" in printed
    with anyon.terminal("doctor") as shown:
        shown.expect(f"The daemon answers at {anyon.daemon.url}")
        assert shown.end() in (0, 1)
        assert "\x1b[" in shown.raw


def test_modes_are_mended_and_the_way_back_is_said(anyon: CommandLine) -> None:
    config = anyon.daemon.root / "config" / "config.json"
    config.chmod(0o644)
    assert levels(anyon, "modes") == {"warn"}
    answer = json.loads(anyon.run("doctor", "--fix", "--json").stdout)
    assert answer["fixed"][0]["undo"] == f"chmod 644 {config}"
    assert config.stat().st_mode & 0o777 == 0o600
    assert levels(anyon, "modes") == {"ok"}


def test_worktrees_and_rows_are_compared_in_both_directions(anyon: CommandLine) -> None:
    root = anyon.daemon.data / "worktrees"
    stray = root / "tea" / "nobodys"
    stray.mkdir(parents=True)
    (stray / "work.txt").write_text("mine")
    [found] = findings(anyon, "worktrees")
    assert (found["level"], found["fixable"]) == ("warn", True)
    assert str(stray) in found["sentence"]
    answer = json.loads(anyon.run("doctor", "--fix", "--json").stdout)
    [fixed] = [one for one in answer["fixed"] if one["check"] == "worktrees"]
    assert not stray.exists()
    source, target = fixed["undo"].split(",")[0].removeprefix("mv ").split(" ")
    assert (Path(source) / "work.txt").read_text() == "mine"
    assert target == str(stray)

    anyon.well("run", "-y", "Tea", "-a", "demo", "--allow", "*")
    place = anyon.well("cd", "-").strip()
    shutil.rmtree(place)
    [gone] = findings(anyon, "worktrees")
    assert place in gone["sentence"]
    assert "is gone" in gone["sentence"]


def test_locks_of_killed_gits_are_put_aside(anyon: CommandLine) -> None:
    anyon.well("projects", "add", "--name", "Tea", cwd=anyon.daemon.repository("locked"))
    lock = anyon.daemon.root / "locked" / ".git" / "index.lock"
    lock.write_text("")
    assert levels(anyon, "locks") == {"ok"}  # it may be of a git that works
    os.utime(lock, (time.time() - 3600,) * 2)
    assert levels(anyon, "locks") == {"warn"}
    anyon.run("doctor", "--fix")
    assert not lock.exists()
    assert len(list(lock.parent.glob("index.lock-stale-*"))) == 1


def test_a_repository_that_moved_is_in_the_way(anyon: CommandLine) -> None:
    repository = anyon.daemon.repository("moving")
    anyon.well("projects", "add", "--name", "Moving", cwd=repository)
    repository.rename(repository.with_name("moved"))
    done = anyon.run("doctor", "--json")
    assert done.returncode == 1
    [found] = [one for one in json.loads(done.stdout)["checks"] if one["check"] == "repositories"]
    assert (found["level"], "Moving" in found["sentence"]) == ("fail", True)
    repository.with_name("moved").rename(repository)
    assert levels(anyon, "repositories") == {"ok"}


def test_a_shim_that_no_row_is_about_is_named(anyon: CommandLine) -> None:
    spool = anyon.daemon.data / "executions" / "00000000-0000-4000-8000-000000000000"
    code = "import time; time.sleep(600)"
    program = subprocess.Popen(
        [sys.executable, "-c", code, "/x/anyond/shim/shim.py", "start", str(spool)]
    )
    try:
        assert levels(anyon, "shims") == {"ok"}  # its row may be on its way
        deadline = time.monotonic() + 60
        while levels(anyon, "shims") == {"ok"}:
            assert time.monotonic() < deadline
        [found] = findings(anyon, "shims")
        assert str(program.pid) in found["sentence"]
    finally:
        program.kill()
        program.wait()


def test_programs_that_only_the_terminal_finds_are_named(anyon: CommandLine) -> None:
    everywhere = anyon.daemon.environment["PATH"]
    name = next(
        one for one in ("cursor-agent", "droid", "cargo") if not shutil.which(one, path=everywhere)
    )
    folder = anyon.daemon.home / "agents"
    folder.mkdir()
    (folder / name).write_text("#!/bin/sh\n")
    (folder / name).chmod(0o755)
    (anyon.daemon.home / ".bashrc").write_text(f"PATH={folder}:$PATH\n")
    [found] = findings(anyon, "path")
    assert found["level"] == "fail"
    assert name in found["sentence"]


def test_an_agent_that_is_not_logged_in_is_named(anyon: CommandLine) -> None:
    programs = anyon.daemon.root / "programs"
    programs.mkdir(exist_ok=True)
    codex = programs / "codex"
    codex.write_text(
        '#!/bin/sh\n[ "$1" = login ] && { echo "Not logged in"; exit 1; }\necho 1.2.3\n'
    )
    codex.chmod(0o755)
    [found] = findings(anyon, "logins")
    assert (found["level"], found["remedy"]) == ("warn", "`codex login`")
    codex.write_text('#!/bin/sh\necho "Logged in using ChatGPT"\n')
    assert levels(anyon, "logins") == {"ok"}
    codex.unlink()


def test_an_agent_of_the_settings_that_is_missing_is_in_the_way(anyon: CommandLine) -> None:
    anyon.well("config", "set", "executor_profile.executor", "AMP")
    named = [one for one in findings(anyon, "agents") if one["sentence"].startswith("AMP")]
    there = shutil.which("npx", path=anyon.daemon.environment["PATH"])
    assert there or named[0]["level"] == "fail"
    anyon.well("config", "set", "executor_profile.executor", "DEMO")


def test_without_a_daemon_everything_is_looked_at_too(tmp_path: Path) -> None:
    with command_line(tmp_path / "d") as anyon:
        trio.run(anyon.daemon.kill)
        [left] = findings(anyon, "daemon")
        assert (left["level"], left["fixable"]) == ("warn", True)
        anyon.run("doctor", "--fix")
        assert levels(anyon, "daemon") == {"ok"}
        database = anyon.daemon.data / "anyon.db"
        assert levels(anyon, "database") == {"ok"}
        with database.open("r+b") as file:
            file.seek(4096)
            file.write(os.urandom(60_000))
        assert levels(anyon, "database") == {"fail"}
        assert anyon.run("doctor").returncode == 1
        (anyon.daemon.root / "config" / "config.json").write_text("{")
        assert levels(anyon, "settings") == {"warn"}
        # It was looked at, and not put aside.
        assert (anyon.daemon.root / "config" / "config.json").read_text() == "{"


async def test_checks_run_at_once_and_none_holds_up_the_others(tmp_path: Path) -> None:
    def hang(_: Facts) -> list[Finding]:
        time.sleep(30)
        return []

    def fail(_: Facts) -> list[Finding]:
        raise PermissionError(13, "Permission denied")

    checks = [
        Check("hang", hang, timeout_s=0.2),
        Check("fail", fail),
        Check("well", lambda _: ok("well", "All is well.")),
    ]
    with trio.fail_after(20):
        found = await examine(Facts(AppPaths.under(tmp_path), {}), checks)
    assert [(one.check, one.level) for one in found] == [
        ("hang", Level.WARN),
        ("fail", Level.WARN),
        ("well", Level.OK),
    ]
    assert "0.2 s" in found[0].sentence
    assert "Permission denied" in found[1].sentence


def test_a_disk_of_the_network_is_told_from_a_local_one(tmp_path: Path) -> None:
    facts = Facts(AppPaths.under(tmp_path), {})
    [local] = directories.file_system(facts)
    assert local.level is Level.OK
    assert not directories.is_of_the_network(directories.file_system_of(Path("/proc")))
    assert directories.is_of_the_network("nfs4")
    assert directories.file_system_of(Path("/proc/self")) == "proc"
