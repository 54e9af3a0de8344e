"""The chain of processes of an attempt: their order, and whether the next one runs."""

from __future__ import annotations

from collections.abc import Sequence

from anyond.model.configuration.settings import ExecutorProfileId
from anyond.model.rows import (
    CodingAgentFollowUpRequest,
    CodingAgentInitialRequest,
    ExecutorAction,
    ProcessStatus,
    Project,
    RunReason,
    ScriptContext,
    ScriptRequest,
    Task,
)

REASONS = {
    ScriptContext.SETUP: RunReason.SETUP_SCRIPT,
    ScriptContext.CLEANUP: RunReason.CLEANUP_SCRIPT,
    ScriptContext.DEV_SERVER: RunReason.DEV_SERVER,
}


def reason(action: ExecutorAction) -> RunReason:
    """The run reason of the first link."""
    if isinstance(action.typ, ScriptRequest):
        return REASONS[action.typ.context]
    return RunReason.CODING_AGENT


def task_prompt(task: Task) -> str:
    """Return the first prompt: the title, and the description below it."""
    if task.description and task.description.strip():
        return f"{task.title}\n\n{task.description}"
    return task.title


def first(project: Project, prompt: str, profile: ExecutorProfileId) -> ExecutorAction:
    """Setup script (if any), agent, cleanup script (if any)."""
    agent = _with_cleanup(
        project, CodingAgentInitialRequest(prompt=prompt, executor_profile_id=profile)
    )
    return _with_setup(project, agent)


def follow_up(
    project: Project,
    prompt: str,
    session_id: str | None,
    profile: ExecutorProfileId,
    *,
    anew: bool = False,
) -> ExecutorAction:
    """The agent again, in its session if there is one; cleanup script (if any).

    Args:
        anew: the worktree is gone, and with it what the setup script had made: it runs first.
    """
    request: CodingAgentInitialRequest | CodingAgentFollowUpRequest
    if session_id is None:
        request = CodingAgentInitialRequest(prompt=prompt, executor_profile_id=profile)
    else:
        request = CodingAgentFollowUpRequest(
            prompt=prompt, session_id=session_id, executor_profile_id=profile
        )
    agent = _with_cleanup(project, request)
    return _with_setup(project, agent) if anew else agent


def agent_setup(scripts: Sequence[str], following: ExecutorAction | None) -> ExecutorAction:
    """Each of `scripts` (at least one), then what the agent was asked before, if anything."""
    action = following
    for script in reversed(scripts):
        request = ScriptRequest(script=script, context=ScriptContext.SETUP)
        action = ExecutorAction(typ=request, next_action=action)
    assert action is not None
    return action


def goes_on(ended: RunReason, status: ProcessStatus, *, changed: bool) -> bool:
    """Return whether the next link runs: only after success, and cleanup only if there is a
    change.
    """
    if status is not ProcessStatus.COMPLETED:
        return False
    return changed or ended is not RunReason.CODING_AGENT


def _with_setup(project: Project, following: ExecutorAction) -> ExecutorAction:
    if not _script(project.setup_script):
        return following
    setup = ScriptRequest(script=project.setup_script or "", context=ScriptContext.SETUP)
    return ExecutorAction(typ=setup, next_action=following)


def _with_cleanup(
    project: Project, agent: CodingAgentInitialRequest | CodingAgentFollowUpRequest
) -> ExecutorAction:
    cleanup = None
    if _script(project.cleanup_script):
        cleanup = ExecutorAction(
            typ=ScriptRequest(script=project.cleanup_script or "", context=ScriptContext.CLEANUP)
        )
    return ExecutorAction(typ=agent, next_action=cleanup)


def _script(script: str | None) -> bool:
    return bool(script and script.strip())
