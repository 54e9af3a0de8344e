"""The structured conversation: what an agent said and did, in the words of the API.

A run has tens of thousands of these, and none is part of a circle: the collector need not look at
them, which holds up everybody while it does (`gc=False`).
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType

# ---------------------------------------------------------------- what a tool does


class FileChangeWrite(Struct, frozen=True, gc=False, kw_only=True, tag="write", tag_field="action"):
    content: str


class FileChangeDelete(
    Struct, frozen=True, gc=False, kw_only=True, tag="delete", tag_field="action"
):
    pass


class FileChangeRename(
    Struct, frozen=True, gc=False, kw_only=True, tag="rename", tag_field="action"
):
    new_path: str


class FileChangeEdit(Struct, frozen=True, gc=False, kw_only=True, tag="edit", tag_field="action"):
    unified_diff: str
    has_line_numbers: bool = False


FileChange = FileChangeWrite | FileChangeDelete | FileChangeRename | FileChangeEdit


class ExitCode(Struct, frozen=True, gc=False, kw_only=True, tag="exit_code", tag_field="type"):
    code: int


class Success(Struct, frozen=True, gc=False, kw_only=True, tag="success", tag_field="type"):
    success: bool


class CommandRunResult(Struct, frozen=True, gc=False, kw_only=True):
    exit_status: ExitCode | Success | None = None
    output: str | None = None


class Markdown(Struct, frozen=True, gc=False, tag="markdown", tag_field="type"):
    pass


class Json(Struct, frozen=True, gc=False, tag="json", tag_field="type"):
    pass


class ToolResult(Struct, frozen=True, gc=False, kw_only=True):
    type: Markdown | Json
    value: Any


class TodoItem(Struct, frozen=True, gc=False, kw_only=True):
    content: str
    status: str
    priority: str | None = None


class FileRead(Struct, frozen=True, gc=False, kw_only=True, tag="file_read", tag_field="action"):
    path: str


class FileEdit(Struct, frozen=True, gc=False, kw_only=True, tag="file_edit", tag_field="action"):
    path: str
    changes: list[FileChange]


class CommandRun(
    Struct, frozen=True, gc=False, kw_only=True, tag="command_run", tag_field="action"
):
    command: str
    result: CommandRunResult | None = None


class Search(Struct, frozen=True, gc=False, kw_only=True, tag="search", tag_field="action"):
    query: str


class WebFetch(Struct, frozen=True, gc=False, kw_only=True, tag="web_fetch", tag_field="action"):
    url: str


class Tool(Struct, frozen=True, gc=False, kw_only=True, tag="tool", tag_field="action"):
    tool_name: str
    arguments: Any = None
    result: ToolResult | None = None


class TaskCreate(
    Struct, frozen=True, gc=False, kw_only=True, tag="task_create", tag_field="action"
):
    description: str


class PlanPresentation(
    Struct, frozen=True, gc=False, kw_only=True, tag="plan_presentation", tag_field="action"
):
    plan: str


class TodoManagement(
    Struct, frozen=True, gc=False, kw_only=True, tag="todo_management", tag_field="action"
):
    todos: list[TodoItem]
    operation: str = "write"


class Other(Struct, frozen=True, gc=False, kw_only=True, tag="other", tag_field="action"):
    description: str


Action = (
    FileRead
    | FileEdit
    | CommandRun
    | Search
    | WebFetch
    | Tool
    | TaskCreate
    | PlanPresentation
    | TodoManagement
    | Other
)

# ---------------------------------------------------------------- how far it has come


class Created(Struct, frozen=True, gc=False, tag="created", tag_field="status"):
    """Announced or running."""


class Succeeded(Struct, frozen=True, gc=False, tag="success", tag_field="status"):
    pass


class Failed(Struct, frozen=True, gc=False, tag="failed", tag_field="status"):
    pass


class Denied(Struct, frozen=True, gc=False, kw_only=True, tag="denied", tag_field="status"):
    reason: str | None = None


class PendingApproval(
    Struct, frozen=True, gc=False, kw_only=True, tag="pending_approval", tag_field="status"
):
    approval_id: str
    requested_at: str
    timeout_at: str


class StatusTimedOut(Struct, frozen=True, gc=False, tag="timed_out", tag_field="status"):
    pass


ToolStatus = Created | Succeeded | Failed | Denied | PendingApproval | StatusTimedOut

# ---------------------------------------------------------------- entries


class UserMessage(Struct, frozen=True, gc=False, tag="user_message", tag_field="type"):
    pass


class UserFeedback(
    Struct, frozen=True, gc=False, kw_only=True, tag="user_feedback", tag_field="type"
):
    denied_tool: str


class AssistantMessage(Struct, frozen=True, gc=False, tag="assistant_message", tag_field="type"):
    pass


class ToolUse(Struct, frozen=True, gc=False, kw_only=True, tag="tool_use", tag_field="type"):
    tool_name: str
    action_type: Action
    status: ToolStatus = Created()


class SystemMessage(Struct, frozen=True, gc=False, tag="system_message", tag_field="type"):
    pass


class SetupRequired(Struct, frozen=True, gc=False, tag="setup_required", tag_field="type"):
    pass


class OtherError(Struct, frozen=True, gc=False, tag="other", tag_field="type"):
    pass


class ErrorMessage(
    Struct, frozen=True, gc=False, kw_only=True, tag="error_message", tag_field="type"
):
    error_type: SetupRequired | OtherError = OtherError()


class Thinking(Struct, frozen=True, gc=False, tag="thinking", tag_field="type"):
    pass


class TokenUsage(Struct, frozen=True, gc=False, kw_only=True, tag="token_usage", tag_field="type"):
    """Tokens of one run so far; `cost_usd` only if the agent tells it."""

    model: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float | None = None


EntryType = (
    UserMessage
    | UserFeedback
    | AssistantMessage
    | ToolUse
    | SystemMessage
    | ErrorMessage
    | Thinking
    | TokenUsage
)


class NormalizedEntry(Struct, frozen=True, gc=False, kw_only=True):
    """One entry of the conversation.

    Args:
        entry_type: what it is.
        content: the text a person reads.
        timestamp: when it first appeared; filled in by the conversation.
        metadata: `{"tool_call_id": …}` for tools, else null.
        parent: for what a sub-agent says and does, the `tool_call_id` in the metadata of the tool
            entry that started it (additive). A dialogue names that entry by its key instead.
    """

    entry_type: EntryType
    content: str
    timestamp: str | None = None
    metadata: Any = None
    parent: str | UnsetType = UNSET
