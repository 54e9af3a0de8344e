"""How an agent is asked again in an attempt: in its session, or from an earlier point of it."""

from __future__ import annotations

from anyond.agents.roster import agent
from anyond.model.bodies import FollowUp
from anyond.model.errors import Conflict, Invalid
from anyond.model.ids import now
from anyond.model.rows import (
    ExecutionProcess,
    ExecutorAction,
    ScriptRequest,
)
from anyond.model.settings import ExecutorProfileId
from anyond.operations import chain, images, rewind, run
from anyond.operations.rooms import Rooms
from anyond.operations.subject import Subject
from anyond.store import processes, sessions
from anyond.store.transaction import Tx


async def follow_up(rooms: Rooms, about: Subject, wanted: FollowUp) -> ExecutionProcess:
    """Write the process of a follow-up (or retry) down; it is to be started next.

    Raises:
        Invalid: an empty prompt.
        NotFound: no such process, or image.
        Conflict: the agent has not run yet, or a reset would lose changes.
        Impossible: no such variant.
    """
    if not wanted.prompt.strip():
        raise Invalid("prompt", "must not be empty.")
    await images.check(rooms, wanted.image_ids or ())
    profile = await _profile(rooms, about, wanted.variant)
    agent(profile.executor)
    rooms.profiles.variant(profile)
    retried = None
    if wanted.retry_process_id is not None:
        retried = await rewind.earlier_run(
            rooms, about, wanted.retry_process_id, "retry_process_id"
        )
        await rewind.go_back(
            rooms,
            about,
            retried,
            perform=wanted.perform_git_reset is not False,
            force=bool(wanted.force_when_dirty),
        )

    def work(tx: Tx) -> ExecutionProcess:
        if retried is not None:
            processes.drop_from(tx, about.attempt.id, retried.id, now())
        prompt = images.attach(tx, about.task.id, wanted.prompt, wanted.image_ids or (), now())
        session_id = sessions.latest_session_id(tx, about.attempt.id)
        action = chain.follow_up(about.project, prompt, session_id, profile)
        return run.insert(tx, about.attempt.id, about.task.id, action)

    return await rooms.store.write(work)


async def _profile(rooms: Rooms, about: Subject, variant: str | None) -> ExecutorProfileId:
    """The agent that worked last in this attempt, in the wanted variant."""
    rows = await rooms.store.read(
        lambda r: processes.of_attempt(r, about.attempt.id, show_dropped=True)
    )
    for row in rows:
        # A chain that failed in its setup script still says which agent was to follow.
        action: ExecutorAction | None = row.executor_action
        while action is not None:
            if not isinstance(action.typ, ScriptRequest):
                former = action.typ.executor_profile_id
                return ExecutorProfileId(executor=former.executor, variant=variant)
            action = action.next_action
    raise Conflict("no_agent", "No agent has run in this attempt yet.")
