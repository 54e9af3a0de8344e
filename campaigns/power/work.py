"""The work of clients whose answers count: each is written down with the moment of its answer."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import trio

from tests.support.daemon import ACP_AGENT, Daemon, Refused

STARTED = """\
import os, sys, time
with open(sys.argv[1], "a") as ledger:
    ledger.write(f"{time.monotonic()} {os.environ['ANYON_EXECUTION']}\\n")
os.execv(sys.executable, [sys.executable, sys.argv[2]])
"""


LONGEST_S = 120.0


class Fact(NamedTuple):
    """Something that a client was told.

    Args:
        at: the monotonic clock when the answer was there.
        kind: which check it is for.
        key: what it is about.
        value: what was told.
    """

    at: float
    kind: str
    key: str
    value: Any


class Work:
    """Clients at work on one daemon.

    Args:
        ledger: a file outside of the disk, to which each program adds its execution as it starts.
    """

    def __init__(self, daemon: Daemon, ledger: Path, dice: Random) -> None:
        self.facts: list[Fact] = []
        self._daemon = daemon
        self._ledger = ledger
        self._dice = dice
        self._number = 0
        self._merging = trio.Lock()
        self._project: dict[str, Any] = {}

    def record(self, kind: str, key: str, value: Any) -> None:
        self.facts.append(Fact(time.monotonic(), kind, key, value))

    async def prepare(self) -> None:
        """A project, and the scripted agent."""
        wrapper = self._ledger.with_name("started.py")
        wrapper.write_text(STARTED)
        command = f"{sys.executable} {wrapper} {self._ledger} {ACP_AGENT}"
        await self._daemon.use_fake_agent(base_command_override=command)
        self._project = await self._daemon.project()

    async def go_on(self, seconds: float, clients: int) -> None:
        """Work until the time is over, and something was merged; what is under way stays so."""
        with trio.move_on_after(LONGEST_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._end, seconds, nursery.cancel_scope)
                nursery.start_soon(self._answer)
                nursery.start_soon(self._small_things)
                for _ in range(clients):
                    nursery.start_soon(self._client)

    async def _end(self, seconds: float, scope: trio.CancelScope) -> None:
        await trio.sleep(seconds)
        while not any(fact.kind == "status" for fact in self.facts):
            await trio.sleep(0.1)
        scope.cancel()

    async def _client(self) -> None:
        while True:
            self._number += 1
            number = self._number
            lines = self._dice.choice((20, 400, 3000))
            prompt = f"say begin\nwrite file{number}.txt text {number}\nlines {lines}"
            if number % 2:
                prompt += f"\nrun echo {number} > ran{number}.txt"
            if number % 3 == 0:
                prompt += "\nsleep 2"
            await self._attempt(number, prompt)

    async def _attempt(self, number: int, prompt: str) -> None:
        daemon = self._daemon
        attempt = await daemon.attempt(self._project, prompt)
        key = attempt["id"]
        self.record("task", attempt["task_id"], "Do it")
        self.record("attempt", key, attempt["branch"])
        process = await daemon.over(attempt)
        self.record("final", process["id"], process)
        log = await daemon.raw(process)
        self.record("log", process["id"], log)
        entries = await daemon.entries(process)
        self.record("entries", process["id"], entries)
        path = f"/api/task-attempts/{key}"
        text = f"draft {number}"
        await daemon.ask("PUT", f"{path}/draft", {"prompt": text})
        self.record("draft", key, text)
        if number % 4 == 3:
            return
        async with self._merging:
            try:
                await daemon.ask("POST", f"{path}/merge")
            except Refused as refused:
                self.record("refused", key, str(refused))
                return
            self.record("merged", key, f"file{number}.txt")
            status = await daemon.ask("GET", f"{path}/branch-status")
            self.record("status", key, status["merges"])

    async def _answer(self) -> None:
        """Approve whatever is asked."""
        yes = {"status": {"status": "approved"}}
        while True:
            for question in await self._daemon.ask("GET", "/api/approvals?status=pending"):
                try:
                    await self._daemon.ask("POST", f"/api/approvals/{question['id']}/respond", yes)
                except Refused:
                    continue  # it ended in between
                self.record("approved", question["id"], "approved")
            await trio.sleep(0.05)

    async def _small_things(self) -> None:
        while True:
            self._number += 1
            name = f"tag{self._number}"
            tag = await self._daemon.ask("POST", "/api/tags", {"tag_name": name, "content": "x"})
            self.record("tag", tag["id"], tag)
            config = (await self._daemon.ask("GET", "/api/info"))["config"]
            config["git_branch_prefix"] = f"p{self._number}"
            await self._daemon.ask("PUT", "/api/config", config)
            self.record("config", "", config["git_branch_prefix"])
            await trio.sleep(self._dice.uniform(0.1, 0.6))
