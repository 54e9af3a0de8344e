"""What clients learn about the agents of this machine."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from anyond import __version__
from tests.end_to_end.house import House


def program(house: House, name: str, script: str) -> Path:
    """A program in the PATH of the daemon."""
    path = house.root / "programs" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


async def availability(house: House, executor: str) -> dict[str, Any]:
    return (await house.ask("GET", "/api/info"))["availability"][executor]  # type: ignore[no-any-return]


async def asked(house: House, executor: str) -> dict[str, Any]:
    """The same, when the program has been asked."""

    async def look() -> Any:
        found = await availability(house, executor)
        return found if found["version"] or found["problem"] else None

    return await house.until(look, "a version")  # type: ignore[no-any-return]


async def use(house: House, executor: str, command: str) -> None:
    variant = {executor: {"base_command_override": command}}
    body = {"executors": {executor: {"DEFAULT": variant}}}
    await house.ask("PUT", "/api/profiles", body)


async def test_a_program_is_there_with_its_path_and_its_version(house: House) -> None:
    path = program(house, "claude", "echo '9.8.7 (Claude Code)'")
    first = await availability(house, "CLAUDE_CODE")
    assert (first["available"], first["path"]) == (True, str(path))
    there = {"available": True, "path": str(path), "version": "9.8.7", "problem": None}
    assert await asked(house, "CLAUDE_CODE") == there
    program(house, "claude", "echo 9.9.10-beta")

    async def updated() -> bool:
        return bool((await availability(house, "CLAUDE_CODE"))["version"] == "9.9.10-beta")

    await house.until(updated, "the new version")
    path.unlink()
    program(house, "elsewhere", "exit 0")
    await use(house, "CLAUDE_CODE", "claude-of-nobody")
    gone = await availability(house, "CLAUDE_CODE")
    assert (gone["available"], gone["path"], gone["version"]) == (False, None, None)
    assert gone["problem"].startswith("The program 'claude-of-nobody' was not found.")


async def test_the_demo_is_always_there_and_acp_wants_a_command(house: House) -> None:
    demo = await availability(house, "DEMO")
    assert (demo["available"], demo["version"], demo["problem"]) == (True, __version__, None)
    missing = await availability(house, "ACP")
    assert missing["available"] is False
    assert "base_command_override" in missing["problem"]
    await house.use_fake_agent()
    there = await availability(house, "ACP")
    assert (there["available"], there["version"], there["problem"]) == (True, None, None)


async def test_programs_that_lie_delay_no_answer(house: House) -> None:
    program(house, "hangs", "sleep 600 & sleep 600")
    program(house, "floods", "yes 1.2.3")
    program(house, "fails", "echo 'cannot find libfoo 1.2'; exit 7")
    for name in ("floods", "fails", "hangs"):
        await use(house, "ACP", name)
        begun = time.monotonic()
        assert (await availability(house, "ACP"))["available"] is True
        assert time.monotonic() - begun < 5
        if name == "hangs":
            continue
        problem = (await asked(house, "ACP"))["problem"]
        assert {"floods": "far too much", "fails": "failed with 7: cannot find"}[name] in problem
