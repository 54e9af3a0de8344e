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
from tests.support.daemon import Daemon
from tests.support.hostile import malformed
from tests.support.hostile.malformed import Answer, Request, Shape

T = TypeVar("T")

VARIANT = {
    "base_command_override": "true",
    "env": {"NAME": "text"},
    "additional_params": ["--one"],
    "model": "m",
    "yolo": True,
}


@contextmanager
def open_fuzz_target(root: Path) -> Iterator[FuzzTarget]:
    """One for as long as the block lasts; at its end nothing may have gone wrong in it."""
    made = FuzzTarget(Daemon(root))
    try:
        trio.run(made.furnish)
        yield made
        log = made.daemon.log()
        assert "Traceback" not in log, log
        assert "request failed" not in log, log
        assert made.send(Shape("GET", "/api/health"), None).status == 200
    finally:
        trio.run(made.leave)


class FuzzTarget:
    """The daemon, and under short names the ids of what is in it."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.names: dict[str, str] = {}

    @property
    def port(self) -> int:
        return int(self.daemon.url.rpartition(":")[2])

    def text(self, text: str) -> str:
        return re.sub(r"\$(\w+)", lambda found: self.names.get(found[1], found[0]), text)

    def ask(self, request: Request) -> Answer:
        return malformed.exchange(
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
        daemon = self.daemon
        self._shadow_editors()
        await daemon.start()
        await daemon.use_fake_agent()
        quick = {"executors": {"ACP": {"QUICK": {"ACP": VARIANT}}}}
        await daemon.ask("PUT", "/api/profiles", quick)
        project = await daemon.project()
        attempt = await daemon.attempt(project, "write a.txt one")
        process = await daemon.over(attempt)
        await daemon.attempt(project, "ask")
        question = await daemon.question()
        spent = await daemon.attempt(project, "say good-bye")
        await daemon.over(spent)
        victim = await daemon.project(daemon.repository("victim"))
        spare = await daemon.project(daemon.repository("spare"))
        tag = await daemon.ask("POST", "/api/tags", {"tag_name": "tag", "content": "text"})
        doomed = {"project_id": victim["id"], "title": "doomed"}
        (daemon.root / "full").mkdir()
        (daemon.root / "full" / "file").write_text("here first\n")
        (daemon.root / "plain").write_text("no directory\n")
        daemon.git(daemon.root, "init", "-q", "--bare", str(daemon.root / "bare"))
        self.names = {
            "project": project["id"],
            "task": attempt["task_id"],
            "attempt": attempt["id"],
            "process": process["id"],
            "question": question["id"],
            "spent": spent["id"],
            "victim": victim["id"],
            "doomed": (await daemon.ask("POST", "/api/tasks", doomed))["id"],
            "spare": spare["id"],
            "tag": tag["id"],
            "image": malformed.UNKNOWN,
            "folder": str(daemon.repository("folder")),
            "root": str(daemon.root),
            "taken": project["git_repo_path"],
        }

    def _shadow_editors(self) -> None:
        """Whoever runs the tests may have editors; none of them shall open."""
        programs = self.daemon.root / "programs"
        programs.mkdir(exist_ok=True)
        for name, _ in PROGRAMS.values():
            (programs / name).write_text("#!/bin/sh\n")
            (programs / name).chmod(0o755)

    async def visited(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do `work` with the client of the daemon, which lives in one run of trio only."""
        async with self.daemon.client():
            return await work()

    async def leave(self) -> None:
        with trio.CancelScope(shield=True):
            try:
                await self.daemon.stop()
            finally:
                self.daemon.sweep()
