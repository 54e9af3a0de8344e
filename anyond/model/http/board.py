"""Tasks as the board has them: their places and labels, and what to do to many at once."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct, field

from anyond.model.configuration.settings import ExecutorProfileId
from anyond.model.fields import Id, Line
from anyond.model.rows import TaskStatus, TaskWithAttemptStatus

MOST_LABELS = 20
MOST_AT_ONCE = 1_000
"""So many tasks can be named in one request."""

Rank = Annotated[
    str,
    Meta(
        pattern=r"^[0-9A-Za-z]{0,64}$(?!\n)",
        description="The order within a column: compared as text. Between two there is always room"
        ' for another. "" is that nobody has put it anywhere: these come first, the newest first.',
    ),
]
Label = Annotated[Line, Meta(max_length=100)]
Labels = Annotated[list[Label], Meta(max_length=MOST_LABELS)]


class Priority(StrEnum):
    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"


class BoardTask(TaskWithAttemptStatus, frozen=True, kw_only=True):
    """A task with its place on the board.

    Args:
        archived_at: when a person has put it away; None if it is not.
        questions: how many questions of its agents wait for an answer.
        unseen: whether a run has ended, or a question was asked, since a person looked.
    """

    rank: Rank = ""
    priority: Priority = Priority.NONE
    labels: list[str] = field(default_factory=list)
    archived_at: str | None = None
    questions: int = 0
    unseen: bool = False


class Placing(Struct, frozen=True, kw_only=True):
    """Body of a change of a task's place; what is absent or null is kept.

    Args:
        rank: "" takes it out of the order by hand.
        labels: all of them; [] clears.
    """

    status: TaskStatus | None = None
    rank: Rank | None = None
    priority: Priority | None = None
    labels: Labels | None = None
    archived: bool | None = None


class Archiving(Struct, frozen=True, kw_only=True):
    """Body of putting something away, or taking it back.

    Args:
        archived: null is as true.
    """

    archived: bool | None = None


class PlacingMany(Struct, frozen=True, kw_only=True):
    """A change of the places of many tasks; what is absent or null is kept."""

    status: TaskStatus | None = None
    priority: Priority | None = None
    archived: bool | None = None
    add_labels: Labels | None = None
    remove_labels: Labels | None = None


class StartingMany(Struct, frozen=True, kw_only=True):
    """A new attempt at each of many tasks."""

    executor_profile_id: ExecutorProfileId
    base_branch: Line


class Bulk(Struct, frozen=True, kw_only=True):
    """Body of one action for many tasks: `place`, `start` or `stop`.

    Args:
        stop: stop all that runs in their attempts.
    """

    task_ids: Annotated[list[Id], Meta(min_length=1, max_length=MOST_AT_ONCE)]
    place: PlacingMany | None = None
    start: StartingMany | None = None
    stop: bool | None = None


class BulkRefusal(Struct, frozen=True, kw_only=True):
    """The refusal that one task would have got alone."""

    status: int
    type: str | None
    message: str


class BulkOutcome(Struct, frozen=True, kw_only=True):
    """The outcome for one task.

    Args:
        task: as it is now; None if it is not there.
        attempt_ids: the attempts that were stopped or started.
        refusal: why nothing was done; None if it was.
    """

    task_id: str
    task: BoardTask | None
    attempt_ids: list[str] = []
    refusal: BulkRefusal | None = None


class Seen(Struct, frozen=True, kw_only=True):
    """Up to where a person has seen an attempt.

    Args:
        position: of the change log, as streams have it in `seq` and events in `id`.
        moved: the position of the last thing that concerns a person: the end of a run, a question.
        unseen: whether that came after what was seen.
    """

    task_attempt_id: str
    position: int
    moved: int
    unseen: bool


class Seeing(Struct, frozen=True, kw_only=True):
    """Body of having seen an attempt.

    Args:
        position: what was on the screen was that of this position; null is now. It only moves
            forward.
        unseen: mark it as not seen, whatever was seen before.
    """

    position: Annotated[int, Meta(ge=0)] | None = None
    unseen: bool | None = None


class AttemptPlace(Struct, frozen=True, kw_only=True):
    """An attempt that was put away, or taken back."""

    task_attempt_id: str
    archived_at: str | None
