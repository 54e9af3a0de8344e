"""What clients learn about the agents of this machine."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from anyond import __version__
from tests.support.daemon import Daemon


def program(daemon: Daemon, name: str, script: str) -> Path:
    """A program in the PATH of the daemon."""
    path = daemon.root / "programs" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


async def availability(daemon: Daemon, executor: str) -> dict[str, Any]:
    return (await daemon.ask("GET", "/api/info"))["availability"][executor]  # type: ignore[no-any-return]


async def asked(daemon: Daemon, executor: str) -> dict[str, Any]:
    """The same, when the program has been asked."""

    async def look() -> Any:
        found = await availability(daemon, executor)
        return found if found["version"] or found["problem"] else None

    return await daemon.until(look, "a version")  # type: ignore[no-any-return]


async def use(daemon: Daemon, executor: str, command: str) -> None:
    variant = {executor: {"base_command_override": command}}
    body = {"executors": {executor: {"DEFAULT": variant}}}
    await daemon.ask("PUT", "/api/profiles", body)


async def test_a_program_is_there_with_its_path_and_its_version(daemon: Daemon) -> None:
    path = program(daemon, "claude", "echo '9.8.7 (Claude Code)'")
    first = await availability(daemon, "CLAUDE_CODE")
    assert (first["available"], first["path"]) == (True, str(path))
    there = {"available": True, "path": str(path), "version": "9.8.7", "problem": None}
    assert await asked(daemon, "CLAUDE_CODE") == there
    program(daemon, "claude", "echo 9.9.10-beta")

    async def updated() -> bool:
        return bool((await availability(daemon, "CLAUDE_CODE"))["version"] == "9.9.10-beta")

    await daemon.until(updated, "the new version")
    path.unlink()
    program(daemon, "elsewhere", "exit 0")
    await use(daemon, "CLAUDE_CODE", "claude-of-nobody")
    gone = await availability(daemon, "CLAUDE_CODE")
    assert (gone["available"], gone["path"], gone["version"]) == (False, None, None)
    assert gone["problem"].startswith("The program 'claude-of-nobody' was not found.")


async def test_the_demo_is_always_there_and_acp_wants_a_command(daemon: Daemon) -> None:
    demo = await availability(daemon, "DEMO")
    assert (demo["available"], demo["version"], demo["problem"]) == (True, __version__, None)
    missing = await availability(daemon, "ACP")
    assert missing["available"] is False
    assert "base_command_override" in missing["problem"]
    await daemon.use_fake_agent()
    there = await availability(daemon, "ACP")
    assert (there["available"], there["version"], there["problem"]) == (True, None, None)


async def test_programs_that_lie_delay_no_answer(daemon: Daemon) -> None:
    program(daemon, "hangs", "sleep 600 & sleep 600")
    program(daemon, "floods", "yes 1.2.3")
    program(daemon, "fails", "echo 'cannot find libfoo 1.2'; exit 7")
    for name in ("floods", "fails", "hangs"):
        await use(daemon, "ACP", name)
        begun = time.monotonic()
        assert (await availability(daemon, "ACP"))["available"] is True
        assert time.monotonic() - begun < 5
        if name == "hangs":
            continue
        problem = (await asked(daemon, "ACP"))["problem"]
        assert {"floods": "far too much", "fails": "failed with 7: cannot find"}[name] in problem
