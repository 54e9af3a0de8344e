"""Examples of the chapter Task Attempts."""

from __future__ import annotations

from anyond.api import attempts
from anyond.api.declaration import samples
from anyond.api.examples import things
from anyond.api.examples.example import Example, Examples
from anyond.model.configuration.settings import Executor, ExecutorProfileId
from anyond.model.entries import NormalizedEntry
from anyond.model.http import frames
from anyond.model.http.answers import (
    CommitComparison,
    CommitInfo,
    EditorOpened,
    Relations,
    Replaced,
)
from anyond.model.http.bodies import AgentSetup, FollowUp, NewAttempt, OpenEditor, Replacing
from anyond.model.http.conversation import ConversationEntry, ConversationPage, ConversationRun
from anyond.model.rows import BranchStatus

EXAMPLES: Examples = {
    attempts.LIST_TASK_ATTEMPTS: Example(answer=[things.ATTEMPT]),
    attempts.GET_TASK_ATTEMPT: Example(answer=things.ATTEMPT),
    attempts.LIST_ATTEMPT_SUMMARIES: Example(answer=[things.SUMMARY]),
    attempts.GET_CONVERSATION: Example(
        answer=ConversationPage(
            entries=[
                ConversationEntry(
                    position=3,
                    execution_process_id=samples.PROCESS_ID,
                    index=3,
                    seq=7,
                    entry=NormalizedEntry(
                        entry_type=things.MESSAGE,
                        content="The timer is described in README.md.",
                        timestamp=things.MOMENT,
                    ),
                )
            ],
            total=4,
            before=3,
            runs=[
                ConversationRun(
                    execution_process_id=samples.PROCESS_ID,
                    run_reason=things.PROCESS.run_reason,
                    status=things.PROCESS.status,
                    started_at=things.MOMENT,
                    start=0,
                    count=4,
                )
            ],
        )
    ),
    attempts.CREATE_TASK_ATTEMPT: Example(
        send=NewAttempt(
            task_id=samples.TASK_ID,
            executor_profile_id=things.PROFILE,
            base_branch="main",
        ),
        answer=things.ATTEMPT,
    ),
    attempts.GET_BRANCH_STATUS: Example(
        answer=BranchStatus(
            commits_ahead=2,
            commits_behind=1,
            has_uncommitted_changes=True,
            head_oid=samples.COMMIT,
            uncommitted_count=1,
            untracked_count=0,
            target_branch_name="main",
            merges=[things.PR_MERGE],
        )
    ),
    attempts.GET_CHILDREN_TASKS: Example(
        answer=Relations(
            parent_task=None, current_attempt=things.ATTEMPT, children=[things.PLAIN_TASK]
        )
    ),
    attempts.GET_COMMIT_INFO: Example(
        answer=CommitInfo(sha=samples.COMMIT, subject="Describe the tea timer")
    ),
    attempts.COMPARE_COMMIT_TO_HEAD: Example(
        answer=CommitComparison(
            head_oid=samples.COMMIT,
            target_oid=things.BEFORE,
            ahead_from_head=0,
            behind_from_head=3,
            is_linear=True,
        )
    ),
    attempts.STREAM_DIFF: Example(
        frames=(
            frames.DiffFound(data=things.DIFF, seq=1),
            frames.DiffReady(seq=2),
            frames.DiffRemoved(data=frames.DiffRemovedPath(path="notes.txt"), seq=3),
            frames.DiffResync(seq=4),
        )
    ),
    attempts.SEND_FOLLOW_UP: Example(
        send=FollowUp(prompt="Mention oolong."), answer=things.PROCESS
    ),
    attempts.REPLACE_PROCESS: Example(
        send=Replacing(process_id=samples.PROCESS_ID, prompt="Begin with the green tea."),
        answer=Replaced(
            deleted_count=3,
            git_reset_needed=True,
            git_reset_applied=True,
            target_before_oid=things.BEFORE,
            new_execution_id=samples.PROCESS_ID,
        ),
    ),
    attempts.RUN_AGENT_SETUP: Example(
        send=AgentSetup(executor_profile_id=ExecutorProfileId(executor=Executor.CURSOR_AGENT)),
        answer={},
    ),
    attempts.OPEN_IN_EDITOR: Example(
        send=OpenEditor(file_path="README.md"), answer=EditorOpened(url=None)
    ),
}
