"""Follow-ups: a further run of the agent, in its session or from an earlier point of it."""

from __future__ import annotations

from collections.abc import Sequence

from anyond.agents.roster import check as check_options
from anyond.model.configuration.settings import ExecutorProfileId
from anyond.model.http.bodies import FollowUp
from anyond.model.ids import now
from anyond.model.refusals.requests import Invalid
from anyond.model.refusals.runs import NoAgent
from anyond.model.rows import (
    ExecutionProcess,
    ExecutorAction,
    ScriptRequest,
)
from anyond.operations.branch import rewind
from anyond.operations.resources import Resources
from anyond.operations.run import run
from anyond.operations.subject import Subject
from anyond.operations.turn import chain
from anyond.operations.workspace import images, worktree
from anyond.store.board import drafts
from anyond.store.engine.transaction import Reader, Tx
from anyond.store.runs import processes, sessions


async def follow_up(resources: Resources, subject: Subject, body: FollowUp) -> ExecutionProcess:
    """Write the process of a follow-up (or retry) down; it is to be started next.

    Raises:
        Invalid: an empty prompt.
        NotFound: no such process, or image.
        Conflict: the agent has not run yet, or a reset would lose changes.
        Impossible: no such variant.
    """
    if not body.prompt.strip():
        raise Invalid("prompt", "must not be empty.")
    await images.check(resources, body.image_ids or ())
    await resources.store.read(lambda r: check(r, resources, subject.attempt.id, body.variant))
    anew = await worktree.is_gone(subject)
    retried = None
    if body.retry_process_id is not None:
        retried = await rewind.earlier_run(
            resources, subject, body.retry_process_id, "retry_process_id"
        )
        await rewind.go_back(
            resources,
            subject,
            retried,
            perform=body.perform_git_reset is not False,
            force=bool(body.force_when_dirty),
        )

    def work(tx: Tx) -> ExecutionProcess:
        if retried is not None:
            rewind.went_back(tx, subject.attempt.id)
            processes.drop_from(tx, subject.attempt.id, retried.id, now())
        image_ids = body.image_ids or ()
        process = insert(tx, subject, body.prompt, body.variant, image_ids, anew=anew)
        if retried is None:
            drafts.take(tx, subject.attempt.id, process.id, now())
        return process

    return await resources.store.write(work)


def check(reader: Reader, resources: Resources, attempt_id: str, variant: str | None) -> None:
    """Check that the agent of an attempt can be asked again in this variant.

    Raises:
        Conflict: no agent has run yet.
        Impossible: no such variant.
    """
    profile = _profile(reader, attempt_id, variant)
    check_options(profile.executor, resources.profiles.variant(profile, "variant"))


def insert(
    tx: Tx,
    subject: Subject,
    prompt: str,
    variant: str | None,
    image_ids: Sequence[str],
    *,
    anew: bool = False,
) -> ExecutionProcess:
    """The row of a process that asks the agent again; it is to be started next.

    Args:
        anew: see `chain.follow_up`.

    Raises:
        Conflict: no agent has run yet.
        NotFound: one of the images does not exist.
        Busy: something runs in the worktree.
    """
    attempt_id = subject.attempt.id
    profile = _profile(tx, attempt_id, variant)
    session_id = sessions.latest_session_id(tx, attempt_id)
    linked = images.attach(tx, subject.task.id, prompt, image_ids, now())
    action = chain.follow_up(subject.project, linked, session_id, profile, anew=anew)
    return run.insert(tx, attempt_id, subject.task.id, action)


def _profile(reader: Reader, attempt_id: str, variant: str | None) -> ExecutorProfileId:
    """The agent that worked last in this attempt, in the wanted variant."""
    for row in processes.of_attempt(reader, attempt_id, show_dropped=True):
        # A chain that failed in its setup script still says which agent was to follow.
        action: ExecutorAction | None = row.executor_action
        while action is not None:
            if not isinstance(action.typ, ScriptRequest):
                former = action.typ.executor_profile_id
                return ExecutorProfileId(executor=former.executor, variant=variant)
            action = action.next_action
    raise NoAgent
