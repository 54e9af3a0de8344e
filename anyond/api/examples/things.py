"""One of everything, as the examples of the API show it; a story of a tea shop's timer."""

from __future__ import annotations

from anyond.api.declaration import samples
from anyond.model.configuration.settings import Executor, ExecutorProfileId
from anyond.model.drafts import Draft, DraftType
from anyond.model.entries import (
    AssistantMessage,
    CommandRun,
    CommandRunResult,
    ExitCode,
    PendingApproval,
    Succeeded,
    ToolUse,
)
from anyond.model.http.board import BoardTask, Priority
from anyond.model.http.summaries import AttemptState, AttemptSummary
from anyond.model.rows import (
    Approval,
    ApprovalStatus,
    CodingAgentInitialRequest,
    Diff,
    ExecutionProcess,
    ExecutorAction,
    Image,
    ProcessStatus,
    Project,
    PullRequestInfo,
    PullRequestMerge,
    RunReason,
    Tag,
    Task,
    TaskAttempt,
    TaskStatus,
    TaskWithAttemptStatus,
)

DRAFT_ID = "f1e2d3c4-b5a6-5978-8c6d-5e4f3a2b5a08"
MERGE_ID = "6a5b4c3d-2e1f-4098-b7a6-8c9d0e1f5a09"
USER_ID = "0b1c2d3e-4f50-4617-9829-3a4b5c6d5a10"

REPOSITORY = "/home/ada/tea"
BRANCH = "anyon/describe-the-tea-timer-c1d94f3b"
BEFORE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
PULL_REQUEST = "https://github.com/ada/tea/pull/7"

_EARLY = "2025-01-08T09:00:00.000Z"
_LATE = "2025-01-08T09:05:30.250Z"

PROFILE = ExecutorProfileId(executor=Executor.DEMO)

PROJECT = Project(
    id=samples.PROJECT_ID,
    name="Tea",
    git_repo_path=REPOSITORY,
    setup_script="npm install",
    dev_script="npm run dev",
    copy_files=".env",
    environment={"NODE_ENV": "development"},
    created_at=_EARLY,
    updated_at=_EARLY,
)
_PLAIN = Task(
    id=samples.TASK_ID,
    project_id=samples.PROJECT_ID,
    title="Describe the tea timer",
    description="Say in README.md how long each sort takes.",
    status=TaskStatus.IN_PROGRESS,
    parent_task_attempt=None,
    created_at=_EARLY,
    updated_at=_LATE,
)
PLAIN_TASK = _PLAIN
TASK = TaskWithAttemptStatus(
    id=samples.TASK_ID,
    project_id=samples.PROJECT_ID,
    title=_PLAIN.title,
    description=_PLAIN.description,
    status=TaskStatus.IN_PROGRESS,
    parent_task_attempt=None,
    created_at=_EARLY,
    updated_at=_LATE,
    has_in_progress_attempt=True,
    has_merged_attempt=False,
    last_attempt_failed=False,
    executor="DEMO",
)
BOARD_TASK = BoardTask(
    **{name: getattr(TASK, name) for name in TASK.__struct_fields__},
    rank="m",
    priority=Priority.HIGH,
    labels=["docs"],
    unseen=True,
)
ATTEMPT = TaskAttempt(
    id=samples.ATTEMPT_ID,
    task_id=samples.TASK_ID,
    container_ref=samples.WORKTREE,
    branch=BRANCH,
    target_branch="main",
    executor="DEMO",
    worktree_deleted=False,
    setup_completed_at=None,
    created_at=_EARLY,
    updated_at=_EARLY,
)
PROCESS = ExecutionProcess(
    id=samples.PROCESS_ID,
    task_attempt_id=samples.ATTEMPT_ID,
    run_reason=RunReason.CODING_AGENT,
    executor_action=ExecutorAction(
        typ=CodingAgentInitialRequest(
            prompt="Describe the tea timer\n\nSay in README.md how long each sort takes.",
            executor_profile_id=PROFILE,
        )
    ),
    before_head_commit=BEFORE,
    after_head_commit=None,
    status=ProcessStatus.RUNNING,
    exit_code=None,
    dropped=False,
    started_at=_EARLY,
    completed_at=None,
    created_at=_EARLY,
    updated_at=_EARLY,
)
APPROVAL = Approval(
    id=samples.APPROVAL_ID,
    execution_process_id=samples.PROCESS_ID,
    task_attempt_id=samples.ATTEMPT_ID,
    call="call-1",
    tool_name="Bash",
    tool_input={"command": "npm test"},
    status=ApprovalStatus.PENDING,
    created_at=_EARLY,
    timeout_at="2025-01-08T10:00:00.000Z",
)
TAG = Tag(
    id=samples.TAG_ID,
    tag_name="tests",
    content="Write tests first, and run them.",
    created_at=_EARLY,
    updated_at=_EARLY,
)
IMAGE = Image(
    id=samples.IMAGE_ID,
    file_path=".vibe/images/3a7bd3e2360a3d29eea436fcfb7e44c7.png",
    original_name="screenshot.png",
    mime_type="image/png",
    size_bytes=12_345,
    hash="sha256:3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b",
    created_at=_EARLY,
    updated_at=_EARLY,
)
SUMMARY = AttemptSummary(
    number=7,
    id=samples.ATTEMPT_ID,
    task_id=samples.TASK_ID,
    project_id=samples.PROJECT_ID,
    project_name=PROJECT.name,
    title=PLAIN_TASK.title,
    task_status=PLAIN_TASK.status,
    state=AttemptState.FINISHED,
    since=ATTEMPT.updated_at,
    executor=ATTEMPT.executor,
    branch=ATTEMPT.branch,
    target_branch=ATTEMPT.target_branch,
    container_ref=ATTEMPT.container_ref,
    worktree_deleted=False,
    last_message="The timer is described in README.md.",
    questions=0,
    created_at=ATTEMPT.created_at,
)
DRAFT = Draft(
    id=DRAFT_ID,
    task_attempt_id=samples.ATTEMPT_ID,
    draft_type=DraftType.FOLLOW_UP,
    prompt="Mention the price.",
    version=1,
    created_at=_EARLY,
    updated_at=_LATE,
)
PR_MERGE = PullRequestMerge(
    id=MERGE_ID,
    task_attempt_id=samples.ATTEMPT_ID,
    created_at=_LATE,
    target_branch_name="main",
    pr_info=PullRequestInfo(
        number=7, url=PULL_REQUEST, status="open", merged_at=None, merge_commit_sha=None
    ),
)
DIFF = Diff(
    change="modified",
    old_path="README.md",
    new_path="README.md",
    old_content="Tea\n",
    new_content="Tea\n\nGreen tea takes two minutes.\n",
    additions=2,
    deletions=0,
)
MESSAGE = AssistantMessage()
RAN = ToolUse(
    tool_name="Bash",
    action_type=CommandRun(
        command="npm test",
        result=CommandRunResult(exit_status=ExitCode(code=0), output="12 passing"),
    ),
    status=Succeeded(),
)
ASKS = ToolUse(
    tool_name="Bash",
    action_type=CommandRun(command="npm test"),
    status=PendingApproval(
        approval_id=samples.APPROVAL_ID, requested_at=_EARLY, timeout_at=APPROVAL.timeout_at
    ),
)
MOMENT = _EARLY
