"""Steering: messages to an agent at work, written down first and delivered once.

The wish is part of the row of the run, so a daemon that is killed at any moment finds it again. The
log shows how many messages the agent has heard; those that it has not are said by whoever follows
the run. What is still unsaid when the run is over begins the next one, or is a draft again.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from anyond.agents.roster import ROSTER
from anyond.model.configuration.settings import ExecutorProfileId
from anyond.model.http.bodies import FollowUp
from anyond.model.ids import now
from anyond.model.refusals.requests import Impossible, Invalid
from anyond.model.refusals.runs import Busy
from anyond.model.rows import ExecutionProcess, ProcessStatus, RunReason, ScriptRequest
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.operations.turn import launch_recipe
from anyond.operations.turn.turn_record import SentMessage, TurnRecord
from anyond.operations.workspace import images
from anyond.store.board import drafts
from anyond.store.engine.transaction import Reader, Tx
from anyond.store.runs import processes, sessions


def profile(process: ExecutionProcess) -> ExecutorProfileId:
    """The agent of a run, and its variant."""
    request = process.executor_action.typ
    assert not isinstance(request, ScriptRequest)
    return request.executor_profile_id


def at_work(reader: Reader, attempt_id: str) -> ExecutionProcess | None:
    """The run of the agent that is going on in an attempt, unless it is to be stopped."""
    for row in processes.running_of(reader, attempt_id):
        if (
            row.run_reason is RunReason.CODING_AGENT
            and processes.stop_reason(reader, row.id) is None
        ):
            return row
    return None


async def steer(
    resources: Resources, subject: Subject, process: ExecutionProcess, body: FollowUp
) -> ExecutionProcess | None:
    """Write down what is to be said into the running turn of `process`.

    Returns:
        The process; None if it has ended meanwhile, and nothing was written.

    Raises:
        Invalid: a retry, which is no message to a running turn.
        Impossible: this agent takes no messages while it works, or it runs in another variant.
        NotFound: no such image.
        Busy: the agent is just being started.
    """
    _check(process, body)
    image_ids = body.image_ids or ()
    await images.check(resources, image_ids)
    prompt = await resources.store.write(
        lambda tx: images.attach(tx, subject.task.id, body.prompt, image_ids, now())
    )
    await images.place(resources, subject.task.id, subject.worktree)
    expanded = await launch_recipe.expand(resources, prompt, str(subject.worktree))

    def work(tx: Tx) -> ExecutionProcess | None:
        row = processes.get(tx, process.id)
        if row.status is not ProcessStatus.RUNNING or processes.stop_reason(tx, row.id):
            return None
        text = sessions.stored_turn(tx, row.id)
        if text is None:
            raise Busy.starting()
        record = TurnRecord.decode(text)
        record = replace(
            record, messages=[*record.messages, SentMessage(prompt=prompt, text=expanded)]
        )
        sessions.keep_turn(tx, row.id, record.encode())
        if drafts.queued(tx, row.task_attempt_id) is None:
            drafts.take(tx, row.task_attempt_id, row.id, now())
        return row

    return await resources.store.write(work)


def sent_messages(reader: Reader, process_id: str) -> Sequence[SentMessage]:
    """All that was to be said into a run so far, in order."""
    text = sessions.stored_turn(reader, process_id)
    return TurnRecord.decode(text).messages if text is not None else ()


def undelivered(reader: Reader, process_id: str, received: int) -> Sequence[SentMessage]:
    """Return the messages that the agent has not received.

    Args:
        received: how many messages it has received, the first prompt included.
    """
    return sent_messages(reader, process_id)[max(0, received - 1) :]


def _check(process: ExecutionProcess, body: FollowUp) -> None:
    if body.retry_process_id is not None:
        raise Invalid("steer", "a retry begins a turn of its own, and cannot be said into one.")
    running = profile(process)
    if not ROSTER[running.executor].steerable:
        names = ", ".join(name for name, row in ROSTER.items() if row.steerable)
        raise Impossible(
            "steer",
            f"{running.executor} takes no messages while it works (these do: {names}); "
            "queue it as a draft, or wait until the turn is over",
        )
    if body.variant is not None and body.variant != (running.variant or "DEFAULT"):
        raise Impossible(
            "variant", f"the turn that runs is one of the variant {running.variant or 'DEFAULT'}"
        )
