"""The command answers quickly, and its exit codes can be relied upon."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from anyond import __version__


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


def test_the_version_loads_nothing_heavy() -> None:
    script = (
        "import json, sys, anyond.cli; "
        "print(json.dumps([m for m in ('trio', 'msgspec', 'structlog', 'quart', 'pygit2') "
        "if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
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
