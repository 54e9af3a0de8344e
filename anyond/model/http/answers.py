"""Answers to requests that are no records: stored nowhere, made for the one who asked."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from anyond.model.configuration.settings import Config, Executor, Variant
from anyond.model.http.offers import Choice
from anyond.model.rows import ApprovalStatus, Task, TaskAttempt


class Health(Struct, frozen=True, kw_only=True):
    """`status` is `ok` of a daemon that can answer at all."""

    status: str


class Environment(Struct, frozen=True, kw_only=True):
    """The machine the daemon runs on."""

    os_type: str
    os_version: str
    os_architecture: str
    bitness: str


TaggedVariant = dict[Executor, Variant]
"""The options of one variant under the name of its agent, as profiles are written down."""

Variants = dict[str, TaggedVariant]
"""All variants of one agent, by their names."""


class Capability(StrEnum):
    """An ability of an agent besides a first turn; STEER is ours to add."""

    SESSION_FORK = "SESSION_FORK"
    SETUP_HELPER = "SETUP_HELPER"
    STEER = "STEER"


class Availability(Struct, frozen=True, kw_only=True):
    """The availability of an agent on this machine, in its default variant.

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


class AcpAgent(Struct, frozen=True, kw_only=True):
    """An agent of the Agent Client Protocol that the executor ACP knows by its name.

    Args:
        id: the value of the option `agent` of a variant.
        available: its program is in the PATH of the daemon.
        path: where.
        command: what is started.
        install: one sentence that tells how to get it.
        website: where its makers tell about it; "" if that is not known.
        modes: that it has said it offers when it was at work last, for the option `mode`.
        models: the same for the option `model`.
        more: how many it offers besides.
    """

    id: Annotated[str, Meta(min_length=1)]
    name: str
    available: bool
    path: str | None
    command: Sequence[str]
    install: str
    website: str
    modes: Sequence[Choice] = ()
    models: Sequence[Choice] = ()
    more: int = 0


class UserSystemInfo(Struct, frozen=True, kw_only=True):
    """The facts that a client needs before anything else.

    Args:
        config: the settings; secrets in it are masked. Unknown keys of the file are shown too.
        analytics_user_id: random, stable, and never sent anywhere by the daemon.
        executors: all variants of all agents, by their names.
        capabilities: what each agent can do besides a first turn.
        availability: which of the agents are on this machine.
        acp_agents: those that the executor ACP can start by their names, sorted by these.
    """

    config: Config
    analytics_user_id: str
    executors: dict[Executor, Variants]
    environment: Environment
    capabilities: dict[Executor, list[Capability]]
    availability: dict[Executor, Availability]
    acp_agents: Sequence[AcpAgent]


class VariantForm(Struct, frozen=True, kw_only=True):
    """The options that a variant can have.

    Args:
        form: a JSON schema of them. What can be chosen is in `examples`, with names in `x-choices`;
            any other value is allowed.
        modes: that the agent has said it offers when it was at work last; none if it never was, or
            does not tell.
        models: the same of models.
        more: how many it offers besides.
    """

    executor: Executor
    variant: str
    form: dict[str, Any]
    modes: Sequence[Choice]
    models: Sequence[Choice]
    more: int


class ProfilesContent(Struct, frozen=True, kw_only=True):
    """All profiles as a JSON text for people to edit, and where those that differ are kept."""

    content: str
    path: str


class ExecutorConfigs(Struct, frozen=True, kw_only=True):
    """All variants of all agents; each holds its options under the name of its agent once more."""

    executors: dict[Executor, Variants]


class McpConfig(Struct, frozen=True, kw_only=True):
    """The MCP servers of an agent, and how it keeps them.

    Args:
        servers: by their names, in the agent's own words.
        servers_path: the keys that lead to them in its file.
        template: what a new file of its holds.
        preconfigured: servers to choose from.
        is_toml_config: whether its file is TOML; else it is JSON.
    """

    servers: dict[str, Any]
    servers_path: tuple[str, ...]
    template: dict[str, Any]
    preconfigured: dict[str, Any]
    is_toml_config: bool


class McpServersFound(Struct, frozen=True, kw_only=True):
    """The MCP servers of an agent, and the file in which they are."""

    mcp_config: McpConfig
    config_path: str


class DeviceFlow(Struct, frozen=True, kw_only=True):
    """A sign-in that has begun: the person enters the code at the address.

    Args:
        expires_in: seconds.
        interval: seconds between two questions whether it is done.
    """

    user_code: str
    verification_uri: str
    expires_in: int
    interval: int


class ContainerInfo(Struct, frozen=True, kw_only=True):
    """The owner of a worktree."""

    attempt_id: str
    task_id: str
    project_id: str


class DecisionAnswer(Struct, frozen=True, kw_only=True):
    """The decision on an approval request; `reason` and `answers` only if there are any."""

    status: ApprovalStatus
    reason: str | UnsetType = UNSET
    answers: dict[str, Any] | UnsetType = UNSET


class Replaced(Struct, frozen=True, kw_only=True):
    """The result of replacing a process.

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
    """The relation of a commit to the one that is checked out.

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


class GitProgram(Struct, frozen=True, kw_only=True):
    """Something that decides which programs git runs, and that a run has added or changed.

    Args:
        name: `config <key>`, `hook <path>`, `file <path>` or `info/attributes`.
        value: what the setting says now; None if it is a file.
        hash: of what it is now.
        task_attempt_id: the attempt whose worktree it is in; None if it is in the repository.
    """

    name: str
    value: str | None
    hash: str
    task_attempt_id: str | None = None


class GitPrograms(Struct, frozen=True, kw_only=True):
    """The state of hooks, filters and other programs of a repository: whether git, as Anyon starts
    it, runs them.

    Args:
        withheld: it does not, because a run has changed them and nobody has accepted that.
        always: whatever runs change is accepted.
        digest: of `changes`, to accept just these.
        task_attempt_id: the attempt in whose run the change was noticed.
        since: when.
    """

    withheld: bool
    always: bool
    digest: str
    changes: list[GitProgram] = []
    task_attempt_id: str | None = None
    since: str | None = None


class DirectoryEntry(Struct, frozen=True, kw_only=True):
    """One thing in a directory; `last_modified` is in Unix milliseconds."""

    name: str
    path: str
    is_directory: bool
    is_git_repo: bool
    last_modified: int | None


class Listing(Struct, frozen=True, kw_only=True):
    """The content of a directory; `truncated` says that there is more than this."""

    entries: list[DirectoryEntry]
    current_path: str
    truncated: bool
