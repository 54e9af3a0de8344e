"""Declarations of the chapters Tasks, Tags and Images."""

from __future__ import annotations

from msgspec.structs import replace

from anyond.http.openapi import examples, frames, problems
from anyond.http.openapi.operation import (
    AFTER,
    FORMAT,
    WEBSOCKET,
    Chapter,
    Download,
    Operation,
    Stream,
    key,
    needed,
    possible,
)
from anyond.http.routes.tasks import CreateAndStart
from anyond.model.bodies import NewTag, NewTask, TagPatch, TaskPatch
from anyond.model.rows import Image, Tag, TaskStatus, TaskWithAttemptStatus

_KEY = key("task_id", "task", examples.TASK_ID)
_PROJECT = needed("project_id", str, "The id of the project.", examples.PROJECT_ID)
_NEW = NewTask(
    project_id=examples.PROJECT_ID,
    title="Describe the tea timer",
    description="Say in README.md how long each sort takes. @tests",
)
_FRESH = replace(examples.TASK, status=TaskStatus.TODO, has_in_progress_attempt=False)

TASKS = Chapter(
    "Tasks",
    "What a person wants to have done.",
    (
        Operation(
            method="GET",
            path="/api/tasks",
            summary="List tasks",
            query=(_PROJECT,),
            answer=list[TaskWithAttemptStatus],
            example=[examples.TASK],
            cached=True,
            problems=(problems.NOT_FOUND,),
        ),
        Operation(
            method="GET",
            path="/api/tasks/{task_id}",
            summary="Get task",
            key=_KEY,
            answer=TaskWithAttemptStatus,
            example=examples.TASK,
            cached=True,
            problems=(problems.NOT_FOUND,),
        ),
        Operation(
            method="POST",
            path="/api/tasks",
            summary="Create task",
            body=NewTask,
            send=_NEW,
            answer=TaskWithAttemptStatus,
            example=_FRESH,
            problems=(problems.NOT_FOUND,),
        ),
        Operation(
            method="POST",
            path="/api/tasks/create-and-start",
            summary="Create and start task",
            text="Answered when the worktree exists and the first process runs.",
            body=CreateAndStart,
            send=CreateAndStart(
                task=_NEW, executor_profile_id=examples.PROFILE, base_branch="main"
            ),
            answer=TaskWithAttemptStatus,
            example=examples.TASK,
            problems=(*problems.JOB, problems.NOT_FOUND),
        ),
        Operation(
            method="PUT",
            path="/api/tasks/{task_id}",
            summary="Update task",
            text='What is null or left out stays; "" clears.',
            key=_KEY,
            body=TaskPatch,
            send=TaskPatch(title="Describe the tea timer well", status=TaskStatus.IN_REVIEW),
            answer=TaskWithAttemptStatus,
            example=examples.TASK,
            problems=(problems.NOT_FOUND,),
        ),
        Operation(
            method="DELETE",
            path="/api/tasks/{task_id}",
            summary="Delete task",
            text="Its worktrees are deleted in the background, after a snapshot of each.",
            key=_KEY,
            status=202,
            problems=(problems.NOT_FOUND, problems.BUSY),
        ),
        Operation(
            method=WEBSOCKET,
            path="/api/tasks/stream/ws",
            summary="Stream tasks",
            query=(_PROJECT, AFTER, FORMAT),
            stream=Stream(
                "TaskFrame",
                (
                    frames.TaskSnapshot,
                    frames.TaskCreated,
                    frames.TaskUpdated,
                    frames.TaskDeleted,
                ),
                (
                    frames.TaskSnapshot(data=[examples.TASK], seq=41),
                    frames.TaskCreated(data=_FRESH, seq=42),
                    frames.TaskUpdated(data=examples.TASK, seq=43),
                    frames.TaskDeleted(data=_FRESH, seq=44),
                ),
                "It has none; 1001 when the daemon stops.",
            ),
            problems=(problems.NOT_FOUND,),
        ),
    ),
)

_TAG = key("id", "tag", examples.TAG_ID)

TAGS = Chapter(
    "Tags",
    "Texts with a name: `@name` in a prompt stands for the text.",
    (
        Operation(
            method="GET",
            path="/api/tags",
            summary="List tags",
            query=(possible("search", str, "A part of the name.", "te"),),
            answer=list[Tag],
            example=[examples.TAG],
            cached=True,
        ),
        Operation(
            method="GET",
            path="/api/tags/{id}",
            summary="Get tag",
            key=_TAG,
            answer=Tag,
            example=examples.TAG,
            cached=True,
            problems=(problems.NOT_FOUND,),
        ),
        Operation(
            method="POST",
            path="/api/tags",
            summary="Create tag",
            body=NewTag,
            send=NewTag(tag_name="tests", content="Write tests first, and run them."),
            answer=Tag,
            example=examples.TAG,
            problems=(problems.NAME_TAKEN,),
        ),
        Operation(
            method="PUT",
            path="/api/tags/{id}",
            summary="Update tag",
            key=_TAG,
            body=TagPatch,
            send=TagPatch(content="Write tests first."),
            answer=Tag,
            example=examples.TAG,
            problems=(problems.NOT_FOUND, problems.NAME_TAKEN),
        ),
        Operation(
            method="DELETE",
            path="/api/tags/{id}",
            summary="Delete tag",
            key=_TAG,
            problems=(problems.NOT_FOUND,),
        ),
    ),
)

_IMAGE = key("id", "image", examples.IMAGE_ID)
_NO_PICTURE = (problems.IMAGE_TOO_LARGE, problems.NO_IMAGE)
_SORTS = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")

IMAGES = Chapter(
    "Images",
    "Pictures that tasks and messages show to agents.",
    (
        Operation(
            method="POST",
            path="/api/images/upload",
            summary="Upload image",
            text="PNG, JPEG, GIF, WebP or SVG by content, up to 20 MiB. What is known already is"
            " kept once.",
            upload="image",
            answer=Image,
            example=examples.IMAGE,
            problems=_NO_PICTURE,
        ),
        Operation(
            method="POST",
            path="/api/images/task/{task_id}/upload",
            summary="Upload task image",
            key=_KEY,
            upload="image",
            answer=Image,
            example=examples.IMAGE,
            problems=(*_NO_PICTURE, problems.NOT_FOUND),
        ),
        Operation(
            method="GET",
            path="/api/images/task/{task_id}",
            summary="Get task images",
            key=_KEY,
            answer=list[Image],
            example=[examples.IMAGE],
            cached=True,
            problems=(problems.NOT_FOUND,),
        ),
        Operation(
            method="GET",
            path="/api/images/{id}/file",
            summary="Get image file",
            key=_IMAGE,
            download=Download(_SORTS, "The picture; an SVG as an attachment."),
            problems=(problems.NOT_FOUND,),
        ),
        Operation(
            method="DELETE",
            path="/api/images/{id}",
            summary="Delete image",
            key=_IMAGE,
            query=(possible("force", bool, "Even if several tasks show it."),),
            problems=(problems.NOT_FOUND, problems.IMAGE_IN_USE),
        ),
    ),
)
