"""The values that rows of vibe-kanban become, and the reason why one becomes none."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from anyond.model.configuration.settings import Executor
from anyond.model.rows import (
    ExecutorAction,
    ProcessStatus,
    PullRequestInfo,
    RunReason,
    ScriptRequest,
    TaskStatus,
)


class Unreadable(Exception):
    """The reason why a row is left out: a sentence's end, "its … is …"."""


class OldProject(Struct, frozen=True, kw_only=True):
    key: object
    id: str
    name: str
    path: Path
    setup_script: str | None
    dev_script: str | None
    cleanup_script: str | None
    copy_files: str | None
    created_at: str
    updated_at: str


class OldTask(Struct, frozen=True, kw_only=True):
    key: object
    id: str
    project_id: str
    title: str
    description: str | None
    status: TaskStatus
    parent: str | None
    created_at: str
    updated_at: str


class OldAttempt(Struct, frozen=True, kw_only=True):
    """Args:
    worktree: where it works, if that directory is still a worktree.
    """

    key: object
    id: str
    worktree: str | None
    branch: str
    target_branch: str
    executor: Executor
    worktree_deleted: bool
    setup_completed_at: str | None
    created_at: str
    updated_at: str


class OldProcess(Struct, frozen=True, kw_only=True):
    """Args:
    status: as it is here; what has not ended there is killed, with the log that there is so far.
    session_id: only if the agent itself can resume it.
    """

    key: object
    id: str
    run_reason: RunReason
    action: ExecutorAction
    status: ProcessStatus
    has_ended: bool
    exit_code: int | None
    dropped: bool
    before_head_commit: str | None
    after_head_commit: str | None
    started_at: str
    ended_at: str
    session_id: str | None
    prompt: str
    summary: str | None

    @property
    def executor(self) -> Executor | None:
        """The agent that it is a run of; None for scripts."""
        typ = self.action.typ
        return None if isinstance(typ, ScriptRequest) else typ.executor_profile_id.executor


class OldTag(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    content: str
    created_at: str


class OldMerge(Struct, frozen=True, kw_only=True):
    """Args:
    what: the commit of a merge that was done at once, or the pull request.
    """

    id: str
    target_branch: str
    what: str | PullRequestInfo
    created_at: str
