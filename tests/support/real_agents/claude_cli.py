"""What the real Claude Code needs so that it talks to the scripted model and to nothing else."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import trio

from tests.support.daemon import TIMEOUT_S, Daemon, alive, local_client
from tests.support.fakes.models import model_server
from tests.support.fakes.servers.serving import serving
from tests.support.real_agents import npm_cache

MODEL = "claude-sonnet-4-5"


def command() -> str:
    """The pinned program as a `base_command_override`; skips the test if it cannot be had."""
    try:
        return shlex.quote(str(npm_cache.program("claude")))
    except npm_cache.CannotInstall as why:
        pytest.skip(str(why))


def scripted_model() -> AbstractContextManager[int]:
    """Runs the scripted model; gives its port on loopback."""
    return serving("-m", model_server.__name__)


def environment(home: Path, port: int) -> dict[str, str]:
    """A whole environment: a home of its own, and nothing of the person who runs the tests."""
    return {"HOME": str(home), "PATH": os.environ["PATH"], **model_environment(port)}


def model_environment(port: int, label: str = "") -> dict[str, str]:
    """The part of it that makes the program talk to the scripted model.

    Args:
        label: tells the requests of one test from those of another.
    """
    return {
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}{label and '/'}{label}",
        "ANTHROPIC_API_KEY": "sk-ant-of-the-tests",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_MAX_RETRIES": "1",
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_ERROR_REPORTING": "1",
        "DISABLE_TELEMETRY": "1",
    }


class Person:
    """Somebody who has tasks done by the real Claude Code, in one project of a daemon."""

    executor, usual = "CLAUDE_CODE", "APPROVALS"

    def __init__(self, daemon: Daemon, project: dict[str, Any], repository: Path) -> None:
        self.daemon = daemon
        self.project = project
        self.repository = repository
        self.gate = daemon.root / "gate"

    @classmethod
    async def of(cls, daemon: Daemon, command: str, port: int) -> Person:
        """A new project, and the built-in variants with the pinned program and our model."""
        repository = daemon.repository()
        person = cls(daemon, await daemon.project(repository), repository)
        label = daemon.root.parent.name
        await person.set_options(
            base_command_override=command, env=model_environment(port, label), model=MODEL
        )
        return person

    async def set_options(self, **options: Any) -> None:
        """Lay these options over those of every variant."""
        found = (await self.daemon.ask("GET", "/api/info"))["executors"]["CLAUDE_CODE"]
        variants = {
            name: {"CLAUDE_CODE": {**tagged["CLAUDE_CODE"], **options}}
            for name, tagged in found.items()
        }
        await self.daemon.ask("PUT", "/api/profiles", {"executors": {"CLAUDE_CODE": variants}})

    async def start(self, scenario: str, variant: str | None = None) -> dict[str, Any]:
        """A new task with an attempt at it, by the variant that this person takes usually."""
        task = await self.daemon.ask(
            "POST",
            "/api/tasks/create-and-start",
            {
                "task": {
                    "project_id": self.project["id"],
                    "title": f"Play {scenario}",
                    "description": f"SCN={scenario} GATE={self.gate}",
                },
                "executor_profile_id": {
                    "executor": self.executor,
                    "variant": variant or self.usual,
                },
                "base_branch": "main",
            },
        )
        path = f"/api/task-attempts?task_id={task['id']}"
        return (await self.daemon.ask("GET", path))[0]  # type: ignore[no-any-return]

    async def follow_up(self, attempt: dict[str, Any], prompt: str, **more: Any) -> dict[str, Any]:
        """Ask the agent again and wait for the end; the process."""
        path = f"/api/task-attempts/{attempt['id']}/follow-up"
        process = await self.daemon.ask("POST", path, {"prompt": prompt, **more})
        ended = await self.daemon.over(attempt)
        assert ended["id"] == process["id"]
        return ended

    async def question_of(self, attempt: dict[str, Any]) -> dict[str, Any]:
        """The open question of this attempt, when others may wait as well."""

        async def look() -> Any:
            rows = await self.daemon.ask("GET", "/api/approvals?status=pending")
            return next((r for r in rows if r["task_attempt_id"] == attempt["id"]), None)

        return await self.daemon.until(look, "a question")  # type: ignore[no-any-return]

    async def approve(self, question: dict[str, Any], **more: Any) -> None:
        await self._respond(question, {"status": "approved", **more})

    async def deny(self, question: dict[str, Any], reason: str) -> None:
        await self._respond(question, {"status": "denied", "reason": reason})

    async def _respond(self, question: dict[str, Any], status: dict[str, Any]) -> None:
        path = f"/api/approvals/{question['id']}/respond"
        await self.daemon.ask("POST", path, {"status": status})

    async def approvals(self) -> list[tuple[str, str]]:
        """Tool and status of all questions so far, the oldest first."""
        rows = await self.daemon.ask("GET", "/api/approvals")
        return [(row["tool_name"], row["status"]) for row in reversed(rows)]

    async def sees(self, process: dict[str, Any], look: Callable[[dict[str, Any]], Any]) -> Any:
        """Follow the conversation live until an entry is as `look` wants it; that entry."""
        return (await self._follow(process, "normalized-logs", look))[-1]

    async def hears(self, process: dict[str, Any], words: str) -> str:
        """Follow the raw log live until a frame has these words; all that came."""
        frames = await self._follow(process, "raw-logs", lambda f: words in f["value"]["content"])
        return "".join(frame["value"]["content"] for frame in frames)

    async def _follow(
        self, process: dict[str, Any], log: str, enough: Callable[[dict[str, Any]], Any]
    ) -> list[dict[str, Any]]:
        path = f"/api/execution-processes/{process['id']}/{log}/ws"
        frames: list[dict[str, Any]] = []
        with trio.fail_after(TIMEOUT_S):
            async with self.daemon.socket(path) as socket:
                while not frames or not enough(frames[-1]):
                    frames.append(json.loads(await socket.get_message()))
                    assert "finished" not in frames[-1], "it was over before that came"
        return frames

    async def events(self, last: str) -> list[str]:
        """The names of all events up to the first of the name `last`."""
        names: list[str] = []
        address = f"{self.daemon.url}/api/events?after=0"
        with trio.fail_after(TIMEOUT_S):
            async with (
                local_client() as client,
                client.stream("GET", address) as stream,
            ):
                async for line in stream.aiter_lines():
                    if line.startswith("event:"):
                        names.append(line.partition(":")[2].strip())
                        if names[-1] == last:
                            break
        return names


def tools(entries: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """What was done with tools: the kind of action, and the status."""
    uses = [e["entry_type"] for e in entries if e["entry_type"]["type"] == "tool_use"]
    return [(use["action_type"]["action"], use["status"]) for use in uses]


def printed(entries: list[dict[str, Any]], kind: str = "assistant_message") -> list[str]:
    """The texts of one kind."""
    return [e["content"] for e in entries if e["entry_type"]["type"] == kind]


def lines(raw: str) -> list[dict[str, Any]]:
    """What the program wrote to its stdout, decoded."""
    return [json.loads(line) for line in raw.split("\n") if line]


def family(process: dict[str, Any]) -> dict[int, str]:
    """The living processes of an execution, without the shim: pid and name."""
    found = {}
    for one in _alive(ANYON_EXECUTION=process["id"]):
        with suppress(psutil.NoSuchProcess):  # a short command ended since it was seen
            found[one.pid] = one.name()
    return found


async def stopped(daemon: Daemon, attempt: dict[str, Any]) -> dict[str, Any]:
    """Stop an agent whose command `linger` has started two sleepers; how its process has ended.

    Nothing of it may live any more when the stop is answered.
    """
    process = await daemon.running(attempt)
    file = Path(attempt["container_ref"]) / "pids"

    async def both() -> list[int]:
        pids = [int(line) for line in file.read_text().split()] if file.exists() else []
        return pids if len(pids) == 2 else []

    sleepers = await daemon.until(both, "the pids of the sleepers")
    assert set(sleepers) < set(family(process))
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")
    assert family(process) == {}
    assert not any(map(alive, sleepers))
    ended = await daemon.over(attempt)
    assert (ended["id"], ended["status"]) == (process["id"], "killed")
    return ended


def end_all(daemon: Daemon) -> None:
    """Kill the agents of this daemon: they outlive it, and a test that fails leaves some."""
    for process in (daemon.data / "executions").iterdir():
        for one in _alive(HOME=str(daemon.home), ANYON_EXECUTION=process.name):
            with suppress(psutil.NoSuchProcess):
                one.kill()


def _alive(**variables: str) -> list[psutil.Process]:
    """The processes whose environment has these variables with these values."""
    found = []
    for one in psutil.process_iter():
        try:
            marked = variables.items() <= one.environ().items()
            if marked and one.status() != psutil.STATUS_ZOMBIE:
                found.append(one)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue  # it is over, or not ours
    return found
