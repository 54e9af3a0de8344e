"""Requests about an attempt and the remote it is published at."""

from __future__ import annotations

from anyond.actors.attempts import Attempts
from anyond.model.http.bodies import NewPullRequest
from anyond.model.refusals.remotes import TokenMissing
from anyond.model.rows import AttachedPullRequest, PullRequestMerge
from anyond.operations.branch import publish, pull_requests
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.subject import read as read_subject
from anyond.procs import desktop
from anyond.services.jobs import Jobs
from anyond.store.runs import merges
from anyond.watchers.monitor import Monitor


class Publishing:
    """The requests of clients that concern remotes and pull requests.

    What writes a worktree's branch somewhere is done as a job of the attempt: nobody moves the
    branch meanwhile, and it goes on to its end when the client leaves.
    """

    def __init__(self, resources: Resources, attempts: Attempts, monitor: Monitor) -> None:
        self._resources = resources
        self._jobs = Jobs(resources, attempts)
        self._monitor = monitor

    async def push(self, attempt_id: str, *, force: bool) -> None:
        """Push the attempt's branch.

        Raises:
            Busy: something is at work in the attempt.
            AnyondError: see `operations.publish`.
        """
        await self._jobs.run(attempt_id, publish.push_attempt, force=force)

    async def create_pull_request(self, attempt_id: str, body: NewPullRequest) -> str:
        """Push, and make a pull request, or find the one that is there; returns its address.

        Raises:
            Busy: something is at work in the attempt.
            AnyondError: see `operations.pull_requests`.
        """
        return (await self._jobs.run(attempt_id, self._create, body)).pr_info.url

    async def _create(
        self, resources: Resources, subject: Subject, body: NewPullRequest
    ) -> PullRequestMerge:
        row, is_new = await pull_requests.create(resources, subject, body)
        self._monitor.wake()
        if is_new and resources.config.config.pr_open_browser:
            await desktop.show(row.pr_info.url)
        return row

    async def attach_pull_request(self, attempt_id: str) -> AttachedPullRequest:
        """Find the pull request of the attempt's branch, whoever made it.

        Without a token, what is known already is the answer.

        Raises:
            AnyondError: see `operations.pull_requests`.
        """
        subject = await read_subject(self._resources, attempt_id)
        try:
            found = await pull_requests.attach(self._resources, subject)
        except TokenMissing:
            found = await self._newest(attempt_id)
            if found is None:
                raise
        else:
            found = found or await self._newest(attempt_id)
        if found is None:
            return AttachedPullRequest(pr_attached=False)
        self._monitor.wake()
        return AttachedPullRequest(
            pr_attached=True,
            pr_url=found.pr_info.url,
            pr_number=found.pr_info.number,
            pr_status=found.pr_info.status,
        )

    async def _newest(self, attempt_id: str) -> PullRequestMerge | None:
        known = await self._resources.store.read(lambda r: merges.pull_requests(r, attempt_id))
        return next(iter(known), None)
