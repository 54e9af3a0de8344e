"""Starting the dev server of a project in an attempt: at most one for each project."""

from __future__ import annotations

from anyond.model.refusals.runs import Busy, NoDevScript
from anyond.model.rows import ExecutionProcess, ExecutorAction, ScriptContext, ScriptRequest
from anyond.operations.resources import Resources
from anyond.operations.run import run
from anyond.operations.subject import Subject
from anyond.store.engine.transaction import Tx
from anyond.store.runs import processes


def script(about: Subject) -> str:
    """Return the script that starts the dev server.

    Raises:
        Conflict: `no_dev_script`.
    """
    found = about.project.dev_script
    if not found or not found.strip():
        raise NoDevScript(about.project.name)
    return found


async def insert(resources: Resources, about: Subject) -> ExecutionProcess:
    """Write the process of a dev server down; it is to be started next.

    Raises:
        Conflict: `no_dev_script`.
        Busy: another dev server of the project runs.
    """
    action = ExecutorAction(
        typ=ScriptRequest(script=script(about), context=ScriptContext.DEV_SERVER)
    )

    def work(tx: Tx) -> ExecutionProcess:
        if processes.dev_servers_of_project(tx, about.project.id):
            raise Busy.dev_server()
        return run.insert(tx, about.attempt.id, about.task.id, action)

    return await resources.store.write(work)
