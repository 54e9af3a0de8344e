"""Checks of agents: their programs and versions, whether they are logged in, and MCP servers."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import trio

from anyond.agents.roster import DEFAULT_PROFILES
from anyond.doctor.facts import Facts
from anyond.doctor.findings import Finding, Level, ok
from anyond.model.configuration.settings import Executor
from anyond.model.errors import AnyondError
from anyond.model.http.answers import Availability
from anyond.procs.capture import Capture, capture
from anyond.settings.profiles import Profiles
from anyond.watchers.availability import Agents

_VERSIONS_S = 15.0
_LOGIN_S = 15.0
_MOST_BYTES = 64 * 1024

_LOGIN_QUESTIONS: Mapping[Executor, tuple[str, ...]] = {
    Executor.CLAUDE_CODE: ("claude", "auth", "status"),
    Executor.CODEX: ("codex", "login", "status"),
    Executor.CURSOR_AGENT: ("cursor-agent", "status"),
}
"""The commands that say whether somebody is logged in: those of other agents cannot be asked."""

_LOGIN_COMMANDS: Mapping[Executor, str] = {
    Executor.CLAUDE_CODE: "claude auth login",
    Executor.CODEX: "codex login",
    Executor.CURSOR_AGENT: "cursor-agent login",
}

_KEYS: Mapping[Executor, tuple[str, ...]] = {
    Executor.CLAUDE_CODE: ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"),
    Executor.CODEX: ("OPENAI_API_KEY", "CODEX_API_KEY"),
    Executor.CURSOR_AGENT: ("CURSOR_API_KEY",),
}


def programs(facts: Facts) -> list[Finding]:
    """Check whether the agent of the settings is there, and which others are, of which version."""
    config, _ = facts.settings
    chosen = config.executor_profile.executor
    found = []
    for name, one in available(facts).items():
        if one.available and one.problem:
            remedy = f"Try `{one.path} --version`."
            found.append(Finding("agents", Level.WARN, f"{name}: {one.problem}", remedy))
        elif one.available:
            version = f" {one.version}" if one.version else ""
            found.append(Finding("agents", Level.OK, f"{name}{version} is at {one.path}."))
        elif name == chosen:
            sentence = f"{name}, the agent of your settings, is not there: {one.problem}"
            remedy = (
                "Install it, or choose another: `anyon config set executor_profile.executor …`."
            )
            found.append(Finding("agents", Level.FAIL, sentence, remedy))
    return found or ok("agents", "No agent is installed but DEMO.")


def available(facts: Facts) -> Mapping[str, Availability]:
    """The agents as the daemon has them; as this command finds them where there is none."""
    info, _ = facts.asked
    if info is not None and _complete(info.availability):
        return {str(name.value): one for name, one in info.availability.items()}
    return trio.run(_found, facts)


async def _found(facts: Facts) -> Mapping[str, Availability]:
    agents = Agents(Profiles(facts.paths.profiles, DEFAULT_PROFILES))
    deadline = time.monotonic() + _VERSIONS_S
    async with trio.open_nursery() as nursery:
        nursery.start_soon(agents.run)
        found = await agents.availability()
        # Versions are asked for in the background, and are there some time later.
        while time.monotonic() < deadline and not _complete(found):
            await trio.sleep(0.1)
            found = await agents.availability()
        nursery.cancel_scope.cancel()
    return {str(name): one for name, one in found.items()}


def _complete(found: Mapping[Executor, Availability] | Mapping[str, Availability]) -> bool:
    return all(
        one.version or one.problem or os.path.basename(one.path or "") in {"npx", "sh", "node"}
        for one in found.values()
        if one.available
    )


def logins(facts: Facts) -> list[Finding]:
    """Check whether agents that can be asked say that somebody is logged in."""
    found = []
    for name, one in available(facts).items():
        question = _LOGIN_QUESTIONS.get(Executor(name))
        if question is None or not one.available or one.path is None:
            continue
        executor = Executor(name)
        # By npx it would be fetched first; then there is nothing to be asked.
        if os.path.basename(one.path) != question[0] and shutil.which(question[0]) is None:
            continue
        path = one.path if os.path.basename(one.path) == question[0] else shutil.which(question[0])
        if any(facts.environ.get(key) for key in _KEYS[executor]):
            found.append(Finding("logins", Level.OK, f"{name} has a key in the environment."))
            continue
        state = _logged_in((str(path), *question[1:]), facts.environ)
        if state is False:
            remedy = f"`{_LOGIN_COMMANDS[executor]}`"
            found.append(Finding("logins", Level.WARN, f"{name} is not logged in.", remedy))
        elif state:
            found.append(Finding("logins", Level.OK, f"{name} is logged in."))
    return found or ok("logins", "No agent is there that can be asked.")


def _logged_in(command: tuple[str, ...], environ: Mapping[str, str]) -> bool | None:
    """The agent's own answer; None if it does not understand the question, or gives none."""

    async def ask() -> Capture:
        return await capture(command, environ, seconds=_LOGIN_S, most=_MOST_BYTES)

    try:
        answer = trio.run(ask)
    except AnyondError:
        return None
    words = answer.text.lower()
    try:
        decoded = json.loads(answer.text)
    except ValueError:
        decoded = None
    if isinstance(decoded, dict) and isinstance(decoded.get("loggedIn"), bool):
        return bool(decoded["loggedIn"])
    if "unknown command" in words or "unrecognized" in words or "usage:" in words:
        return None
    if "not logged in" in words or "not authenticated" in words or "login required" in words:
        return False
    if "logged in" in words or "authenticated" in words:
        return answer.code == 0
    return None


def mcp_entries(facts: Facts) -> list[Finding]:
    """Check whether the commands of MCP servers called `anyon` in agents' files are there."""
    found = []
    home = Path(facts.environ.get("HOME", str(Path.home())))
    for path in (
        home / ".claude.json",
        home / ".gemini" / "settings.json",
        home / ".cursor/mcp.json",
    ):
        try:
            content = json.loads(path.read_bytes())
            entry = content["mcpServers"]["anyon"]
            command = entry.get("command")
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # no such file, or no such entry in it
        if isinstance(command, str) and shutil.which(command) is None:
            sentence = f"{path} starts Anyon's MCP server by {command}, which is not there."
            remedy = "Correct the entry, or remove it."
            found.append(Finding("mcp", Level.WARN, sentence, remedy))
        else:
            found.append(Finding("mcp", Level.OK, f"Anyon's MCP server is named in {path}."))
    return found or ok("mcp", "No agent's file names an MCP server of Anyon.")
