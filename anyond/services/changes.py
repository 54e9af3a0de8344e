"""Requests about what attempts have changed, and states to go back to."""

from __future__ import annotations

from anyond.actors.attempts import Attempts
from anyond.model.http.changes import ChangeList, FileChanges, SavedState, Undone
from anyond.operations.branch import comparison, undoing
from anyond.operations.resources import Resources
from anyond.operations.subject import read as read_subject
from anyond.services.jobs import Jobs


class ChangeRequests:
    """Each method is one request; those that compare change nothing."""

    def __init__(self, resources: Resources, attempts: Attempts) -> None:
        self._resources = resources
        self._jobs = Jobs(resources, attempts)

    async def files(self, attempt_id: str, against: str, commit: str | None) -> ChangeList:
        """The files that differ; see `operations.branch.comparison`."""
        subject = await read_subject(self._resources, attempt_id)
        sides = await comparison.sides(self._resources, subject, against, commit)
        return await comparison.files(sides)

    async def file(
        self,
        attempt_id: str,
        path: str,
        old_path: str | None,
        *,
        against: str,
        commit: str | None,
        context: int,
        ignore_whitespace: bool,
    ) -> FileChanges:
        """The hunks of one file; see `operations.branch.comparison`."""
        subject = await read_subject(self._resources, attempt_id)
        sides = await comparison.sides(self._resources, subject, against, commit)
        return await comparison.file(
            sides, path, old_path, context, ignore_whitespace=ignore_whitespace
        )

    async def saved_states(self, attempt_id: str) -> list[SavedState]:
        """The states to go back to, the newest first."""
        return await undoing.saved_states(await read_subject(self._resources, attempt_id))

    async def undo(self, attempt_id: str, number: int | None) -> Undone:
        """Bring back a saved state; see `operations.branch.undoing`."""
        return await self._jobs.run(attempt_id, undoing.undo, number)
