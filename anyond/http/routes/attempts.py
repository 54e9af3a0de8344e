"""The chapter Task Attempts: agents at work on a task, each in a worktree of its own."""

from __future__ import annotations

from anyond.api import attempts as api
from anyond.api.declaration.params import Nothing, OfAttempt
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.http.streaming.encoders import WireFormat
from anyond.http.views import Streamed
from anyond.model.http.answers import (
    CommitComparison,
    CommitInfo,
    EditorOpened,
    Relations,
    Replaced,
)
from anyond.model.http.bodies import AgentSetup, FollowUp, NewAttempt, OpenEditor, Replacing
from anyond.model.http.conversation import ConversationPage
from anyond.model.http.frames import DiffFrame
from anyond.model.http.summaries import AttemptSummary
from anyond.model.refusals.requests import Invalid
from anyond.model.rows import BranchStatus, ExecutionProcess, TaskAttempt
from anyond.store.board import attempts, tasks
from anyond.store.engine.transaction import Reader
from anyond.store.runs import summaries


async def list_attempts(backend: Backend, params: api.AttemptsOfTask) -> list[TaskAttempt]:
    def found(reader: Reader) -> list[TaskAttempt]:
        if params.task_id is not None:
            tasks.get(reader, params.task_id)
        return attempts.fetch_all(reader, params.task_id)

    return await backend.store.read(found)


async def get_attempt(backend: Backend, params: OfAttempt) -> TaskAttempt:
    return await backend.store.read(lambda r: attempts.get(r, params.task_attempt_id))


async def list_summaries(backend: Backend, params: api.SummarizedAttempts) -> list[AttemptSummary]:
    def found(reader: Reader) -> list[AttemptSummary]:
        return summaries.fetch_summaries(
            reader,
            project_id=params.project_id,
            search=params.search,
            closed=params.closed,
            limit=params.limit,
        )

    return await backend.store.read(found)


async def get_conversation(backend: Backend, params: api.ConversationOf) -> ConversationPage:
    if not 1 <= params.tail <= api.MOST_ENTRIES:
        raise Invalid("tail", f"must be between 1 and {api.MOST_ENTRIES}")
    if params.before is not None and params.before < 0:
        raise Invalid("before", "must not be negative")
    conversations = backend.services.conversations
    return await conversations.part(params.task_attempt_id, params.tail, params.before)


async def create_attempt(backend: Backend, _: Nothing, new: NewAttempt) -> TaskAttempt:
    return await backend.services.attempts.create(new)


async def get_branch_status(backend: Backend, params: OfAttempt) -> BranchStatus:
    return await backend.services.branches.branch_status(params.task_attempt_id)


async def get_children(backend: Backend, params: OfAttempt) -> Relations:
    return await backend.services.attempts.relations(params.task_attempt_id)


async def get_commit_info(backend: Backend, params: api.OfCommit) -> CommitInfo:
    branches = backend.services.branches
    return await branches.commit_info(params.task_attempt_id, params.sha)


async def compare_commit(backend: Backend, params: api.OfCommit) -> CommitComparison:
    branches = backend.services.branches
    return await branches.commit_compare(params.task_attempt_id, params.sha)


async def stream_diff(
    backend: Backend, params: api.FollowedDiff, wire_format: WireFormat
) -> Streamed[DiffFrame]:
    attempt_id = params.task_attempt_id
    await backend.store.read(lambda r: attempts.get(r, attempt_id))
    source = backend.services.diffs.follow(
        attempt_id, params.stats_only, params.after, ends_with_merge=wire_format.ends_with_merge
    )
    return Streamed(source, wire_format.diff())


async def follow_up(backend: Backend, params: OfAttempt, body: FollowUp) -> ExecutionProcess:
    return await backend.services.attempts.follow_up(params.task_attempt_id, body)


async def replace_process(backend: Backend, params: OfAttempt, body: Replacing) -> Replaced:
    return await backend.services.attempts.replace_process(params.task_attempt_id, body)


async def run_agent_setup(backend: Backend, params: OfAttempt, body: AgentSetup) -> dict[str, str]:
    service = backend.services.attempts
    await service.run_agent_setup(params.task_attempt_id, body.executor_profile_id)
    return {}


async def start_dev_server(backend: Backend, params: OfAttempt) -> None:
    await backend.services.dev_servers.start(params.task_attempt_id)


async def open_in_editor(backend: Backend, params: OfAttempt, body: OpenEditor) -> EditorOpened:
    return await backend.services.editors.open_attempt(params.task_attempt_id, body)


async def stop(backend: Backend, params: OfAttempt) -> None:
    await backend.services.attempts.stop(params.task_attempt_id)


ROUTES = (
    route(api.LIST_TASK_ATTEMPTS, list_attempts),
    route(api.GET_TASK_ATTEMPT, get_attempt),
    route(api.LIST_ATTEMPT_SUMMARIES, list_summaries),
    route(api.GET_CONVERSATION, get_conversation),
    route(api.CREATE_TASK_ATTEMPT, create_attempt),
    route(api.GET_BRANCH_STATUS, get_branch_status),
    route(api.GET_CHILDREN_TASKS, get_children),
    route(api.GET_COMMIT_INFO, get_commit_info),
    route(api.COMPARE_COMMIT_TO_HEAD, compare_commit),
    route(api.STREAM_DIFF, stream_diff),
    route(api.SEND_FOLLOW_UP, follow_up),
    route(api.REPLACE_PROCESS, replace_process),
    route(api.RUN_AGENT_SETUP, run_agent_setup),
    route(api.START_DEV_SERVER, start_dev_server),
    route(api.OPEN_IN_EDITOR, open_in_editor),
    route(api.STOP_EXECUTION, stop),
)
