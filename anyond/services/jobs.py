"""Operations as jobs of their attempts: each alone in its worktree, and to its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Concatenate, ParamSpec, TypeVar

from anyond.actors.attempt import AttemptActor
from anyond.actors.attempts import Attempts
from anyond.model.rows import ExecutionProcess
from anyond.operations.branch.intent_outcomes import settled
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.subject import read as read_subject

P = ParamSpec("P")
R = TypeVar("R")
Row = TypeVar("Row", ExecutionProcess, ExecutionProcess | None)

Operation = Callable[Concatenate[Resources, Subject, P], Awaitable[R]]
"""What is done to an attempt; called with resources, the attempt, and what was given for it."""


class Jobs:
    """Runs operations in attempts, after what was under way in git there is settled.

    A job goes on if whoever has asked for it is cancelled. All methods raise what the operation
    raises, and:

    Raises:
        NotFound: there is no such attempt.
        Busy: something is at work there, or it is being deleted.
    """

    def __init__(self, resources: Resources, attempts: Attempts) -> None:
        self._resources = resources
        self._attempts = attempts

    async def settle(self, attempt_id: str) -> Subject:
        """The attempt after its row has caught up with git; see `intent_outcomes.settled`."""
        return await self._attempts.do(attempt_id, lambda _: settled(self._resources, attempt_id))

    async def run(
        self, attempt_id: str, operation: Operation[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run an operation; returns what it returns."""

        async def work(_: AttemptActor) -> R:
            subject = await settled(self._resources, attempt_id)
            return await operation(self._resources, subject, *args, **kwargs)

        return await self._attempts.do(attempt_id, work)

    async def start(
        self, attempt_id: str, write: Operation[P, Row], *args: P.args, **kwargs: P.kwargs
    ) -> Row:
        """Start the process whose row an operation writes; returns that row when it runs.

        Nothing is started if the operation writes none.
        """
        return await self._attempts.do(attempt_id, self._starting(write, *args, **kwargs))

    async def start_with_answer(
        self,
        attempt_id: str,
        write: Operation[P, tuple[R, ExecutionProcess]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Do what `start` does, for an operation that has an answer beside the row; returns the
        answer.
        """

        async def work(actor: AttemptActor) -> R:
            subject = await settled(self._resources, attempt_id)
            answer, row = await write(self._resources, subject, *args, **kwargs)
            await actor.start(row)
            return answer

        return await self._attempts.do(attempt_id, work)

    async def start_alongside(
        self,
        attempt_id: str,
        write: Operation[P, ExecutionProcess],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> ExecutionProcess:
        """Do what `start` does, for what lives beside an agent or script: those are not in its
        way.
        """

        async def work(actor: AttemptActor) -> ExecutionProcess:
            subject = await read_subject(self._resources, attempt_id)
            return await actor.start(await write(self._resources, subject, *args, **kwargs))

        return await self._attempts.do(attempt_id, work, alongside=True)

    def start_later(
        self,
        attempt_id: str,
        write: Operation[P, ExecutionProcess | None],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        """Do what `start` does, when nobody else is at work there. Never waits; see
        `Attempts.later`.
        """
        self._attempts.later(attempt_id, self._starting(write, *args, **kwargs))

    def _starting(
        self, write: Operation[P, Row], *args: P.args, **kwargs: P.kwargs
    ) -> Callable[[AttemptActor], Awaitable[Row]]:
        async def work(actor: AttemptActor) -> Row:
            subject = await settled(self._resources, actor.attempt_id)
            row = await write(self._resources, subject, *args, **kwargs)
            return row if row is None else await actor.start(row)

        return work
