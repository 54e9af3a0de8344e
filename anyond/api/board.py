"""The chapter Board: tasks in the order and with the marks that a person has given them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from anyond.api.declaration.endpoint import BodyCall, Call, Chapter, Stream
from anyond.api.declaration.params import Followed, Nothing, OfAttempt, OfTask, ProjectId
from anyond.model.http import frames
from anyond.model.http.board import (
    Archiving,
    AttemptPlace,
    BoardTask,
    Bulk,
    BulkOutcome,
    Placing,
    Seeing,
    Seen,
)
from anyond.model.refusals.requests import NotFound

Archived = Annotated[bool, Meta(description="Also what a person has put away.")]


class TasksOfBoard(Struct, frozen=True, kw_only=True):
    """Requests for the tasks of all projects, or of one."""

    project_id: ProjectId | None = None
    archived: Archived = False


class FollowedBoard(Followed, frozen=True, kw_only=True):
    """Requests for a stream of the tasks of all projects, or of one."""

    project_id: ProjectId | None = None


LIST_BOARD_TASKS = Call(
    method="GET",
    path="/api/board/tasks",
    summary="List board tasks",
    params=TasksOfBoard,
    text="In the order of the board: by `rank`, then the newest first.",
    answer=list[BoardTask],
    cached=True,
    refusals=(NotFound,),
)
GET_BOARD_TASK = Call(
    method="GET",
    path="/api/board/tasks/{task_id}",
    summary="Get board task",
    params=OfTask,
    answer=BoardTask,
    cached=True,
    refusals=(NotFound,),
)
PLACE_TASK = BodyCall(
    method="PUT",
    path="/api/board/tasks/{task_id}",
    summary="Place task",
    params=OfTask,
    text="Moves, ranks, labels or archives it. What is null or left out stays.",
    body=Placing,
    answer=BoardTask,
    refusals=(NotFound,),
)
CHANGE_MANY_TASKS = BodyCall(
    method="POST",
    path="/api/tasks/bulk",
    summary="Change many tasks",
    params=Nothing,
    text="One action for many tasks. Each has an outcome of its own, in the order of `task_ids`:"
    " what is refused for one is done for the others all the same.",
    body=Bulk,
    answer=list[BulkOutcome],
)
ARCHIVE_ATTEMPT = BodyCall(
    method="PUT",
    path="/api/task-attempts/{id}/archived",
    summary="Archive attempt",
    params=OfAttempt,
    text="Puts one attempt away, or takes it back. Nothing of it is removed or stopped.",
    body=Archiving,
    answer=AttemptPlace,
    refusals=(NotFound,),
)
GET_SEEN = Call(
    method="GET",
    path="/api/task-attempts/{id}/seen",
    summary="Get seen position",
    params=OfAttempt,
    answer=Seen,
    cached=True,
    refusals=(NotFound,),
)
MARK_SEEN = BodyCall(
    method="PUT",
    path="/api/task-attempts/{id}/seen",
    summary="Mark seen",
    params=OfAttempt,
    text="Up to where a person has seen an attempt: for all clients of this person the same.",
    body=Seeing,
    answer=Seen,
    refusals=(NotFound,),
)
STREAM_BOARD = Stream(
    path="/api/board/tasks/stream/ws",
    summary="Stream board tasks",
    params=FollowedBoard,
    name="BoardFrame",
    text="Archived tasks are among them.",
    frames=(frames.BoardSnapshot, frames.BoardTaskUpdated, frames.TaskDeleted),
    end="It has none; 1001 when the daemon stops.",
    refusals=(NotFound,),
)

CHAPTER = Chapter(
    "Board",
    "Tasks of all projects, with the order and the marks that a person has given them.",
    (
        LIST_BOARD_TASKS,
        GET_BOARD_TASK,
        PLACE_TASK,
        CHANGE_MANY_TASKS,
        ARCHIVE_ATTEMPT,
        GET_SEEN,
        MARK_SEEN,
        STREAM_BOARD,
    ),
)
