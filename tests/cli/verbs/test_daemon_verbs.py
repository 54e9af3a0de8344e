"""The daemon, its settings and its events, from a terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.daemon import alive
from tests.support.daemons import measured
from tests.support.terminals.command_line import CommandLine


def test_settings_are_read_and_changed(anyon: CommandLine) -> None:
    assert anyon.json("config")["git_branch_prefix"] == "anyon"
    anyon.well("config", "set", "git_branch_prefix", "tea")
    anyon.well("config", "set", "editor.editor_type", "ZED")
    assert anyon.well("config", "get", "git_branch_prefix") == "tea\n"
    assert anyon.well("config", "get", "editor.editor_type") == "ZED\n"
    refused = anyon.run("config", "set", "editor.editor_type", "CHALK", "--json")
    assert json.loads(refused.stderr)["error"]["field"] == "editor.editor_type"
    assert anyon.run("config", "get", "no.such").returncode == 1
    editor = f'{sys.executable} -c "import sys; p = sys.argv[1]; t = open(p).read();'
    editor += " open(p, 'w').write(t.replace('ZED', 'CURSOR'))\""
    anyon.well("config", "edit", VISUAL=editor)
    assert anyon.well("config", "get", "editor.editor_type") == "CURSOR\n"
    assert "DEMO" in json.loads(anyon.well("profiles"))["executors"]


def test_projects_are_listed_added_changed_and_removed(anyon: CommandLine) -> None:
    repository = anyon.daemon.repository("house")  # others make a project of theirs, in any order
    made = anyon.json("projects", "add", "--name", "Tea house", cwd=repository)
    assert made["git_repo_path"] == str(repository)
    assert "Tea house" in anyon.well("projects")
    changed = anyon.json("projects", "set", "tea house", "dev_script=make serve", "name=Tea")
    assert (changed["dev_script"], changed["name"]) == ("make serve", "Tea")
    assert anyon.json("projects", "show", "Tea") == changed
    assert anyon.run("projects", "set", "Tea", "color=green").returncode == 2
    assert anyon.run("projects", "rm", "Tea").returncode == 6
    anyon.well("projects", "rm", "Tea", "-y")
    assert made["id"] not in {project["id"] for project in anyon.json("projects")}


def test_agents_are_listed_and_checked(anyon: CommandLine) -> None:
    assert any(line.startswith("DEMO") for line in anyon.well("agents").splitlines())
    assert anyon.json("agents")["DEMO"]["available"] is True
    assert anyon.run("agents", "--check").returncode in (0, 1)


def test_where_the_daemon_is(anyon: CommandLine) -> None:
    told = anyon.json("status")
    assert (told["url"], told["pid"]) == (anyon.daemon.url, anyon.daemon.pid)
    assert anyon.well("open").strip() == anyon.daemon.url
    assert "0 at work" in anyon.well("status")
    assert anyon.json("paths")["data"] == str(anyon.daemon.data)
    assert anyon.json("version")["daemon"]
    assert anyon.json("inbox") == []
    assert anyon.well("inbox", "--count") == "0\n"


def test_events_are_lines_of_json(anyon: CommandLine) -> None:
    program = subprocess.Popen(
        [sys.executable, "-m", "anyond", "events", "--after", "0", "--type", "task_created"],
        env=anyon.environment,
        cwd=anyon.repository,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        id = anyon.well("new", "-y", "For later").strip()
        assert program.stdout is not None
        # Tasks of other tests come before it.
        events = (json.loads(line) for line in program.stdout)
        event = next(event for event in events if event["data"]["id"] == id)
        assert event["type"] == "task_created"
    finally:
        program.send_signal(signal.SIGINT)
        assert program.wait(30) == 130
        assert program.stdout is not None
        program.stdout.close()
    assert anyon.run("events", "--type", "tea").returncode == 2


@pytest.mark.cold_start
def test_a_daemon_is_started_stopped_and_restarted(tmp_path: Path) -> None:
    repository = tmp_path / "tea"
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@localhost"]
    subprocess.run(["git", "init", "-q", "-b", "main", repository], check=True)
    commit = ["git", *identity, "commit", "-q", "--allow-empty", "-m", "First"]
    subprocess.run(commit, cwd=repository, check=True)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(sys.path),
        "ANYON_DEMO_PACE": "0",
        "ANYON_PORT": "0",
        "XDG_RUNTIME_DIR": "",
        **measured.variables(),
    }

    def anyon(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "anyond", *arguments]
        return subprocess.run(
            command, env=environment, cwd=repository, capture_output=True, text=True, check=False
        )

    pids = []
    try:
        done = anyon("run", "-y", "Tea", "-a", "demo", "--allow", "*", "--json")
        assert done.returncode == 0, done.stderr
        assert "one was started" in done.stderr
        pids.append(json.loads(anyon("status", "--json").stdout)["pid"])
        assert anyon("restart").returncode == 0
        pids.append(json.loads(anyon("status", "--json").stdout)["pid"])
        assert pids[0] != pids[1]
        assert json.loads(anyon("ps", "--json").stdout)[0]["state"] == "finished"
        assert anyon("stop-daemon").returncode == 0
        assert not any(map(alive, pids))
        assert anyon("status").returncode == 7
    finally:
        for pid in pids:
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
