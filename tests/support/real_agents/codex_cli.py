"""What the real Codex needs so that it talks to the scripted model and to nothing else."""

from __future__ import annotations

import os
import shlex
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.support.daemon import Daemon
from tests.support.fakes.models import mcp_server, responses_model
from tests.support.fakes.servers.serving import serving
from tests.support.real_agents import npm_cache
from tests.support.real_agents.claude_cli import Person

MODEL = "gpt-5.1-codex"
MCP_SERVER = Path(mcp_server.__file__)


def command() -> str:
    """The pinned program as a `base_command_override`; skips the test if it cannot be had."""
    try:
        return shlex.quote(str(npm_cache.program("codex")))
    except npm_cache.CannotInstall as why:
        pytest.skip(str(why))


def scripted_model() -> AbstractContextManager[int]:
    """Runs the scripted model; gives its port on loopback."""
    return serving("-m", responses_model.__name__)


def configure(home: Path, port: int, more: str = "") -> None:
    """Write the program's own configuration.

    Args:
        more: top-level TOML before the tables, or tables.
    """
    file = home / ".codex" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"""\
model = "{MODEL}"
model_provider = "scripted"
check_for_update_on_startup = false
[analytics]
enabled = false
[model_providers.scripted]
name = "scripted"
base_url = "http://127.0.0.1:{port}/v1"
wire_api = "responses"
env_key = "KEY_OF_THE_TESTS"
request_max_retries = 1
stream_max_retries = 1
{more}
""")


def environment(home: Path) -> dict[str, str]:
    """A whole environment: a home of its own, and nothing of the person who runs the tests."""
    return {"HOME": str(home), "PATH": os.environ["PATH"], "KEY_OF_THE_TESTS": "none"}


class Coder(Person):
    """Somebody who has tasks done by the real Codex, in one project of a daemon."""

    executor, usual = "CODEX", "DEFAULT"

    @classmethod
    async def of(cls, daemon: Daemon, command: str, port: int) -> Coder:
        """A new project, and variants with the pinned program and our model."""
        configure(daemon.home, port)
        repository = daemon.repository()
        coder = cls(daemon, await daemon.project(repository), repository)
        found = (await daemon.ask("GET", "/api/info"))["executors"]["CODEX"]
        more = {"base_command_override": command, "env": {"KEY_OF_THE_TESTS": "none"}}
        variants = {name: {"CODEX": {**tagged["CODEX"], **more}} for name, tagged in found.items()}
        await daemon.ask("PUT", "/api/profiles", {"executors": {"CODEX": variants}})
        return coder
