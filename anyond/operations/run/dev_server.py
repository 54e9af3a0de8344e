"""Starting the dev server of a project in an attempt: at most one for each project."""

from __future__ import annotations

from anyond.model.refusals.runs import Busy, NoDevScript
from anyond.model.rows import ExecutionProcess, ExecutorAction, ScriptContext, ScriptRequest
from anyond.operations.resources import Resources
from anyond.operations.run import run
from anyond.operations.subject import Subject
from anyond.store.engine.transaction import Tx
from anyond.store.runs import processes


def script(subject: Subject) -> str:
    """Return the script that starts the dev server.

    Raises:
        Conflict: `no_dev_script`.
    """
    found = subject.project.dev_script
    if not found or not found.strip():
        raise NoDevScript(subject.project.name)
    return found


async def insert(resources: Resources, subject: Subject) -> ExecutionProcess:
    """Write the process of a dev server down; it is to be started next.

    Raises:
        Conflict: `no_dev_script`.
        Busy: another dev server of the project runs.
    """
    action = ExecutorAction(
        typ=ScriptRequest(script=script(subject), context=ScriptContext.DEV_SERVER)
    )

    def work(tx: Tx) -> ExecutionProcess:
        if processes.dev_servers_of_project(tx, subject.project.id):
            raise Busy.dev_server()
        return run.insert(tx, subject.attempt.id, subject.task.id, action)

    return await resources.store.write(work)
