"""Examples of the chapter Tasks."""

from __future__ import annotations

from msgspec.structs import replace

from anyond.api import tasks
from anyond.api.declaration import samples
from anyond.api.examples import things
from anyond.api.examples.example import Example, Examples
from anyond.model.http import frames
from anyond.model.http.bodies import CreateAndStart, NewTask, TaskPatch
from anyond.model.rows import TaskStatus

_NEW = NewTask(
    project_id=samples.PROJECT_ID,
    title="Describe the tea timer",
    description="Say in README.md how long each sort takes. @tests",
)
_FRESH = replace(things.TASK, status=TaskStatus.TODO, has_in_progress_attempt=False)

EXAMPLES: Examples = {
    tasks.LIST_TASKS: Example(answer=[things.TASK]),
    tasks.GET_TASK: Example(answer=things.TASK),
    tasks.CREATE_TASK: Example(send=_NEW, answer=_FRESH),
    tasks.CREATE_AND_START_TASK: Example(
        send=CreateAndStart(task=_NEW, executor_profile_id=things.PROFILE, base_branch="main"),
        answer=things.TASK,
    ),
    tasks.UPDATE_TASK: Example(
        send=TaskPatch(title="Describe the tea timer well", status=TaskStatus.IN_REVIEW),
        answer=things.TASK,
    ),
    tasks.STREAM_TASKS: Example(
        frames=(
            frames.TaskSnapshot(data=[things.TASK], seq=41),
            frames.TaskCreated(data=_FRESH, seq=42),
            frames.TaskUpdated(data=things.TASK, seq=43),
            frames.TaskDeleted(data=_FRESH, seq=44),
        )
    ),
}
