"""Replacing a run of an agent, and all that followed it, by another one."""

from __future__ import annotations

from anyond.agents.roster import check as check_options
from anyond.model.configuration.settings import ExecutorProfileId
from anyond.model.http.answers import Replaced
from anyond.model.http.bodies import Replacing
from anyond.model.ids import now
from anyond.model.refusals.requests import Invalid
from anyond.model.rows import ExecutionProcess, ScriptRequest
from anyond.operations.branch import rewind
from anyond.operations.resources import Resources
from anyond.operations.run import run
from anyond.operations.subject import Subject
from anyond.operations.turn import chain
from anyond.operations.workspace import worktree
from anyond.store.engine.transaction import Tx
from anyond.store.runs import processes, sessions


async def replace_process(
    resources: Resources, subject: Subject, body: Replacing
) -> tuple[Replaced, ExecutionProcess]:
    """Go back to before a run and write the one down that comes instead; it is to be started next.

    The rows of what is replaced are dropped, and their logs stay.

    Raises:
        Invalid: an empty prompt.
        NotFound, Impossible: no such process or variant; nothing has changed.
        Conflict: `dropped`; `dirty`, if a reset would lose changes; nothing has changed.
    """
    if not body.prompt.strip():
        raise Invalid("prompt", "must not be empty.")
    replaced = await rewind.earlier_run(resources, subject, body.process_id, "process_id")
    profile = _profile(replaced, body.variant)
    check_options(profile.executor, resources.profiles.variant(profile, "variant"))
    anew = await worktree.is_gone(subject)
    went = await rewind.go_back(
        resources,
        subject,
        replaced,
        perform=body.perform_git_reset is not False,
        force=bool(body.force_when_dirty),
    )

    def work(tx: Tx) -> tuple[int, ExecutionProcess]:
        rewind.went_back(tx, subject.attempt.id)
        dropped = processes.drop_from(tx, subject.attempt.id, replaced.id, now())
        session_id = sessions.latest_session_id(tx, subject.attempt.id)
        action = chain.follow_up(subject.project, body.prompt, session_id, profile, anew=anew)
        return len(dropped), run.insert(tx, subject.attempt.id, subject.task.id, action)

    count, process = await resources.store.write(work)
    answer = Replaced(
        deleted_count=count,
        git_reset_needed=went.needed,
        git_reset_applied=went.applied,
        target_before_oid=replaced.before_head_commit,
        new_execution_id=process.id,
    )
    return answer, process


def _profile(replaced: ExecutionProcess, variant: str | None) -> ExecutorProfileId:
    """The agent that ran, in the wanted variant, or in the same as then."""
    request = replaced.executor_action.typ
    assert not isinstance(request, ScriptRequest)
    former = request.executor_profile_id
    return ExecutorProfileId(executor=former.executor, variant=variant or former.variant)
