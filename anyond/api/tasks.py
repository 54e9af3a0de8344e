"""The chapter Tasks: what a person wants to have done."""

from __future__ import annotations

from types import NoneType
from typing import Annotated

from msgspec import Meta, Struct

from anyond.api.declaration.endpoint import BodyCall, Call, Chapter, Stream
from anyond.api.declaration.params import Followed, Nothing, OfTask, ProjectId
from anyond.api.declaration.refusal_groups import JOB
from anyond.model.access import Scope
from anyond.model.http import frames
from anyond.model.http.bodies import CreateAndStart, NewTask, TaskPatch
from anyond.model.refusals.requests import NotFound
from anyond.model.refusals.runs import Busy
from anyond.model.rows import TaskWithAttemptStatus

MOST_TASKS = 1000
"""The most tasks of a page."""

Limit = Annotated[int, Meta(description=f"The most tasks of a page, 1 to {MOST_TASKS}.")]
Cursor = Annotated[
    str, Meta(description="Where the page begins: as the header `Link` of the one before has it.")
]


class TasksOfProject(Struct, frozen=True, kw_only=True):
    """Requests for the tasks of a project: all of them, or a page."""

    project_id: ProjectId
    limit: Limit | None = None
    cursor: Cursor = ""


class FollowedTasks(Followed, frozen=True, kw_only=True):
    """Requests for a stream of all tasks of a project."""

    project_id: ProjectId


LIST_TASKS = Call(
    method="GET",
    path="/api/tasks",
    summary="List tasks",
    text=(
        "All tasks of a project, newest first. With `limit`, so many at most; if there are more,"
        ' the header `Link` has the address of the next page (`rel="next"`).'
    ),
    params=TasksOfProject,
    answer=list[TaskWithAttemptStatus],
    cached=True,
    refusals=(NotFound,),
)
GET_TASK = Call(
    method="GET",
    path="/api/tasks/{task_id}",
    summary="Get task",
    params=OfTask,
    answer=TaskWithAttemptStatus,
    cached=True,
    refusals=(NotFound,),
)
CREATE_TASK = BodyCall(
    method="POST",
    path="/api/tasks",
    summary="Create task",
    params=Nothing,
    body=NewTask,
    answer=TaskWithAttemptStatus,
    refusals=(NotFound,),
)
CREATE_AND_START_TASK = BodyCall(
    method="POST",
    path="/api/tasks/create-and-start",
    summary="Create and start task",
    params=Nothing,
    text="Answered when the worktree exists and the first process runs.",
    body=CreateAndStart,
    answer=TaskWithAttemptStatus,
    refusals=(*JOB, NotFound),
)
UPDATE_TASK = BodyCall(
    method="PUT",
    path="/api/tasks/{task_id}",
    summary="Update task",
    params=OfTask,
    text='What is null or left out stays; "" clears.',
    body=TaskPatch,
    answer=TaskWithAttemptStatus,
    refusals=(NotFound,),
)
DELETE_TASK = Call(
    method="DELETE",
    path="/api/tasks/{task_id}",
    summary="Delete task",
    granted_by=Scope.LAND,
    params=OfTask,
    text="Its worktrees are deleted in the background, after a snapshot of each.",
    answer=NoneType,
    status=202,
    refusals=(NotFound, Busy),
)
STREAM_TASKS = Stream(
    path="/api/tasks/stream/ws",
    summary="Stream tasks",
    params=FollowedTasks,
    name="TaskFrame",
    frames=(
        frames.TaskSnapshot,
        frames.TaskCreated,
        frames.TaskUpdated,
        frames.TaskDeleted,
    ),
    end="It has none; 1001 when the daemon stops.",
    refusals=(NotFound,),
)

CHAPTER = Chapter(
    "Tasks",
    "What a person wants to have done.",
    (
        LIST_TASKS,
        GET_TASK,
        CREATE_TASK,
        CREATE_AND_START_TASK,
        UPDATE_TASK,
        DELETE_TASK,
        STREAM_TASKS,
    ),
)
