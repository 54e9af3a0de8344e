"""The command answers quickly, and its exit codes can be relied upon."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import trio

from anyond import __version__
from tests.support.paths import ROOT


def anyon(*args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "anyond", *args],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_tells_its_version_and_its_commands() -> None:
    told = anyon("--version")
    assert (told.returncode, told.stdout) == (0, f"anyon {__version__}\n")
    helped = anyon("--help")
    assert helped.returncode == 0
    assert "serve" in helped.stdout
    assert "demo" in helped.stdout


def test_the_lists_of_commands_are_told_to_their_ends() -> None:
    for group in ((), ("import",), ("snapshots",)):
        told = anyon(*group, "--help", COLUMNS="80").stdout
        assert "Commands:" in told
        assert "..." not in told.partition("Commands:")[2]


def test_the_version_loads_nothing_heavy() -> None:
    script = (
        "import json, sys, anyond.cli; "
        "print(json.dumps([m for m in ('trio', 'msgspec', 'structlog', 'quart', 'pygit2') "
        "if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert json.loads(done.stdout) == []


def test_the_daemon_loads_what_few_need_only_when_they_need_it() -> None:
    script = (
        "import json, sys, anyond.daemon.run; "
        "print(json.dumps([m for m in sys.modules if m in "
        "('pygit2', 'tomlkit', 'text_unidecode', 'httpx', 'rich', 'quart', 'werkzeug') "
        "or m == 'h2.stream' or m.startswith('anyond.agents.') and m.endswith('dialogue')]))"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"from anyond.cli.serve import _load_structlog; _load_structlog(); {script}",
        ],
        env=environment,
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout) == []


def test_wrong_usage_is_exit_code_2() -> None:
    assert anyon("sing").returncode == 2
    assert anyon("serve", "--port", "70000").returncode == 2
    assert anyon("serve", "--allowed-origin", "*").returncode == 2


def test_an_open_door_is_refused_with_a_sentence() -> None:
    refused = anyon("serve", "--host", "0.0.0.0")
    assert refused.returncode == 2
    assert "Add --auth token" in refused.stderr
    assert anyon("serve", ANYON_HOST="0.0.0.0").returncode == 2


def test_the_demo_needs_git_and_says_so(tmp_path: Path) -> None:
    refused = anyon("demo", PATH=str(tmp_path), HOME=str(tmp_path))
    assert refused.returncode == 1
    assert refused.stdout.startswith("The demo could not go on: The program 'git' was not found.")
    assert "git-scm.com" in refused.stdout
    assert refused.stderr == ""


def test_snapshots_are_listed_and_restored_beside_what_is_there(tmp_path: Path) -> None:
    from anyond.git.snapshots import snapshots

    repo, back, id = tmp_path / "repo", tmp_path / "back", "00000000-0000-4000-8000-000000000001"
    me = ("-c", "user.name=Ada", "-c", "user.email=ada@localhost")
    subprocess.run(["git", "init", "-q", "-b", "main", repo], check=True)
    commit = ["git", *me, "commit", "-q", "--allow-empty", "-m", "first"]
    subprocess.run(commit, cwd=repo, check=True)
    (repo / "new.txt").write_text("kept\n")
    trio.run(snapshots.take, repo, repo, id, "rebase")
    (repo / "new.txt").write_text("changed\n")
    listed = anyon("snapshots", "list", "--repo", str(repo))
    assert listed.returncode == 0
    (line,) = listed.stdout.splitlines()
    assert line.startswith(f"{id}/1  ")
    assert "rebase" in line
    assert anyon("snapshots", "list", "--repo", str(repo), "--attempt", "x").stdout == ""
    done = anyon("snapshots", "restore", "--repo", str(repo), f"{id[:8]}/1", str(back))
    assert done.returncode == 0, done.stderr
    assert (back / "new.txt").read_text() == "kept\n"
    assert (repo / "new.txt").read_text() == "changed\n"
    again = anyon("snapshots", "restore", "--repo", str(repo), f"{id}/1", str(back))
    assert again.returncode == 1
    assert "already" in again.stderr
    missing = anyon("snapshots", "restore", "--repo", str(repo), f"{id}/2", str(tmp_path / "x"))
    assert missing.returncode == 1
    assert "no snapshot" in missing.stderr


def test_where_there_is_no_repository_there_is_a_sentence(tmp_path: Path) -> None:
    refused = anyon("snapshots", "list", "--repo", str(tmp_path))
    assert refused.returncode == 1
    assert "no git repository" in refused.stderr
