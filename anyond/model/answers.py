"""What requests answer that is no record: kept nowhere, made for the one who asked."""

from __future__ import annotations

from msgspec import Struct

from anyond.model.rows import Task, TaskAttempt


class Replaced(Struct, frozen=True, kw_only=True):
    """What became of a process that was replaced.

    Args:
        deleted_count: how many processes were dropped; their logs can still be read.
        git_reset_needed: whether the worktree was not as the process had found it.
        git_reset_applied: whether it is now.
        target_before_oid: the commit that the process had found, if that is known.
        new_execution_id: the process that runs instead.
    """

    deleted_count: int
    git_reset_needed: bool
    git_reset_applied: bool
    target_before_oid: str | None
    new_execution_id: str


class CommitInfo(Struct, frozen=True, kw_only=True):
    sha: str
    subject: str


class CommitComparison(Struct, frozen=True, kw_only=True):
    """How a commit relates to the one that is checked out.

    Args:
        ahead_from_head: the commits that only the given one has.
        behind_from_head: the commits that only HEAD has.
        is_linear: whether one of the two contains the other.
    """

    head_oid: str
    target_oid: str
    ahead_from_head: int
    behind_from_head: int
    is_linear: bool


class TargetChanged(Struct, frozen=True, kw_only=True):
    """`status` is how many commits the attempt has that its target lacks, and the reverse."""

    new_target_branch: str
    status: tuple[int, int]


class Renamed(Struct, frozen=True, kw_only=True):
    branch: str


class EditorOpened(Struct, frozen=True, kw_only=True):
    """`url` opens a remote editor; None: the editor was started on this machine."""

    url: str | None


class Relations(Struct, frozen=True, kw_only=True):
    """The tasks around an attempt: the one that its task grew from, and those that grew from it."""

    parent_task: Task | None
    current_attempt: TaskAttempt
    children: list[Task]


class Availability(Struct, frozen=True, kw_only=True):
    """Whether an agent can be started on this machine, in its default variant.

    Args:
        available: its program is there.
        path: where.
        version: as the program tells it; None while that is not known.
        problem: one sentence if it is not there, or does not tell its version.
    """

    available: bool
    path: str | None = None
    version: str | None = None
    problem: str | None = None
