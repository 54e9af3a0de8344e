"""The records that live in the database and are sent to clients as they are."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from anyond.model.configuration.project_settings import (
    CleanupScript,
    CopyFiles,
    DevScript,
    Environment,
    KeepServices,
    SetupScript,
)
from anyond.model.configuration.settings import ExecutorProfileId


class TaskStatus(StrEnum):
    TODO = "todo"
    IN_PROGRESS = "inprogress"
    IN_REVIEW = "inreview"
    DONE = "done"
    CANCELLED = "cancelled"


class RunReason(StrEnum):
    SETUP_SCRIPT = "setupscript"
    CLEANUP_SCRIPT = "cleanupscript"
    CODING_AGENT = "codingagent"
    DEV_SERVER = "devserver"


class ProcessStatus(StrEnum):
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    KILLED = "killed"


class ApprovalStatus(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    TIMED_OUT = "timed_out"


class ScriptContext(StrEnum):
    SETUP = "SetupScript"
    CLEANUP = "CleanupScript"
    DEV_SERVER = "DevServer"


class Project(Struct, frozen=True, kw_only=True):
    """A repository that a person has handed over, or a directory in one.

    Args:
        git_repo_path: that directory, where agents and scripts start.
        subdirectory: the directory relative to the top of the repository; empty for the top.
    """

    id: str
    name: str
    git_repo_path: str
    setup_script: SetupScript = None
    dev_script: DevScript = None
    cleanup_script: CleanupScript = None
    copy_files: CopyFiles = None
    environment: Environment = field(default_factory=dict)
    keep_services: KeepServices = True
    created_at: str
    updated_at: str
    subdirectory: str = ""

    @property
    def repository(self) -> Path:
        """The top of the main checkout, or wherever the person has the repository."""
        depth = len(Path(self.subdirectory).parts)
        path = Path(self.git_repo_path)
        return path.parents[depth - 1] if depth else path


class Task(Struct, frozen=True, kw_only=True):
    id: str
    project_id: str
    title: str
    description: str | None
    status: TaskStatus
    parent_task_attempt: str | None
    created_at: str
    updated_at: str


class TaskWithAttemptStatus(Task, frozen=True, kw_only=True):
    """A task and what its attempts say about it."""

    has_in_progress_attempt: bool
    has_merged_attempt: bool
    last_attempt_failed: bool
    executor: str


class TaskAttempt(Struct, frozen=True, kw_only=True):
    id: str
    task_id: str
    container_ref: str | None
    branch: str
    target_branch: str
    executor: str
    worktree_deleted: bool
    setup_completed_at: str | None
    created_at: str
    updated_at: str
    git_programs_withheld: bool = False
    """A run has changed what git runs, and nobody has accepted that: hooks and filters are off."""


class Tag(Struct, frozen=True, kw_only=True):
    """A text with a name; `@tag_name` in a prompt stands for its content."""

    id: str
    tag_name: str
    content: str
    created_at: str
    updated_at: str


class Image(Struct, frozen=True, kw_only=True):
    """A picture that a person has uploaded, once for all tasks that show it.

    Args:
        file_path: where it lies in a worktree, relative to it.
        original_name: what the person called it.
        hash: `sha256:` and the hash of its bytes in hexadecimal.
    """

    id: str
    file_path: str
    original_name: str
    mime_type: str
    size_bytes: int
    hash: str
    created_at: str
    updated_at: str


class CodingAgentInitialRequest(Struct, frozen=True, kw_only=True, tag=True, tag_field="type"):
    prompt: str
    executor_profile_id: ExecutorProfileId


class CodingAgentFollowUpRequest(Struct, frozen=True, kw_only=True, tag=True, tag_field="type"):
    prompt: str
    session_id: str
    executor_profile_id: ExecutorProfileId


class ScriptRequest(Struct, frozen=True, kw_only=True, tag=True, tag_field="type"):
    script: str
    language: str = "Bash"
    context: ScriptContext
    services_of: str | None = None
    """The id of the process of a setup script: this is what it has left running."""


ActionType = CodingAgentInitialRequest | CodingAgentFollowUpRequest | ScriptRequest


class ExecutorAction(Struct, frozen=True, kw_only=True):
    """One link of a chain, and the links that follow it if it succeeds."""

    typ: ActionType
    next_action: ExecutorAction | None = None


class ExecutionProcess(Struct, frozen=True, kw_only=True):
    id: str
    task_attempt_id: str
    run_reason: RunReason
    executor_action: ExecutorAction
    before_head_commit: str | None
    after_head_commit: str | None
    status: ProcessStatus
    exit_code: int | None
    dropped: bool
    started_at: str
    completed_at: str | None
    created_at: str
    updated_at: str


class Session(Struct, frozen=True, kw_only=True):
    """The facts that an agent's run left behind for the next one. One row per coding-agent
    process.
    """

    execution_process_id: str
    task_attempt_id: str
    session_id: str | None
    prompt: str
    summary: str | None


class Approval(Struct, frozen=True, kw_only=True):
    """A question of an agent, and what became of it."""

    id: str
    execution_process_id: str
    task_attempt_id: str
    call: str
    tool_name: str
    tool_input: Any
    status: ApprovalStatus
    reason: str | None = None
    answers: dict[str, Any] | None = None
    created_at: str
    timeout_at: str
    responded_at: str | None = None


class DirectMerge(Struct, frozen=True, kw_only=True, tag="direct", tag_field="type"):
    id: str
    task_attempt_id: str
    merge_commit: str
    target_branch_name: str
    created_at: str


class PullRequestInfo(Struct, frozen=True, kw_only=True):
    number: int
    url: str
    status: str
    merged_at: str | None
    merge_commit_sha: str | None


class PullRequestMerge(Struct, frozen=True, kw_only=True, tag="pr", tag_field="type"):
    id: str
    task_attempt_id: str
    created_at: str
    target_branch_name: str
    pr_info: PullRequestInfo


Merge = DirectMerge | PullRequestMerge


class AttachedPullRequest(Struct, frozen=True, kw_only=True):
    """The pull request of an attempt, and whether it has one."""

    pr_attached: bool
    pr_url: str | None = None
    pr_number: int | None = None
    pr_status: str | None = None


class Branch(Struct, frozen=True, kw_only=True):
    name: str
    is_current: bool
    is_remote: bool
    last_commit_date: str


class BranchStatus(Struct, frozen=True, kw_only=True):
    """The status of an attempt compared with its target.

    Args:
        unknown: the fields that could not be found out, each with the reason; they say 0, false or
            null, which means nothing then.
    """

    commits_ahead: int
    commits_behind: int
    has_uncommitted_changes: bool
    head_oid: str | None
    uncommitted_count: int
    untracked_count: int
    target_branch_name: str
    remote_commits_ahead: int = 0
    remote_commits_behind: int = 0
    merges: list[Merge] = field(default_factory=list)
    is_rebase_in_progress: bool = False
    conflict_op: str | None = None
    conflicted_files: list[str] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)


class Diff(Struct, frozen=True, kw_only=True, rename="camel"):
    """One file's difference between the merge base and the working tree."""

    change: str
    old_path: str | None
    new_path: str | None
    old_content: str | None = None
    new_content: str | None = None
    content_omitted: bool = False
    additions: int | None = None
    deletions: int | None = None

    @property
    def path(self) -> str:
        """The name that the file is known by."""
        return self.new_path or self.old_path or ""


class Change(Struct, frozen=True, kw_only=True):
    """A committed fact about a record; `position` orders all facts of this data directory.

    `data` is the record's encoded JSON, ready to be sent.
    """

    position: int
    kind: str
    data: bytes
    project_id: str | None = None
    attempt_id: str | None = None
    key: str | None = None
    dropped: bool = False
