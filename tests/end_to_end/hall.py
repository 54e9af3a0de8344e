"""A daemon with something of everything in it, asked without an event loop."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import trio

from anyond.operations.editors import PROGRAMS
from tests.end_to_end import wild
from tests.end_to_end.house import House
from tests.end_to_end.wild import Answer, Request, Shape

T = TypeVar("T")

VARIANT = {
    "base_command_override": "true",
    "env": {"NAME": "text"},
    "additional_params": ["--one"],
    "model": "m",
    "yolo": True,
}


@contextmanager
def open_hall(root: Path) -> Iterator[Hall]:
    """One for as long as the block lasts; at its end nothing may have gone wrong in it."""
    made = Hall(House(root))
    try:
        trio.run(made.furnish)
        yield made
        log = made.house.log()
        assert "Traceback" not in log, log
        assert "request failed" not in log, log
        assert made.send(Shape("GET", "/api/health"), None).status == 200
    finally:
        trio.run(made.leave)


class Hall:
    """The daemon, and under short names the ids of what is in it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.names: dict[str, str] = {}

    @property
    def port(self) -> int:
        return int(self.house.url.rpartition(":")[2])

    def text(self, text: str) -> str:
        return re.sub(r"\$(\w+)", lambda found: self.names.get(found[1], found[0]), text)

    def ask(self, request: Request) -> Answer:
        return wild.exchange(
            self.port,
            Request(
                request.method,
                self.text(request.path),
                self.text(request.query),
                request.headers,
                self.text(request.body.decode("latin-1")).encode("latin-1"),
            ),
        )

    def send(self, shape: Shape, body: Any) -> Answer:
        headers = (("Content-Type", "application/json"),)
        query = "&".join(f"{name}={value}" for name, value in shape.query.items())
        path = shape.rule.replace("<key>", shape.key)
        return self.ask(Request(shape.method, path, query, headers, json.dumps(body).encode()))

    async def furnish(self) -> None:
        """A finished attempt, one that waits for an answer, and things that may be deleted."""
        house = self.house
        self._shadow_editors()
        await house.start()
        await house.use_fake_agent()
        quick = {"executors": {"ACP": {"QUICK": {"ACP": VARIANT}}}}
        await house.ask("PUT", "/api/profiles", quick)
        project = await house.project()
        attempt = await house.attempt(project, "write a.txt one")
        process = await house.over(attempt)
        await house.attempt(project, "ask")
        question = await house.question()
        spent = await house.attempt(project, "say good-bye")
        await house.over(spent)
        victim = await house.project(house.repository("victim"))
        spare = await house.project(house.repository("spare"))
        tag = await house.ask("POST", "/api/tags", {"tag_name": "tag", "content": "text"})
        doomed = {"project_id": victim["id"], "title": "doomed"}
        (house.root / "full").mkdir()
        (house.root / "full" / "file").write_text("here first\n")
        (house.root / "plain").write_text("no directory\n")
        house.git(house.root, "init", "-q", "--bare", str(house.root / "bare"))
        self.names = {
            "project": project["id"],
            "task": attempt["task_id"],
            "attempt": attempt["id"],
            "process": process["id"],
            "question": question["id"],
            "spent": spent["id"],
            "victim": victim["id"],
            "doomed": (await house.ask("POST", "/api/tasks", doomed))["id"],
            "spare": spare["id"],
            "tag": tag["id"],
            "image": wild.UNKNOWN,
            "folder": str(house.repository("folder")),
            "root": str(house.root),
            "taken": project["git_repo_path"],
        }

    def _shadow_editors(self) -> None:
        """Whoever runs the tests may have editors; none of them shall open."""
        programs = self.house.root / "programs"
        programs.mkdir(exist_ok=True)
        for name, _ in PROGRAMS.values():
            (programs / name).write_text("#!/bin/sh\n")
            (programs / name).chmod(0o755)

    async def visited(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do `work` with the client of the house, which lives in one run of trio only."""
        async with self.house.client():
            return await work()

    async def leave(self) -> None:
        with trio.CancelScope(shield=True):
            try:
                await self.house.stop()
            finally:
                self.house.sweep()
