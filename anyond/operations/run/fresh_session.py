"""Retrying a run in a new session, once, when the agent has lost the one it should resume."""

from __future__ import annotations

from collections.abc import Sequence

from anyond.logs.conversation import Conversation
from anyond.logs.notes import Remark
from anyond.machines.ending import Ending
from anyond.model.rows import (
    CodingAgentFollowUpRequest,
    CodingAgentInitialRequest,
    ExecutionProcess,
    ExecutorAction,
    ProcessStatus,
)
from anyond.operations.run import run
from anyond.operations.subject import Subject
from anyond.store.board import drafts
from anyond.store.engine.transaction import Tx

REMARK = Remark(
    text=(
        "The agent does not know its former session any more. It is asked again in a new one, "
        "and told in short what was said before."
    )
)


def is_due(process: ExecutionProcess, ending: Ending, conversation: Conversation | None) -> bool:
    """Return whether the run failed for this reason alone, and so did nothing.

    The run that takes its place resumes nothing: it cannot fail for this reason again.
    """
    return (
        conversation is not None
        and conversation.session_lost
        and not conversation.acted
        and ending.status is ProcessStatus.FAILED
        and isinstance(process.executor_action.typ, CodingAgentFollowUpRequest)
    )


def insert(
    tx: Tx, subject: Subject, process: ExecutionProcess, undelivered: Sequence[str]
) -> ExecutionProcess:
    """The row of the run that takes the place of `process`; it is to be started next.

    To be called in the transaction that ends `process`, so that it happens exactly once.

    Args:
        undelivered: the messages that its turn was to get.
    """
    lost = process.executor_action.typ
    assert isinstance(lost, CodingAgentFollowUpRequest)
    request = CodingAgentInitialRequest(
        prompt="\n\n".join([lost.prompt, *undelivered]),
        executor_profile_id=lost.executor_profile_id,
    )
    action = ExecutorAction(typ=request, next_action=process.executor_action.next_action)
    row = run.insert(tx, subject.attempt.id, subject.task.id, action)
    drafts.pass_on(tx, process.id, row.id)
    return row
