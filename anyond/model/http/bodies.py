"""The bodies of requests, as they are decoded: what clients may ask for."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct

from anyond.model.configuration.project_settings import ProjectSettings
from anyond.model.configuration.settings import EditorType, ExecutorProfileId
from anyond.model.fields import Id, IdOrEmpty, Line, Prompt, Prose
from anyond.model.http.rules import ApprovalScope, RuleMatch
from anyond.model.rows import ApprovalStatus, TaskStatus


class MergeStrategy(StrEnum):
    MERGE = "merge"
    SQUASH = "squash"
    REBASE = "rebase"


class NewTask(Struct, frozen=True, kw_only=True):
    """Body of a task's creation."""

    project_id: Id
    title: Line
    description: Prose | None = None
    parent_task_attempt: IdOrEmpty | None = None
    image_ids: list[Id] | None = None


class TaskPatch(Struct, frozen=True, kw_only=True):
    """Body of a task's update; what is absent or null is kept, "" clears."""

    title: Line | None = None
    description: Prose | None = None
    status: TaskStatus | None = None
    parent_task_attempt: IdOrEmpty | None = None
    image_ids: list[Id] | None = None


class CreateAndStart(Struct, frozen=True, kw_only=True):
    """Body of a task's creation together with its first attempt."""

    task: NewTask
    executor_profile_id: ExecutorProfileId
    base_branch: Line


class NewProject(ProjectSettings, frozen=True, kw_only=True):
    name: Line
    git_repo_path: Line
    use_existing_repo: bool


class AcceptGitPrograms(Struct, frozen=True, kw_only=True):
    """The programs that git may run from now on.

    Args:
        digest: of what the person has seen; if there is something else by now, it is refused.
        always: whether all that runs change from now on is accepted, too; None leaves that.
    """

    digest: Line | None = None
    always: bool | None = None


class ProjectPatch(ProjectSettings, frozen=True, kw_only=True):
    """Body of a project's update; what is absent or null is kept, "" clears.

    `environment` is replaced as a whole; {} clears it.
    """

    name: Line | None = None
    git_repo_path: Line | None = None


class NewTag(Struct, frozen=True, kw_only=True):
    tag_name: Line
    content: Prose


class TagPatch(Struct, frozen=True, kw_only=True):
    """Body of a tag's update; what is absent or null is kept, an empty content clears."""

    tag_name: Line | None = None
    content: Prose | None = None


class ApprovalAnswer(Struct, frozen=True, kw_only=True):
    """The decision of a person. `answers` (question -> answer) is for questions of an agent.

    Args:
        scope: how far a yes reaches; null is `once`.
        match: what it reaches; null is `same` for a command, else `tool`.
    """

    status: ApprovalStatus
    reason: Prose | None = None
    answers: dict[str, Any] | None = None
    scope: ApprovalScope | None = None
    match: RuleMatch | None = None


class Answer(Struct, frozen=True, kw_only=True):
    """Body of an answer to a question; what else clients send with it is not needed."""

    status: ApprovalAnswer


class NewAttempt(Struct, frozen=True, kw_only=True):
    """Body of an attempt's creation."""

    task_id: Id
    executor_profile_id: ExecutorProfileId
    base_branch: Line


class FollowUp(Struct, frozen=True, kw_only=True):
    """Body of a follow-up, and of a retry when `retry_process_id` is set.

    Args:
        steer: say it into the turn that runs, if one does.
    """

    prompt: Prompt
    variant: str | None = None
    image_ids: list[Id] | None = None
    retry_process_id: Id | None = None
    force_when_dirty: bool | None = None
    perform_git_reset: bool | None = None
    steer: bool | None = None


class Merging(Struct, frozen=True, kw_only=True):
    """Body of a merge, which may be left out."""

    strategy: MergeStrategy | None = None


class Pushing(Struct, frozen=True, kw_only=True):
    """Body of a push, which may be left out."""

    force: bool | None = None


class NewPullRequest(Struct, frozen=True, kw_only=True):
    """Body of a pull request's creation; without a target branch it is the attempt's."""

    title: Line
    body: Prose | None = None
    target_branch: str | None = None


class Replacing(Struct, frozen=True, kw_only=True):
    """Body of the replacement of a process, and of all that followed it, by a new run."""

    process_id: Id
    prompt: Prompt
    variant: str | None = None
    force_when_dirty: bool | None = None
    perform_git_reset: bool | None = None


class AgentSetup(Struct, frozen=True, kw_only=True):
    """Body of the wish to have an agent set up."""

    executor_profile_id: ExecutorProfileId


class Rebasing(Struct, frozen=True, kw_only=True):
    """Body of a rebase; both bases are the target branch unless they are named."""

    old_base_branch: Line | None = None
    new_base_branch: Line | None = None


class NewTarget(Struct, frozen=True, kw_only=True):
    new_target_branch: Line


class NewBranchName(Struct, frozen=True, kw_only=True):
    new_branch_name: Line


class OpenEditor(Struct, frozen=True, kw_only=True):
    """Body of the wish to see something in an editor.

    Args:
        editor_type: instead of the one in the settings.
        file_path: in the worktree of an attempt, relative to it.
    """

    editor_type: EditorType | None = None
    file_path: str | None = None


class McpServers(Struct, frozen=True, kw_only=True):
    """Body of an update of an agent's MCP servers: all of them, by their names."""

    servers: dict[str, Any]
