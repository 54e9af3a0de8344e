"""Exit codes, errors in both forms, suggestions, help, and the cost of a start."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from anyond.cli.frame.exit_codes import ExitCode
from tests.support.daemons.daemon_process import run_anyon
from tests.support.paths import ROOT


def run(root: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(root),
        "ANYON_DATA_DIR": str(root / "data"),
        "ANYON_CONFIG_DIR": str(root / "config"),
        "PYTHONPATH": str(ROOT),
        **environ,
    }
    return run_anyon(*arguments, environment=environment, cwd=root)


def test_no_daemon_is_exit_code_7_in_words_and_in_json(tmp_path: Path) -> None:
    done = run(tmp_path, "ps")
    assert done.returncode == ExitCode.NO_DAEMON
    assert "anyon serve" in done.stderr
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    for arguments, environ in (
        (("--json", "--url", url, "ps"), {}),
        (("ps", "--json", "--url", f"unix:{tmp_path}/none"), {}),
        (("ps", "--json"), {"ANYON_URL": url}),
    ):
        done = run(tmp_path, *arguments, **environ)
        assert done.returncode == ExitCode.NO_DAEMON
        error = json.loads(done.stderr)["error"]
        assert (error["type"], error["field"]) == ("no_daemon", None)
        assert "did not answer" in error["message"]


def test_wrong_usage_is_exit_code_2_and_names_the_field(tmp_path: Path) -> None:
    done = run(tmp_path, "pss")
    assert done.returncode == ExitCode.USAGE
    assert "Did you mean `ps`?" in done.stderr
    done = run(tmp_path, "ps", "--limit", "0", "--json")
    assert done.returncode == ExitCode.USAGE
    assert json.loads(done.stderr)["error"]["field"] == "limit"
    assert run(tmp_path, "ps", "--", "--json").stderr.startswith("Got unexpected")


def test_help_has_examples_first_and_all_exit_codes(tmp_path: Path) -> None:
    done = run(tmp_path, "ps", "--help")
    assert done.stdout.index("Examples:") < done.stdout.index("Options:")
    together = " ".join(done.stdout.split())
    for code in ExitCode:
        assert f"{code.value} {code.text}" in together


def test_a_list_loads_no_event_loop_and_no_framework() -> None:
    script = (
        "import json, sys, anyond.cli.verbs.listing, anyond.client.blocking, anyond.api.attempts,"
        " anyond.cli.rendering.attempts, anyond.cli.finding.references;"
        "print(json.dumps([m for m in ('trio', 'anyio', 'httpx', 'quart', 'structlog', 'rich',"
        " 'aiosqlite', 'pygit2', 'wsproto') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert json.loads(done.stdout) == []


def test_a_reader_that_has_had_enough_sees_no_traceback(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "anyond", "--help"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")
