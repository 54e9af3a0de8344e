"""Tools that set something going, decide, or bring work to where it belongs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from anyond.api import approvals, attempts, branches, drafts, projects, tasks
from anyond.api.declaration.params import ApprovalId, AttemptId, OfTask, TaskId
from anyond.http.mcp.inner import Refused
from anyond.http.mcp.looking import TEXT_CHARACTERS, cut
from anyond.http.mcp.messages import Json
from anyond.http.mcp.person import Declined
from anyond.http.mcp.tool import Call, Tool
from anyond.model.access import Scope
from anyond.model.configuration.settings import Executor
from anyond.model.http.bodies import MergeStrategy


class Start(Struct, frozen=True, kw_only=True):
    task_id: TaskId
    executor: Annotated[Executor, Meta(description="The agent; see list_agents.")]
    variant: Annotated[str, Meta(description="One of its variants.")] | None = None
    base_branch: (
        Annotated[
            str, Meta(description="The branch to start from, and to land on; the current one.")
        ]
        | None
    ) = None


class Sending(Struct, frozen=True, kw_only=True):
    task_attempt_id: AttemptId
    prompt: Annotated[str, Meta(min_length=1, description="The message for the agent.")]
    when: Annotated[
        Literal["now", "queue", "steer"],
        Meta(
            description="now: a new turn; refused while one runs. queue: when the turn that runs is"
            " over. steer: into the turn that runs."
        ),
    ] = "now"


class Decide(Struct, frozen=True, kw_only=True):
    approval_id: ApprovalId
    status: (
        Annotated[
            Literal["approved", "denied"],
            Meta(description="Left out, the person is asked, where your program can do that."),
        ]
        | None
    ) = None
    reason: Annotated[str, Meta(description="Why it is denied, for the agent.")] | None = None
    answers: (
        Annotated[dict[str, Any], Meta(description="Of a question with choices: by question.")]
        | None
    ) = None


class Merge(Struct, frozen=True, kw_only=True):
    task_attempt_id: AttemptId
    strategy: MergeStrategy | None = None
    dry_run: Annotated[bool, Meta(description="Only tell what would be merged into what.")] = False


async def _start(call: Call, arguments: Json) -> Any:
    base = arguments.get("base_branch") or await _current_branch(call, arguments.get("task_id"))
    profile = {"executor": arguments.get("executor"), "variant": arguments.get("variant")}
    body = {"task_id": arguments.get("task_id"), "executor_profile_id": profile}
    return await call.inner.call(attempts.CREATE_TASK_ATTEMPT, {**body, "base_branch": base})


async def _current_branch(call: Call, task_id: object) -> str:
    task = await call.inner.call(tasks.GET_TASK, {"task_id": task_id})
    found = await call.inner.call(projects.GET_PROJECT_BRANCHES, {"project_id": task["project_id"]})
    for branch in found:
        if branch["is_current"]:
            return str(branch["name"])
    raise Refused(409, "The repository is on no branch; give base_branch.", None)


async def _send(call: Call, arguments: Json) -> Any:
    attempt = {"task_attempt_id": arguments.get("task_attempt_id")}
    prompt, when = arguments.get("prompt"), arguments.get("when", "now")
    if when == "queue":
        draft = {**attempt, "type": "follow_up"}
        await call.inner.call(drafts.SAVE_DRAFT, {**draft, "prompt": prompt})
        return await call.inner.call(drafts.QUEUE_DRAFT_FOR_AUTO_SEND, {**draft, "queued": True})
    body = {**attempt, "prompt": prompt, "steer": when == "steer" or None}
    return await call.inner.call(attempts.SEND_FOLLOW_UP, body)


_DECISION: Json = {
    "type": "object",
    "properties": {
        "status": {"type": "string", "enum": ["approved", "denied"], "title": "Decision"},
        "reason": {"type": "string", "title": "Reason, for the agent"},
    },
    "required": ["status"],
}


async def _answer(call: Call, arguments: Json) -> Any:
    decision: Json = {
        name: arguments[name] for name in ("status", "reason", "answers") if name in arguments
    }
    if "status" not in decision:
        pending = await call.inner.call(approvals.LIST_APPROVALS, {"status": "pending"})
        asked = [row for row in pending if row["id"] == arguments.get("approval_id")]
        if not asked:
            raise Refused(404, "There is no such question any more; see list_questions.", None)
        given = await call.person.ask("decision", _question(asked[0]), _DECISION)
        if given is None:
            raise Refused(
                400,
                "status: is missing, and your program cannot ask the person: approved or denied.",
                {"type": "invalid", "field": "status"},
            )
        decision = {**decision, **given}
    body = {"approval_id": arguments.get("approval_id"), "status": decision}
    return await call.inner.call(approvals.RESPOND_TO_APPROVAL, body)


def _question(row: Json) -> str:
    return (
        f"An agent asks to use {row['tool_name']}: {cut(str(row['tool_input']), TEXT_CHARACTERS)}"
    )


async def _merge(call: Call, arguments: Json) -> Any:
    attempt = {"task_attempt_id": arguments.get("task_attempt_id")}
    row = await call.inner.call(attempts.GET_TASK_ATTEMPT, attempt)
    status = await call.inner.call(attempts.GET_BRANCH_STATUS, attempt)
    what = f"{row['branch']} into {row['target_branch']}"
    if arguments.get("dry_run"):
        return {"would_merge": what, "branch_status": status}
    await _confirm(call, f"Merge {what}?")
    body = {**attempt, "strategy": arguments.get("strategy")}
    await call.inner.call(branches.MERGE_TO_TARGET_BRANCH, body)
    return {"merged": what}


async def _delete_task(call: Call, arguments: Json) -> Any:
    task = await call.inner.call(tasks.GET_TASK, arguments)
    title = cut(task["title"], 200)
    await _confirm(call, f"Delete the task “{title}” with its attempts, their worktrees and logs?")
    await call.inner.call(tasks.DELETE_TASK, arguments)
    return {"deleted": task["title"]}


async def _confirm(call: Call, question: str) -> None:
    """Ask the person, where that can be done. Raises `Declined`."""
    schema = {
        "type": "object",
        "properties": {"confirm": {"type": "boolean", "title": "Yes, do it"}},
        "required": ["confirm"],
    }
    given = await call.person.ask("confirm", question, schema)
    if given is not None and given.get("confirm") is not True:
        raise Declined


START_ATTEMPT = Tool(
    name="start_attempt",
    title="Start attempt",
    description="Let an agent work on a task, in a worktree and a branch of its own.",
    scope=Scope.WRITE,
    takes=(Start,),
    run=_start,
)
SEND_MESSAGE = Tool(
    name="send_message",
    title="Send message",
    description="Tell the agent of an attempt what to do next.",
    scope=Scope.WRITE,
    takes=(Sending,),
    run=_send,
)
ANSWER_QUESTION = Tool(
    name="answer_question",
    title="Answer question",
    description="Approve or deny what an agent asks. Who answers first decides.",
    scope=Scope.DECIDE,
    takes=(Decide,),
    run=_answer,
    asks=True,
)
MERGE_ATTEMPT = Tool(
    name="merge_attempt",
    title="Merge attempt",
    description="Merge the branch of an attempt into its target branch.",
    scope=Scope.LAND,
    takes=(Merge,),
    run=_merge,
    destroys=True,
    asks=True,
)
DELETE_TASK = Tool(
    name="delete_task",
    title="Delete task",
    description="Delete a task with its attempts, their worktrees and logs.",
    scope=Scope.LAND,
    takes=(OfTask,),
    run=_delete_task,
    destroys=True,
    asks=True,
)
