"""The chapter Task Attempts: agents at work on a task, each in a worktree of its own."""

from __future__ import annotations

from types import NoneType
from typing import Annotated

from msgspec import Meta, Struct, field

from anyond.api.declaration import samples
from anyond.api.declaration.endpoint import BodyCall, Call, Chapter, Stream
from anyond.api.declaration.params import AttemptId, Followed, Nothing, OfAttempt, ProjectId
from anyond.api.declaration.refusal_groups import GIT, IN_PROGRESS, JOB
from anyond.model.access import Scope
from anyond.model.fields import Id, Line
from anyond.model.http import frames
from anyond.model.http.answers import (
    CommitComparison,
    CommitInfo,
    EditorOpened,
    Relations,
    Replaced,
)
from anyond.model.http.bodies import AgentSetup, FollowUp, NewAttempt, OpenEditor, Replacing
from anyond.model.http.conversation import ConversationPage
from anyond.model.http.summaries import AttemptSummary
from anyond.model.refusals.requests import Impossible, NotFound, SetupNotSupported
from anyond.model.refusals.runs import Dropped, NoAgent, NoDevScript
from anyond.model.refusals.worktrees import Dirty
from anyond.model.rows import BranchStatus, ExecutionProcess, TaskAttempt

_BACK = (
    NotFound,
    NoAgent,
    Dropped,
    Dirty,
    *IN_PROGRESS,
)


class AttemptsOfTask(Struct, frozen=True, kw_only=True):
    """Requests for all attempts, or those of one task."""

    task_id: (
        Annotated[Id, Meta(description="Only those of this task.", examples=[samples.TASK_ID])]
        | None
    ) = None


class SummarizedAttempts(Struct, frozen=True, kw_only=True):
    """Requests for a list of attempts for people."""

    project_id: ProjectId | None = None
    search: (
        Annotated[
            Line,
            Meta(
                description="Only those that can be meant by it: a number, the beginning of an id,"
                " a branch or its last part, words of a title.",
                examples=["tea timer"],
            ),
        ]
        | None
    ) = None
    closed: Annotated[
        bool, Meta(description="Also what is archived, and of tasks that are done or cancelled.")
    ] = False
    limit: Annotated[
        int, Meta(ge=1, le=10_000, description="At most so many that are not at work.")
    ] = 200


class OfCommit(OfAttempt, frozen=True, kw_only=True):
    """Requests for one commit in the repository of an attempt."""

    sha: Annotated[
        Line, Meta(description="A commit, or any name of one.", examples=[samples.COMMIT])
    ]


MOST_ENTRIES = 1_000
"""The most entries of a part of a conversation."""


class ConversationOf(OfAttempt, frozen=True, kw_only=True):
    """Requests for a part of the conversation of an attempt."""

    tail: Annotated[
        int, Meta(ge=1, le=MOST_ENTRIES, description="So many entries at most, from the end.")
    ] = 200
    before: Annotated[int, Meta(ge=0, description="Only those before this position.")] | None = None


class FollowedDiff(Followed, frozen=True, kw_only=True):
    """Requests for a stream of what an attempt has changed."""

    task_attempt_id: AttemptId = field(name="id")
    stats_only: Annotated[bool, Meta(description="Without contents.")] = False


LIST_TASK_ATTEMPTS = Call(
    method="GET",
    path="/api/task-attempts",
    summary="List task attempts",
    params=AttemptsOfTask,
    answer=list[TaskAttempt],
    cached=True,
    refusals=(NotFound,),
)
GET_TASK_ATTEMPT = Call(
    method="GET",
    path="/api/task-attempts/{id}",
    summary="Get task attempt",
    params=OfAttempt,
    answer=TaskAttempt,
    cached=True,
    refusals=(NotFound,),
)
LIST_ATTEMPT_SUMMARIES = Call(
    method="GET",
    path="/api/attempt-summaries",
    summary="List attempt summaries",
    params=SummarizedAttempts,
    text="For lists in a terminal: what is at work or waits for a person first, then the newest"
    " first.",
    answer=list[AttemptSummary],
    cached=True,
)
GET_CONVERSATION = Call(
    method="GET",
    path="/api/task-attempts/{id}/conversation",
    summary="Get conversation",
    params=ConversationOf,
    text="The entries of all runs, one after the other, from the end: with `before` of a part one"
    " gets the part before it. What comes later is in the streams of the runs.",
    answer=ConversationPage,
    cached=True,
    refusals=(NotFound,),
)
CREATE_TASK_ATTEMPT = BodyCall(
    method="POST",
    path="/api/task-attempts",
    summary="Create task attempt",
    params=Nothing,
    text="Answered when the worktree exists and the first process runs. If that fails, the"
    " attempt exists with a failed process that tells why.",
    body=NewAttempt,
    answer=TaskAttempt,
    refusals=(*JOB, NotFound),
)
GET_BRANCH_STATUS = Call(
    method="GET",
    path="/api/task-attempts/{id}/branch-status",
    summary="Get branch status",
    params=OfAttempt,
    text="`remote_*` compares with what was last fetched. Nothing is changed or fetched.",
    answer=BranchStatus,
    cached=True,
    refusals=(*GIT, NotFound, Impossible),
)
GET_CHILDREN_TASKS = Call(
    method="GET",
    path="/api/task-attempts/{id}/children",
    summary="Get children tasks",
    params=OfAttempt,
    answer=Relations,
    cached=True,
    refusals=(NotFound,),
)
GET_COMMIT_INFO = Call(
    method="GET",
    path="/api/task-attempts/{id}/commit-info",
    summary="Get commit info",
    params=OfCommit,
    answer=CommitInfo,
    cached=True,
    refusals=(*GIT, NotFound),
)
COMPARE_COMMIT_TO_HEAD = Call(
    method="GET",
    path="/api/task-attempts/{id}/commit-compare",
    summary="Compare commit to head",
    params=OfCommit,
    answer=CommitComparison,
    cached=True,
    refusals=(*GIT, NotFound),
)
STREAM_DIFF = Stream(
    path="/api/task-attempts/{id}/diff/ws",
    summary="Stream diff",
    params=FollowedDiff,
    text="The merge base with the target branch against the working tree: what differs"
    " now, `ready`, then every change.",
    name="DiffFrame",
    frames=(frames.DiffFound, frames.DiffRemoved, frames.DiffReady, frames.DiffResync),
    end="`Finished` and 1000 if there is nothing to watch any more; 1001 when the daemon stops.",
    refusals=(NotFound,),
)
SEND_FOLLOW_UP = BodyCall(
    method="POST",
    path="/api/task-attempts/{id}/follow-up",
    summary="Send follow up",
    params=OfAttempt,
    text="With `retry_process_id` it is a retry: everything from that process on is"
    " dropped, and git goes back to before it, after a snapshot. With `steer` it is said"
    " into the turn that runs, if the agent listens (`STEER` among its capabilities), and"
    " the process is the one that runs.",
    body=FollowUp,
    answer=ExecutionProcess,
    refusals=(*JOB, *_BACK),
)
REPLACE_PROCESS = BodyCall(
    method="POST",
    path="/api/task-attempts/{id}/replace-process",
    summary="Replace process",
    params=OfAttempt,
    body=Replacing,
    answer=Replaced,
    refusals=(*JOB, *_BACK),
)
RUN_AGENT_SETUP = BodyCall(
    method="POST",
    path="/api/task-attempts/{id}/run-agent-setup",
    summary="Run agent setup",
    granted_by=Scope.ADMIN,
    params=OfAttempt,
    text="Installs an agent or logs it in, where that can be done from here.",
    body=AgentSetup,
    answer=dict[str, str],
    refusals=(*JOB, NotFound, SetupNotSupported),
)
START_DEV_SERVER = Call(
    method="POST",
    path="/api/task-attempts/{id}/start-dev-server",
    summary="Start dev server",
    params=OfAttempt,
    text="Other dev servers of the project are stopped first. It gets a free `PORT`.",
    answer=NoneType,
    refusals=(*JOB, NotFound, NoDevScript),
)
OPEN_IN_EDITOR = BodyCall(
    method="POST",
    path="/api/task-attempts/{id}/open-editor",
    summary="Open in editor",
    granted_by=Scope.ADMIN,
    params=OfAttempt,
    text="`url` opens a remote editor; with null it was started on this machine.",
    body=OpenEditor,
    optional=True,
    answer=EditorOpened,
    refusals=(*JOB, NotFound),
)
STOP_EXECUTION = Call(
    method="POST",
    path="/api/task-attempts/{id}/stop",
    summary="Stop execution",
    params=OfAttempt,
    text="Answered when nothing of what ran in the attempt is left.",
    answer=NoneType,
    refusals=(NotFound,),
)

CHAPTER = Chapter(
    "Task Attempts",
    "Agents at work on a task, each in a worktree of its own on a branch of its own.",
    (
        LIST_TASK_ATTEMPTS,
        GET_TASK_ATTEMPT,
        LIST_ATTEMPT_SUMMARIES,
        GET_CONVERSATION,
        CREATE_TASK_ATTEMPT,
        GET_BRANCH_STATUS,
        GET_CHILDREN_TASKS,
        GET_COMMIT_INFO,
        COMPARE_COMMIT_TO_HEAD,
        STREAM_DIFF,
        SEND_FOLLOW_UP,
        REPLACE_PROCESS,
        RUN_AGENT_SETUP,
        START_DEV_SERVER,
        OPEN_IN_EDITOR,
        STOP_EXECUTION,
    ),
)
