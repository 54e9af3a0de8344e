"""Names of the API's types for clients, where our own name is another one."""

from __future__ import annotations

from typing import Any

from anyond.model import drafts, entries, rows
from anyond.model.configuration import settings
from anyond.model.http import answers, bodies, frames, search
from anyond.settings.declared import groups

NAMES: dict[Any, str] = {
    # records
    rows.RunReason: "ExecutionProcessRunReason",
    rows.ProcessStatus: "ExecutionProcessStatus",
    rows.ApprovalStatus: "ApprovalStatusKind",
    rows.PullRequestMerge: "PrMerge",
    rows.Branch: "GitBranch",
    rows.Image: "ImageResponse",
    rows.AttachedPullRequest: "AttachPrResponse",
    # settings
    settings.Executor: "BaseCodingAgent",
    answers.Capability: "BaseAgentCapability",
    settings.Theme: "ThemeMode",
    settings.Language: "UiLanguage",
    settings.Notifications: "NotificationConfig",
    settings.Editor: "EditorConfig",
    settings.GitHub: "GitHubConfig",
    settings.Showcases: "ShowcaseState",
    # bodies
    bodies.NewTask: "CreateTask",
    bodies.TaskPatch: "UpdateTask",
    bodies.CreateAndStart: "CreateAndStartTaskRequest",
    bodies.NewProject: "CreateProject",
    bodies.ProjectPatch: "UpdateProject",
    bodies.NewTag: "CreateTag",
    bodies.TagPatch: "UpdateTag",
    bodies.NewAttempt: "CreateTaskAttemptBody",
    bodies.FollowUp: "CreateFollowUpAttempt",
    bodies.NewPullRequest: "CreateGitHubPrRequest",
    bodies.Replacing: "ReplaceProcessRequest",
    bodies.AgentSetup: "RunAgentSetupRequest",
    bodies.Rebasing: "RebaseTaskAttemptRequest",
    bodies.NewTarget: "ChangeTargetBranchRequest",
    bodies.NewBranchName: "RenameBranchRequest",
    bodies.OpenEditor: "OpenEditorRequest",
    drafts.DraftPatch: "UpdateDraftRequest",
    drafts.QueueWish: "QueueDraftRequest",
    bodies.McpServers: "UpdateMcpServersBody",
    bodies.Answer: "ApprovalResponse",
    bodies.Merging: "MergeTaskAttemptRequest",
    bodies.Pushing: "PushTaskAttemptRequest",
    # answers
    answers.McpServersFound: "GetMcpServerResponse",
    answers.DeviceFlow: "DeviceFlowStartResponse",
    answers.Replaced: "ReplaceProcessResult",
    answers.CommitComparison: "CommitCompareResult",
    answers.TargetChanged: "ChangeTargetBranchResponse",
    answers.Renamed: "RenameBranchResponse",
    answers.EditorOpened: "OpenEditorResponse",
    answers.Relations: "TaskRelationships",
    answers.DecisionAnswer: "ApprovalStatus",
    answers.Listing: "DirectoryListResponse",
    search.MatchType: "SearchMatchType",
    # the conversation
    entries.FileChangeWrite: "WriteChange",
    entries.FileChangeDelete: "DeleteChange",
    entries.FileChangeRename: "RenameChange",
    entries.FileChangeEdit: "EditChange",
    entries.ExitCode: "CommandExitCode",
    entries.Success: "CommandSuccess",
    entries.Markdown: "MarkdownResult",
    entries.Json: "JsonResult",
    entries.FileRead: "FileReadAction",
    entries.FileEdit: "FileEditAction",
    entries.CommandRun: "CommandRunAction",
    entries.Search: "SearchAction",
    entries.WebFetch: "WebFetchAction",
    entries.Tool: "ToolAction",
    entries.TaskCreate: "TaskCreateAction",
    entries.PlanPresentation: "PlanPresentationAction",
    entries.TodoManagement: "TodoManagementAction",
    entries.Other: "OtherAction",
    entries.Created: "CreatedStatus",
    entries.Succeeded: "SuccessStatus",
    entries.Failed: "FailedStatus",
    entries.Denied: "DeniedStatus",
    entries.PendingApproval: "PendingApprovalStatus",
    entries.StatusTimedOut: "TimedOutStatus",
    entries.UserMessage: "UserMessageEntry",
    entries.UserFeedback: "UserFeedbackEntry",
    entries.AssistantMessage: "AssistantMessageEntry",
    entries.ToolUse: "ToolUseEntry",
    entries.SystemMessage: "SystemMessageEntry",
    entries.ErrorMessage: "ErrorMessageEntry",
    entries.Thinking: "ThinkingEntry",
    entries.TokenUsage: "TokenUsageEntry",
    entries.SetupRequired: "SetupRequiredError",
    # frames
    frames.EventsLost: "ResyncEvent",
}
"""Types that are not named here are called as their class is."""

UNIONS: dict[str, Any] = {
    "NormalizedEntryType": entries.EntryType,
    "NormalizedEntryError": entries.SetupRequired | entries.OtherError,
    "ActionType": entries.Action,
    "ToolStatus": entries.ToolStatus,
    "FileChange": entries.FileChange,
    "CommandExitStatus": entries.ExitCode | entries.Success,
    "ToolResultValueType": entries.Markdown | entries.Json,
    "ExecutorActionType": rows.ActionType,
    "Merge": rows.Merge,
}
"""Unions that have a name of their own."""

MAPPINGS: dict[str, Any] = {"ExecutorConfig": answers.Variants}
"""Objects with keys of the person's own that have a name of their own."""

PATCHES = frozenset({settings.Config, *groups(settings.Config)})
"""What requests may name any part of; the rest stays as it is, so there are no defaults."""

ALSO = (entries.NormalizedEntry, frames.Finished)
"""What clients look for, though no answer consists of it."""
