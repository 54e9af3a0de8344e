"""Messages that never reached their agent, and become drafts again."""

from __future__ import annotations

from anyond.model.rows import (
    CodingAgentFollowUpRequest,
    CodingAgentInitialRequest,
    ExecutionProcess,
    ExecutorAction,
    ProcessStatus,
    RunReason,
    ScriptRequest,
)
from anyond.store.board import drafts
from anyond.store.engine.transaction import Reader, Tx
from anyond.store.runs import processes


def give_back(tx: Tx, process: ExecutionProcess, now: str) -> None:
    """Give the person back what was to be sent by `process`, or after it, and was not.

    To be called in the transaction that ends a process that never started, or a setup script that
    nothing follows.
    """
    lost = _after_setup(tx, process)
    if lost is None:
        drafts.give_back(tx, process.id, now)
        return
    variant = lost.executor_profile_id.variant
    drafts.keep(tx, process.task_attempt_id, lost.prompt, now, variant=variant)


def _after_setup(
    reader: Reader, process: ExecutionProcess
) -> CodingAgentInitialRequest | CodingAgentFollowUpRequest | None:
    """The message that was to follow a setup script, if it is to be seen nowhere else."""
    if process.run_reason is not RunReason.SETUP_SCRIPT:
        return None
    rows = processes.of_attempt(reader, process.task_attempt_id, show_dropped=True)
    if rows[-1].id == process.id:
        return None  # What an attempt begins with is what its task says.
    action: ExecutorAction | None = process.executor_action
    while action is not None and isinstance(action.typ, ScriptRequest):
        action = action.next_action
    if action is None:
        return None
    message = action.typ
    assert not isinstance(message, ScriptRequest)
    agents = (r for r in rows if r.run_reason is RunReason.CODING_AGENT and not r.dropped)
    last = next(agents, None)
    if (
        last is not None
        and last.executor_action.typ == message
        and last.status is not ProcessStatus.COMPLETED
    ):
        return None  # It was to be asked once more after the setup of its agent.
    return message
