"""Summaries of attempts: one line each, for lists in a terminal."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from anyond.model.rows import TaskStatus


class AttemptState(StrEnum):
    """The state of an attempt, in one word for people.

    `question`: the agent waits for an answer. `running`: something is at work. `failed`, `stopped`:
    how the last run ended. `merged`: its work is in the target branch. `finished`: the last run
    ended well. `new`: nothing has run yet.
    """

    QUESTION = "question"
    RUNNING = "running"
    FAILED = "failed"
    STOPPED = "stopped"
    MERGED = "merged"
    FINISHED = "finished"
    NEW = "new"


class AttemptSummary(Struct, frozen=True, kw_only=True):
    """An attempt with what people know it by.

    Args:
        number: counts all attempts of this data directory; it is never given twice.
        title: of its task.
        since: when it came into its state.
        last_message: the beginning of what the agent said last; None if it said nothing yet.
        questions: how many wait for an answer.
        archived: whether it, or its task, was put away.
        unseen: whether a run has ended, or a question was asked, since a person looked.
        cost_usd: of its runs that are over, as far as agents told it; None if none did.
        tokens: in and out, of the same.
    """

    number: int
    id: str
    task_id: str
    project_id: str
    project_name: str
    title: str
    task_status: TaskStatus
    state: AttemptState
    since: str
    executor: str
    branch: str
    target_branch: str
    container_ref: str | None
    worktree_deleted: bool
    last_message: str | None
    questions: int
    created_at: str
    archived: bool = False
    unseen: bool = False
    cost_usd: float | None = None
    tokens: int | None = None
