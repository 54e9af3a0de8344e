"""Installing an agent and logging it in from within an attempt, if it can do that."""

from __future__ import annotations

from anyond.agents.common.core import SetsUp
from anyond.agents.roster import agent
from anyond.model.configuration.settings import ExecutorProfileId
from anyond.model.refusals.requests import SetupNotSupported
from anyond.model.rows import ExecutionProcess, ExecutorAction, RunReason
from anyond.operations.resources import Resources
from anyond.operations.run import run
from anyond.operations.subject import Subject
from anyond.operations.turn import chain
from anyond.store.engine.transaction import Reader, Tx
from anyond.store.runs import processes


async def set_up(
    resources: Resources, subject: Subject, profile: ExecutorProfileId
) -> ExecutionProcess:
    """Write the first script of the setup down; it is to be started next.

    What the agent was asked last is asked again afterwards.

    Raises:
        Impossible: no such variant; or `setup_not_supported`.
        Busy: something runs in the attempt.
    """
    chosen = agent(profile.executor)
    options = resources.profiles.variant(profile)
    if not isinstance(chosen, SetsUp):
        raise SetupNotSupported("executor_profile_id.executor", profile.executor)
    scripts = chosen.setup(options)

    def work(tx: Tx) -> ExecutionProcess:
        action = chain.agent_setup(scripts, _last_request(tx, subject.attempt.id))
        return run.insert(tx, subject.attempt.id, subject.task.id, action)

    return await resources.store.write(work)


def _last_request(reader: Reader, attempt_id: str) -> ExecutorAction | None:
    for process in processes.of_attempt(reader, attempt_id):
        if process.run_reason is RunReason.CODING_AGENT:
            return process.executor_action
    return None
