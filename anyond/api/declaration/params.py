"""Parameters that many endpoints share: ids in paths, and where and how a stream goes on."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from anyond.api.declaration import samples
from anyond.model.fields import Id

ProjectId = Annotated[Id, Meta(description="The id of the project.", examples=[samples.PROJECT_ID])]
TaskId = Annotated[Id, Meta(description="The id of the task.", examples=[samples.TASK_ID])]
AttemptId = Annotated[Id, Meta(description="The id of the attempt.", examples=[samples.ATTEMPT_ID])]
ProcessId = Annotated[Id, Meta(description="The id of the process.", examples=[samples.PROCESS_ID])]
ApprovalId = Annotated[
    Id, Meta(description="The id of the approval.", examples=[samples.APPROVAL_ID])
]
TagId = Annotated[Id, Meta(description="The id of the tag.", examples=[samples.TAG_ID])]
ImageId = Annotated[Id, Meta(description="The id of the image.", examples=[samples.IMAGE_ID])]

After = Annotated[
    int, Meta(description="Go on after this position instead of beginning with a snapshot.")
]
Batch = Annotated[
    bool, Meta(description="Send lists of frames, for clients that take many at once.")
]
Format = Annotated[
    str, Meta(description="The name of another form that this server can write it in.")
]


class Nothing(Struct, frozen=True, kw_only=True):
    """Requests without parameters."""


class Followed(Struct, frozen=True, kw_only=True):
    """Requests for a stream."""

    after: After | None = None
    format: Format = ""


class OfProject(Struct, frozen=True, kw_only=True):
    """Requests for one project, whose id is in the path."""

    project_id: ProjectId = field(name="id")


class OfTask(Struct, frozen=True, kw_only=True):
    """Requests for one task, whose id is in the path."""

    task_id: TaskId


class OfAttempt(Struct, frozen=True, kw_only=True):
    """Requests for one attempt, whose id is in the path."""

    task_attempt_id: AttemptId = field(name="id")


class OfProcess(Struct, frozen=True, kw_only=True):
    """Requests for one execution, whose id is in the path."""

    execution_process_id: ProcessId = field(name="id")
