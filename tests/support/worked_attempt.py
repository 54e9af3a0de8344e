"""An attempt that has done its work, with all its buttons, and a person at the repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon, Refused

SERVER = "echo port $PORT; echo $$ > server.pid; exec sleep 600"
"""A dev script that says its port, and stays."""


class WorkedAttempt:
    """An attempt that has written `own.txt` beside a `main` that can go on."""

    def __init__(self, daemon: Daemon, repository: Path, attempt: dict[str, Any]) -> None:
        self.daemon = daemon
        self.repository = repository
        self.attempt = attempt
        self.worktree = Path(attempt["container_ref"])
        self.path = f"/api/task-attempts/{attempt['id']}"
        self.snapshot_refs = f"refs/anyon/snapshots/{attempt['id']}/"
        self.drafts = 0

    async def press(self, button: str, body: object = None) -> Any:
        return await self.daemon.ask("POST", f"{self.path}/{button}", body)

    async def refused(self, button: str, body: object = None) -> Refused:
        with pytest.raises(Refused) as refusal:
            await self.press(button, body)
        return refusal.value

    async def look(self, what: str) -> Any:
        return await self.daemon.ask("GET", f"{self.path}/{what}")

    async def row(self) -> dict[str, Any]:
        return await self.daemon.ask("GET", self.path)  # type: ignore[no-any-return]

    def git(self, *arguments: str) -> str:
        return self.daemon.git(self.worktree, *arguments).strip()

    def land(self, branch: str = "main", **files: str) -> str:
        """Another commit on a branch of the repository; its id."""
        self.daemon.git(self.repository, "checkout", "-q", branch)
        for name, text in files.items():
            (self.repository / f"{name}.txt").write_text(text)
        self.daemon.git(self.repository, "add", "-A")
        self.daemon.git(self.repository, "commit", "-qm", "Theirs")
        oid = self.daemon.git(self.repository, "rev-parse", "HEAD").strip()
        self.daemon.git(self.repository, "checkout", "-q", "main")
        return oid

    def snapshots(self) -> list[str]:
        """The reasons of the attempt's snapshots, the oldest first."""
        order = ("--sort=version:refname", "--format=%(subject)")
        ask = ("for-each-ref", *order, self.snapshot_refs)
        return self.daemon.git(self.repository, *ask).split()


async def worked_attempt(
    daemon: Daemon, prompt: str = "write own.txt mine", **project: Any
) -> WorkedAttempt:
    repository = daemon.repository()
    made = await daemon.project(repository, **project)
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(made, prompt)
    await daemon.over(attempt)
    return WorkedAttempt(daemon, repository, attempt)
