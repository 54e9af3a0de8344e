"""Requests about the branches of attempts, their targets and their commits."""

from __future__ import annotations

from pathlib import Path

import structlog
import trio
from msgspec.structs import replace

from anyond.actors.attempts import Attempts
from anyond.git.diff import status
from anyond.git.worktree import renaming
from anyond.model.errors import AnyondError
from anyond.model.http.answers import CommitComparison, CommitInfo, Renamed, TargetChanged
from anyond.model.http.bodies import MergeStrategy, NewBranchName, NewTarget, Rebasing
from anyond.model.refusals.runs import Busy
from anyond.model.refusals.worktrees import WorktreeElsewhere
from anyond.model.rows import BranchStatus
from anyond.operations.branch import branch_naming, commits, merging, rebasing
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.subject import read as read_subject
from anyond.operations.workspace import worktree
from anyond.services.jobs import Jobs
from anyond.store.board import attempts
from anyond.store.runs import intents, merges
from anyond.store.upkeep import planned_worktrees

log = structlog.get_logger()

SETTLING_S = 10.0
"""So long a start waits for what was cut short in git."""


class BranchRequests:
    """Each method is one request; whoever is refused with `Busy` has changed nothing.

    What moves a branch or changes a worktree is a job of its attempt, and goes on if the client
    goes away.
    """

    def __init__(self, resources: Resources, attempts: Attempts) -> None:
        self._resources = resources
        self._attempts = attempts
        self._jobs = Jobs(resources, attempts)

    async def recover(self) -> None:
        """Settle what was under way in git when the last daemon ended.

        Returns when all is settled, or after `SETTLING_S`: then it goes on, and whoever asks for
        something in such an attempt is refused with `Busy`.
        """
        under_way = await self._resources.store.read(intents.fetch_all)
        with trio.move_on_after(SETTLING_S):
            async with trio.open_nursery() as nursery:
                for intent in under_way:
                    nursery.start_soon(self._settle, intent.attempt_id)

    async def complete_worktrees(self) -> None:
        """Complete the worktrees in whose making the last daemon was killed; one after the other.

        Whoever works there next would do it too, but that may be never, and until then git
        complains of what is half there.
        """
        for attempt_id in await self._resources.store.read(planned_worktrees.attempt_ids):
            await self._settle(attempt_id, complete=True)

    async def _settle(self, attempt_id: str, *, complete: bool = False) -> None:
        try:
            if complete:
                await self._jobs.run(attempt_id, worktree.complete)
            else:
                await self._jobs.settle(attempt_id)
        except Busy as refusal:
            # It runs again, and settles it at its end; or a git is still at it.
            log.info("not_settled", attempt=attempt_id, why=str(refusal))
        except AnyondError as error:
            log.warning("not_settled", attempt=attempt_id, why=str(error))

    # ------------------------------------------------------------ moving branches

    async def merge(self, attempt_id: str, strategy: MergeStrategy) -> None:
        """Merge the attempt into its target branch; see `operations.merging`."""
        await self._jobs.run(attempt_id, self._merge, strategy)

    async def _merge(self, resources: Resources, subject: Subject, strategy: MergeStrategy) -> str:
        host = await resources.store.read(
            lambda r: attempts.by_branch(r, subject.project.id, subject.attempt.target_branch)
        )
        if host is None or host.id == subject.attempt.id:
            return await merging.merge_attempt(resources, subject, strategy)
        # The merge writes in that attempt's worktree too, so nobody else may. It goes on there
        # whatever becomes of this job, which therefore stays as long.
        with trio.CancelScope(shield=True):
            tip = await self._attempts.do(
                host.id, lambda _: merging.merge_attempt(resources, subject, strategy)
            )
        return tip

    async def rebase(self, attempt_id: str, body: Rebasing) -> None:
        """Put the attempt on a newer base; see `operations.rebasing`."""
        await self._jobs.run(attempt_id, rebasing.rebase_attempt, body)

    async def abort_conflicts(self, attempt_id: str) -> None:
        """Go back to before what is in progress in the worktree, if anything is."""
        await self._jobs.run(attempt_id, rebasing.abort_conflicts)

    async def change_target(self, attempt_id: str, body: NewTarget) -> TargetChanged:
        """Choose another target branch. Also possible while an agent works."""
        subject = await read_subject(self._resources, attempt_id)
        return await branch_naming.change_target(self._resources, subject, body.new_target_branch)

    async def rename_branch(self, attempt_id: str, body: NewBranchName) -> Renamed:
        """Give the attempt's branch another name; see `operations.branch_naming`."""
        rename = branch_naming.rename_branch
        name = await self._jobs.run(attempt_id, rename, body.new_branch_name)
        return Renamed(branch=name)

    # ------------------------------------------------------------ looking

    async def branch_status(self, attempt_id: str) -> BranchStatus:
        """Return the status of the attempt's branch compared with its target. Changes nothing in
        git.
        """
        subject = await read_subject(self._resources, attempt_id)
        left = await self._resources.store.read(lambda r: attempts.base_commit(r, attempt_id))
        found, checked_out = await status.standing(*_where(subject), left)
        under_way = await self._resources.store.read(lambda r: intents.get(r, attempt_id))
        if under_way is not None:
            # Somebody may have finished or aborted a rebase by hand.
            is_behind = not found.is_rebase_in_progress
        else:
            is_behind = checked_out is not None and await self._is_renamed(subject, checked_out)
        if is_behind:
            subject = await self._caught_up(subject)
            left = await self._resources.store.read(lambda r: attempts.base_commit(r, attempt_id))
            found = await status.branch_status(*_where(subject), left)
        merged = await self._resources.store.read(lambda r: merges.of_attempt(r, attempt_id))
        return replace(found, merges=merged)

    async def _caught_up(self, subject: Subject) -> Subject:
        try:
            return await self._jobs.settle(subject.attempt.id)
        except (Busy, WorktreeElsewhere):
            return subject  # whoever is at work there does it

    async def _is_renamed(self, subject: Subject, checked_out: str) -> bool:
        if checked_out == subject.attempt.branch:
            return False
        return await renaming.followed(subject.worktree, subject.attempt.branch) is not None

    async def commit_info(self, attempt_id: str, text: str) -> CommitInfo:
        """Return the facts of a commit."""
        return await commits.info(await read_subject(self._resources, attempt_id), text)

    async def commit_compare(self, attempt_id: str, text: str) -> CommitComparison:
        """Return the relation of a commit to the attempt's HEAD."""
        return await commits.compare(await read_subject(self._resources, attempt_id), text)


def _where(subject: Subject) -> tuple[Path, Path | None, str, str]:
    """The repository, the worktree if there is one, the branch and its target."""
    attempt = subject.attempt
    worktree = Path(attempt.container_ref) if attempt.container_ref else None
    return subject.repository, worktree, attempt.branch, attempt.target_branch
