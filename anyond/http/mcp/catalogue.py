"""All tools, in the order in which they are listed."""

from __future__ import annotations

from anyond.api import approvals, attempts, board, branches, projects, search, tasks, usage
from anyond.http.mcp import looking, working
from anyond.http.mcp.tool import Tool, of_endpoint

TOOLS: tuple[Tool, ...] = (
    looking.CONTEXT,
    of_endpoint(projects.LIST_PROJECTS, "list_projects", "The projects, with their repositories."),
    looking.LIST_TASKS,
    looking.GET_TASK,
    of_endpoint(
        attempts.LIST_ATTEMPT_SUMMARIES,
        "list_attempts",
        "Attempts with their state, what is at work or waits for a person first.",
    ),
    looking.GET_ATTEMPT,
    looking.READ_CONVERSATION,
    looking.GET_DIFF,
    of_endpoint(
        search.SEARCH,
        "search",
        "Find what was written, said and done in any task or attempt, by its words.",
    ),
    of_endpoint(
        approvals.LIST_APPROVALS,
        "list_questions",
        "What agents have asked; with status=pending what waits for an answer now.",
    ),
    looking.LIST_AGENTS,
    of_endpoint(usage.GET_USAGE, "usage", "Tokens, money and time that agents have used."),
    looking.WAIT_FOR,
    of_endpoint(
        tasks.CREATE_TASK,
        "create_task",
        "Put a task on the board. It does not start by itself.",
        leaves_out=("image_ids",),
    ),
    of_endpoint(
        tasks.UPDATE_TASK,
        "update_task",
        "Change the title, the description or the status of a task.",
        leaves_out=("image_ids", "parent_task_attempt"),
        repeatable=True,
    ),
    of_endpoint(
        board.ARCHIVE_ATTEMPT,
        "archive_attempt",
        "Put an attempt away, or take it back. Nothing is deleted.",
        repeatable=True,
    ),
    working.START_ATTEMPT,
    working.SEND_MESSAGE,
    of_endpoint(
        attempts.STOP_EXECUTION,
        "stop_attempt",
        "Stop whatever runs in an attempt. Its worktree and its conversation stay.",
        repeatable=True,
    ),
    working.ANSWER_QUESTION,
    working.MERGE_ATTEMPT,
    of_endpoint(
        branches.REBASE_ON_TARGET_BRANCH,
        "rebase_attempt",
        "Rebase the branch of an attempt onto its target branch.",
    ),
    of_endpoint(
        branches.PUSH_BRANCH,
        "push_attempt",
        "Push the branch of an attempt to the remote of its repository.",
        destroys=True,
    ),
    of_endpoint(
        branches.CREATE_PULL_REQUEST,
        "create_pull_request",
        "Push the branch of an attempt, and open a pull request for it.",
        destroys=True,
    ),
    working.DELETE_TASK,
)
BY_NAME = {tool.name: tool for tool in TOOLS}
