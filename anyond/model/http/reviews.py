"""Reviews: comments of a person that collect, and go to the agent as one message."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from anyond.model.fields import Line, Prompt, Prose

Number = Annotated[int, Meta(ge=1, le=100_000_000)]


class Side(StrEnum):
    """The state whose lines are meant: as they were, or as they are."""

    OLD = "old"
    NEW = "new"


class SubmittedAs(StrEnum):
    """The way to the agent: at once, when it is free, or into the turn that runs."""

    MESSAGE = "message"
    QUEUE = "queue"
    STEER = "steer"


class CommentState(StrEnum):
    """The state of a comment.

    `open`: not sent yet. `untouched`: the lines that it is about are there as they were. `changed`:
    they are not any more. `sent`: it is about no lines.
    """

    OPEN = "open"
    SENT = "sent"
    UNTOUCHED = "untouched"
    CHANGED = "changed"


class ReviewComment(Struct, frozen=True, kw_only=True):
    """One comment.

    Args:
        path: of the file; "" if it is about none.
        start_line, end_line: the first and the last line, from 1; None if it is about the file.
        lines: their text, so that it is known which were meant.
        anchor: the commit that was looked at; None if nobody said.
    """

    id: str
    review_id: str
    path: str
    side: Side
    start_line: int | None
    end_line: int | None
    lines: str
    anchor: str | None
    body: str
    state: CommentState
    created_at: str
    updated_at: str


class Review(Struct, frozen=True, kw_only=True):
    """Comments that belong together; an attempt has one at most that was not submitted."""

    id: str
    task_attempt_id: str
    created_at: str
    submitted_at: str | None
    submitted_as: SubmittedAs | None
    comments: list[ReviewComment]


class NewComment(Struct, frozen=True, kw_only=True):
    """Body of a comment; see `ReviewComment`."""

    body: Prompt
    path: Prose | None = None
    side: Side | None = None
    start_line: Number | None = None
    end_line: Number | None = None
    lines: Prose | None = None
    anchor: Line | None = None


class CommentPatch(Struct, frozen=True, kw_only=True):
    """Body of a comment's update."""

    body: Prompt


class Submission(Struct, frozen=True, kw_only=True):
    """Body of a review's submission.

    Args:
        submit_as: null is `message`.
        text: what is said before the comments.
    """

    submit_as: SubmittedAs | None = None
    text: Prose | None = None


class SeenFile(Struct, frozen=True, kw_only=True):
    """A file that was marked as seen, in the `version` that the list of changed files had then.

    With another version there, it is unseen again.
    """

    path: str
    version: str


class SeeingFile(Struct, frozen=True, kw_only=True):
    """Body of marking a file; without a version it is unseen."""

    path: Prompt
    version: Prose | None = None
