"""Declarations of the chapter Task Attempts: starting, asking, watching and stopping an agent."""

from __future__ import annotations

from anyond.http.openapi import examples, frames, problems
from anyond.http.openapi.operation import (
    AFTER,
    FORMAT,
    WEBSOCKET,
    Chapter,
    Operation,
    Stream,
    key,
    needed,
    possible,
)
from anyond.model.answers import (
    CommitComparison,
    CommitInfo,
    EditorOpened,
    Relations,
    Replaced,
)
from anyond.model.bodies import AgentSetup, FollowUp, NewAttempt, OpenEditor, Replacing
from anyond.model.rows import BranchStatus, ExecutionProcess, TaskAttempt
from anyond.model.settings import Executor, ExecutorProfileId

KEY = key("id", "attempt", examples.ATTEMPT_ID)
_SHA = needed("sha", str, "A commit, or any name of one.", examples.COMMIT)
_BACK = (
    problems.NOT_FOUND,
    problems.NO_AGENT,
    problems.DROPPED,
    problems.DIRTY,
    *problems.IN_PROGRESS,
)

ATTEMPTS = Chapter(
    "Task Attempts",
    "Agents at work on a task, each in a worktree of its own on a branch of its own.",
    (
        Operation(
            method="GET",
            path="/api/task-attempts",
            summary="List task attempts",
            query=(possible("task_id", str, "Only those of this task.", examples.TASK_ID),),
            answer=list[TaskAttempt],
            example=[examples.ATTEMPT],
            cached=True,
            problems=(problems.NOT_FOUND,),
        ),
        Operation(
            method="GET",
            path="/api/task-attempts/{id}",
            summary="Get task attempt",
            key=KEY,
            answer=TaskAttempt,
            example=examples.ATTEMPT,
            cached=True,
            problems=(problems.NOT_FOUND,),
        ),
        Operation(
            method="POST",
            path="/api/task-attempts",
            summary="Create task attempt",
            text="Answered when the worktree exists and the first process runs. If that fails, the"
            " attempt exists with a failed process that tells why.",
            body=NewAttempt,
            send=NewAttempt(
                task_id=examples.TASK_ID,
                executor_profile_id=examples.PROFILE,
                base_branch="main",
            ),
            answer=TaskAttempt,
            example=examples.ATTEMPT,
            problems=(*problems.JOB, problems.NOT_FOUND),
        ),
        Operation(
            method="GET",
            path="/api/task-attempts/{id}/branch-status",
            summary="Get branch status",
            text="`remote_*` compares with what was last fetched. Nothing is changed or fetched.",
            key=KEY,
            answer=BranchStatus,
            example=BranchStatus(
                commits_ahead=2,
                commits_behind=1,
                has_uncommitted_changes=True,
                head_oid=examples.COMMIT,
                uncommitted_count=1,
                untracked_count=0,
                target_branch_name="main",
                merges=[examples.PR_MERGE],
            ),
            cached=True,
            problems=(*problems.GIT, problems.NOT_FOUND, problems.IMPOSSIBLE),
        ),
        Operation(
            method="GET",
            path="/api/task-attempts/{id}/children",
            summary="Get children tasks",
            key=KEY,
            answer=Relations,
            example=Relations(
                parent_task=None, current_attempt=examples.ATTEMPT, children=[examples.PLAIN_TASK]
            ),
            cached=True,
            problems=(problems.NOT_FOUND,),
        ),
        Operation(
            method="GET",
            path="/api/task-attempts/{id}/commit-info",
            summary="Get commit info",
            key=KEY,
            query=(_SHA,),
            answer=CommitInfo,
            example=CommitInfo(sha=examples.COMMIT, subject="Describe the tea timer"),
            cached=True,
            problems=(*problems.GIT, problems.NOT_FOUND),
        ),
        Operation(
            method="GET",
            path="/api/task-attempts/{id}/commit-compare",
            summary="Compare commit to head",
            key=KEY,
            query=(_SHA,),
            answer=CommitComparison,
            example=CommitComparison(
                head_oid=examples.COMMIT,
                target_oid=examples.BEFORE,
                ahead_from_head=0,
                behind_from_head=3,
                is_linear=True,
            ),
            cached=True,
            problems=(*problems.GIT, problems.NOT_FOUND),
        ),
        Operation(
            method=WEBSOCKET,
            path="/api/task-attempts/{id}/diff/ws",
            summary="Stream diff",
            text="The merge base with the target branch against the working tree: what differs"
            " now, `ready`, then every change.",
            key=KEY,
            query=(possible("stats_only", bool, "Without contents."), AFTER, FORMAT),
            stream=Stream(
                "DiffFrame",
                (frames.DiffFound, frames.DiffRemoved, frames.DiffReady, frames.DiffResync),
                (
                    frames.DiffFound(data=examples.DIFF, seq=1),
                    frames.DiffReady(seq=2),
                    frames.DiffRemoved(data=frames.Path(path="notes.txt"), seq=3),
                    frames.DiffResync(seq=4),
                ),
                "`Finished` and 1000 if there is nothing to watch any more; 1001 when the daemon"
                " stops.",
            ),
            problems=(problems.NOT_FOUND,),
        ),
        Operation(
            method="POST",
            path="/api/task-attempts/{id}/follow-up",
            summary="Send follow up",
            text="With `retry_process_id` it is a retry: everything from that process on is"
            " dropped, and git goes back to before it, after a snapshot. With `steer` it is said"
            " into the turn that runs, if the agent listens (`STEER` among its capabilities), and"
            " the process is the one that runs.",
            key=KEY,
            body=FollowUp,
            send=FollowUp(prompt="Mention oolong."),
            answer=ExecutionProcess,
            example=examples.PROCESS,
            problems=(*problems.JOB, *_BACK),
        ),
        Operation(
            method="POST",
            path="/api/task-attempts/{id}/replace-process",
            summary="Replace process",
            key=KEY,
            body=Replacing,
            send=Replacing(process_id=examples.PROCESS_ID, prompt="Begin with the green tea."),
            answer=Replaced,
            example=Replaced(
                deleted_count=3,
                git_reset_needed=True,
                git_reset_applied=True,
                target_before_oid=examples.BEFORE,
                new_execution_id=examples.PROCESS_ID,
            ),
            problems=(*problems.JOB, *_BACK),
        ),
        Operation(
            method="POST",
            path="/api/task-attempts/{id}/run-agent-setup",
            summary="Run agent setup",
            text="Installs an agent or logs it in, where that can be done from here.",
            key=KEY,
            body=AgentSetup,
            send=AgentSetup(executor_profile_id=ExecutorProfileId(executor=Executor.CURSOR_AGENT)),
            answer=dict[str, str],
            example={},
            problems=(*problems.JOB, problems.NOT_FOUND, problems.SETUP_NOT_SUPPORTED),
        ),
        Operation(
            method="POST",
            path="/api/task-attempts/{id}/start-dev-server",
            summary="Start dev server",
            text="Other dev servers of the project are stopped first. It gets a free `PORT`.",
            key=KEY,
            problems=(*problems.JOB, problems.NOT_FOUND, problems.NO_DEV_SCRIPT),
        ),
        Operation(
            method="POST",
            path="/api/task-attempts/{id}/open-editor",
            summary="Open in editor",
            text="`url` opens a remote editor; with null it was started on this machine.",
            key=KEY,
            body=OpenEditor,
            optional=True,
            send=OpenEditor(file_path="README.md"),
            answer=EditorOpened,
            example=EditorOpened(url=None),
            problems=(*problems.JOB, problems.NOT_FOUND),
        ),
        Operation(
            method="POST",
            path="/api/task-attempts/{id}/stop",
            summary="Stop execution",
            text="Answered when nothing of what ran in the attempt is left.",
            key=KEY,
            problems=(problems.NOT_FOUND,),
        ),
    ),
)
