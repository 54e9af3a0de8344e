"""Results of a search over all that was written, said and done."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from anyond.model.rows import TaskStatus


class FoundKind(StrEnum):
    """The place of a text that was found: `task` is its title or description."""

    TASK = "task"
    MESSAGE = "message"
    COMMAND = "command"
    PATH = "path"


class SearchHit(Struct, frozen=True, kw_only=True):
    """One text that was found.

    Args:
        excerpt: the part of it around what was found.
        ranges: where that is in the excerpt, each from and to, in characters.
        number: of the attempt; None for a task.
        entry: the `index` of the entry in the conversation of its execution.
    """

    kind: FoundKind
    excerpt: str
    ranges: list[tuple[int, int]]
    at: str
    project_id: str
    project_name: str
    task_id: str
    title: str
    task_status: TaskStatus
    task_attempt_id: str | None = None
    number: int | None = None
    executor: str | None = None
    execution_process_id: str | None = None
    entry: int | None = None


class SearchPage(Struct, frozen=True, kw_only=True):
    """Some hits, the newest first.

    Args:
        cursor: sent along, it gives those that come next; None if these were the last.
    """

    hits: list[SearchHit]
    cursor: str | None = None
