"""What the real Claude Code needs so that it talks to the scripted model and to nothing else."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes import model_server, npm_cache

MODEL = "claude-sonnet-4-5"


def command() -> str:
    """The pinned program as a `base_command_override`; skips the test if it cannot be had."""
    try:
        return shlex.quote(str(npm_cache.claude()))
    except npm_cache.CannotInstall as why:
        pytest.skip(str(why))


@contextmanager
def scripted_model() -> Iterator[int]:
    """Runs the scripted model; gives its port on loopback."""
    program = [sys.executable, str(Path(model_server.__file__)), "--port", "0"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            word, port = server.stdout.readline().split()
            assert word == "listening"
            yield int(port)
        finally:
            server.terminate()


def environment(home: Path, port: int) -> dict[str, str]:
    """A whole environment: a home of its own, and nothing of the person who runs the tests."""
    return {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}",
        "ANTHROPIC_API_KEY": "sk-ant-of-the-tests",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_MAX_RETRIES": "1",
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_ERROR_REPORTING": "1",
        "DISABLE_TELEMETRY": "1",
    }
