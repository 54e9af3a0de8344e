"""An attempt that has done its work, with all its buttons, and a person at the repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.house import House, Refused


class Desk:
    """An attempt that has written `own.txt` beside a `main` that can go on."""

    def __init__(self, house: House, repository: Path, attempt: dict[str, Any]) -> None:
        self.house = house
        self.repository = repository
        self.attempt = attempt
        self.worktree = Path(attempt["container_ref"])
        self.path = f"/api/task-attempts/{attempt['id']}"
        self.snapshot_refs = f"refs/anyon/snapshots/{attempt['id']}/"
        self.drafts = 0

    async def press(self, button: str, body: object = None) -> Any:
        return await self.house.ask("POST", f"{self.path}/{button}", body)

    async def refused(self, button: str, body: object = None) -> Refused:
        with pytest.raises(Refused) as refusal:
            await self.press(button, body)
        return refusal.value

    async def look(self, what: str) -> Any:
        return await self.house.ask("GET", f"{self.path}/{what}")

    async def row(self) -> dict[str, Any]:
        return await self.house.ask("GET", self.path)  # type: ignore[no-any-return]

    def git(self, *arguments: str) -> str:
        return self.house.git(self.worktree, *arguments).strip()

    def land(self, branch: str = "main", **files: str) -> str:
        """Another commit on a branch of the repository; its id."""
        self.house.git(self.repository, "checkout", "-q", branch)
        for name, text in files.items():
            (self.repository / f"{name}.txt").write_text(text)
        self.house.git(self.repository, "add", "-A")
        self.house.git(self.repository, "commit", "-qm", "Theirs")
        oid = self.house.git(self.repository, "rev-parse", "HEAD").strip()
        self.house.git(self.repository, "checkout", "-q", "main")
        return oid

    def snapshots(self) -> list[str]:
        """The reasons of the attempt's snapshots, the oldest first."""
        order = ("--sort=version:refname", "--format=%(subject)")
        ask = ("for-each-ref", *order, self.snapshot_refs)
        return self.house.git(self.repository, *ask).split()


async def desk(house: House, prompt: str = "write own.txt mine", **project: Any) -> Desk:
    repository = house.repository()
    made = await house.project(repository, **project)
    await house.use_fake_agent()
    attempt = await house.attempt(made, prompt)
    await house.over(attempt)
    return Desk(house, repository, attempt)
