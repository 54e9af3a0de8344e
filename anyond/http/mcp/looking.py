"""Tools that look: where one is, what an attempt has come to, what was written and changed."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import msgspec
import trio
from msgspec import Meta, Struct

from anyond.api import attempts, containers, processes, projects, system, tasks
from anyond.api.declaration.params import AttemptId, Nothing, OfAttempt, OfTask
from anyond.http.mcp.inner import Refused
from anyond.http.mcp.messages import INVALID_PARAMS, Json, RpcError
from anyond.http.mcp.tool import Call, Tool
from anyond.model.access import Scope
from anyond.model.http.frames import DiffFound, DiffReady, DiffRemoved, DiffResync
from anyond.model.http.summaries import AttemptState
from anyond.model.refusals.daemon import Gone
from anyond.model.rows import Diff

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from anyond.model.http.frames import DiffFrame, EntryFrame

PAGE = 50
TEXT_CHARACTERS = 4000
DIFF_CHARACTERS = 40_000
LONGEST_WAIT_S = 50
_PROGRESS_S = 5
_SO_FAR_S = 0.25
"""What a run that is at work has written so far is there by then."""


class Place(Struct, frozen=True, kw_only=True):
    path: (
        Annotated[str, Meta(description="A directory; otherwise the one that you work in.")] | None
    ) = None


class Conversation(Struct, frozen=True, kw_only=True):
    task_attempt_id: AttemptId
    after: Annotated[int, Meta(ge=0, description="Leave out so many entries.")] = 0
    limit: Annotated[int, Meta(ge=1, le=500, description="At most so many.")] = PAGE
    kinds: (
        Annotated[
            list[str],
            Meta(description="Only these, such as user_message, assistant_message, tool_use."),
        ]
        | None
    ) = None


class OfDiff(Struct, frozen=True, kw_only=True):
    task_attempt_id: AttemptId
    path: (
        Annotated[str, Meta(description="Show what has changed in this file; else a list.")] | None
    ) = None


class Awaited(Struct, frozen=True, kw_only=True):
    task_attempt_id: AttemptId
    until: Annotated[
        Literal["idle", "question", "done"],
        Meta(
            description="idle: nothing runs, or it waits for an answer. question: it waits for an"
            " answer, or nothing runs. done: nothing runs and nothing is asked."
        ),
    ] = "idle"
    seconds: Annotated[int, Meta(ge=1, le=LONGEST_WAIT_S, description="At most so long.")] = 30


async def _context(call: Call, arguments: Json) -> Json:
    where = arguments.get("path") or call.directory
    if where is None:
        raise RpcError(INVALID_PARAMS, "path: is missing; nobody says where you work.")
    found = await call.inner.call(containers.GET_CONTAINER_INFO, {"ref": where})
    attempt = {"task_attempt_id": found["attempt_id"]}
    return {
        "project": await call.inner.call(projects.GET_PROJECT, {"project_id": found["project_id"]}),
        "task": await call.inner.call(tasks.GET_TASK, {"task_id": found["task_id"]}),
        "attempt": await call.inner.call(attempts.GET_TASK_ATTEMPT, attempt),
    }


async def _list_tasks(call: Call, arguments: Json) -> Json:
    found = await call.inner.call(tasks.LIST_TASKS, {"limit": PAGE, **arguments})
    return {"items": found, "next_cursor": call.inner.cursor}


async def _get_task(call: Call, arguments: Json) -> Json:
    task = await call.inner.call(tasks.GET_TASK, arguments)
    found = await call.inner.call(attempts.LIST_TASK_ATTEMPTS, {"task_id": task["id"]})
    return {"task": task, "attempts": found}


async def _get_attempt(call: Call, arguments: Json) -> Json:
    attempt = await call.inner.call(attempts.GET_TASK_ATTEMPT, arguments)
    (summary,) = await _summaries(call, attempt["id"])
    found: Json = {"attempt": attempt, "summary": summary}
    try:
        found["branch_status"] = await call.inner.call(attempts.GET_BRANCH_STATUS, arguments)
    except Refused as refused:  # it has no worktree yet, or its repository is away
        found["branch_status"] = {"problem": str(refused)}
    runs = await call.inner.call(processes.LIST_EXECUTION_PROCESSES, arguments)
    fields = ("id", "run_reason", "status", "exit_code", "started_at", "completed_at")
    found["processes"] = [{name: run.get(name) for name in fields} for run in runs]
    return found


async def _summaries(call: Call, attempt_id: str) -> list[Json]:
    asked = {"search": attempt_id, "closed": True, "limit": 1}
    found: list[Json] = await call.inner.call(attempts.LIST_ATTEMPT_SUMMARIES, asked)
    return found[:1]


async def _read_conversation(call: Call, arguments: Json) -> Json:
    after, limit = arguments.get("after", 0), arguments.get("limit", PAGE)
    attempt = {"task_attempt_id": arguments.get("task_attempt_id")}
    runs = await call.inner.call(processes.LIST_EXECUTION_PROCESSES, attempt)
    described: list[Json] = []
    number = 0
    for run in runs:
        if run["run_reason"] == "devserver":
            continue
        for entry in await _entries_now(call, run["id"]):
            kind = entry["entry_type"]["type"]
            if arguments.get("kinds") and kind not in arguments["kinds"]:
                continue
            number += 1
            if after < number <= after + limit:
                described.append(_entry(number, kind, entry))
    left = max(0, number - after - limit)
    found: Json = {"entries": described, "total": number}
    if left:
        found["more"] = f"{left} more; ask with after={after + limit}"
    return found


async def _entries_now(call: Call, process_id: str) -> list[Json]:
    """The entries of a run as they are now."""
    found: dict[int, bytes] = {}
    source = call.backend.services.logs.entries(process_id)
    async with aclosing(cast("AsyncGenerator[list[EntryFrame], None]", source)) as batches:
        while True:
            frames = None
            with trio.move_on_after(_SO_FAR_S):
                frames = await anext(batches, None)
            if frames is None:
                break
            found.update((frame.index, frame.entry) for frame in frames)
    return [msgspec.json.decode(found[index]) for index in sorted(found)]


def _entry(number: int, kind: str, entry: Json) -> Json:
    described: Json = {
        "number": number,
        "kind": kind,
        "text": cut(entry["content"], TEXT_CHARACTERS),
    }
    details = {name: value for name, value in entry["entry_type"].items() if name != "type"}
    if details:
        described["details"] = _cut_all(details)
    if entry.get("parent"):
        described["parent"] = entry["parent"]
    return described


def _cut_all(value: Any) -> Any:
    match value:
        case str():
            return cut(value, TEXT_CHARACTERS)
        case list():
            return [_cut_all(one) for one in value]
        case dict():
            return {name: _cut_all(one) for name, one in value.items()}
        case _:
            return value


def cut(text: str, most: int) -> str:
    """The beginning of a text that is longer than `most` characters."""
    return text if len(text) <= most else f"{text[:most]} … {len(text) - most} characters more"


async def _get_diff(call: Call, arguments: Json) -> Json:
    attempt_id, path = arguments.get("task_attempt_id"), arguments.get("path")
    attempt = await call.inner.call(attempts.GET_TASK_ATTEMPT, {"task_attempt_id": attempt_id})
    found: dict[str, Diff] = {}
    source = call.backend.services.diffs.follow(attempt["id"], path is None, None)
    async with aclosing(cast("AsyncGenerator[list[DiffFrame], None]", source)) as batches:
        ready = False
        async for batch in batches:
            for frame in batch:
                match frame:
                    case DiffFound():
                        found[frame.path] = frame.data
                    case DiffRemoved():
                        found.pop(frame.path, None)
                    case DiffResync():
                        found.clear()
                    case DiffReady():
                        ready = True
            if ready:
                break
    if path is None:
        return {"files": [_numbers(found[name]) for name in sorted(found)]}
    if path not in found:
        raise Refused(404, f"{path} has not changed; see get_diff without a path.", None)
    return {**_numbers(found[path]), "diff": cut(_unified(found[path]), DIFF_CHARACTERS)}


def _numbers(diff: Diff) -> Json:
    described: Json = {"path": diff.path, "change": diff.change}
    if diff.old_path not in (None, diff.path):
        described["old_path"] = diff.old_path
    return {**described, "additions": diff.additions, "deletions": diff.deletions}


def _unified(diff: Diff) -> str:
    if diff.content_omitted:
        return "It is binary, or too large to be described."
    before = (diff.old_content or "").splitlines(keepends=True)
    after = (diff.new_content or "").splitlines(keepends=True)
    lines = difflib.unified_diff(before, after, diff.old_path or "", diff.new_path or "")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


async def _list_agents(call: Call, _: Json) -> Json:
    info = await call.inner.call(system.GET_SYSTEM_INFO, {})
    return {
        "items": [
            {
                "executor": name,
                "available": info["availability"].get(name, {}).get("available", False),
                "version": info["availability"].get(name, {}).get("version"),
                "variants": sorted(variants),
            }
            for name, variants in info["executors"].items()
        ],
        "preferred": info["config"]["executor_profile"],
    }


_IS_OVER: dict[str, Callable[[str], bool]] = {
    "idle": lambda state: state != AttemptState.RUNNING,
    "question": lambda state: state != AttemptState.RUNNING,
    "done": lambda state: state not in (AttemptState.RUNNING, AttemptState.QUESTION),
}


async def _wait_for(call: Call, arguments: Json) -> Json:
    attempt = await call.inner.call(
        attempts.GET_TASK_ATTEMPT, {"task_attempt_id": arguments.get("task_attempt_id")}
    )
    is_over = _IS_OVER[arguments.get("until", "idle")]
    changes = call.backend.store.changes
    end = trio.current_time() + arguments.get("seconds", 30)
    while True:
        position = changes.end
        (summary,) = await _summaries(call, attempt["id"])
        over, left = is_over(summary["state"]), end - trio.current_time()
        if over or left <= 0:
            return {"over": over, "summary": summary}
        with trio.move_on_after(min(left, _PROGRESS_S)) as waited:
            try:
                cursor = changes.follow(position)
                while all(change.attempt_id != attempt["id"] for change in await cursor.next()):
                    pass
            except Gone:  # so much has happened that it has to be looked at anyway
                continue
        if waited.cancelled_caught:
            await call.progress(f"{summary['state']} since {summary['since']}")


CONTEXT = Tool(
    name="context",
    title="Get context",
    description="The project, task and attempt that a directory belongs to.",
    scope=Scope.READ,
    takes=(Place,),
    run=_context,
)
LIST_TASKS = Tool(
    name="list_tasks",
    title="List tasks",
    description=f"The tasks of a project, the newest first, {PAGE} at a time.",
    scope=Scope.READ,
    takes=(tasks.TasksOfProject,),
    run=_list_tasks,
)
GET_TASK = Tool(
    name="get_task",
    title="Get task",
    description="A task and its attempts.",
    scope=Scope.READ,
    takes=(OfTask,),
    run=_get_task,
)
GET_ATTEMPT = Tool(
    name="get_attempt",
    title="Get attempt",
    description="An attempt: its state, its branch beside the target branch, and its runs.",
    scope=Scope.READ,
    takes=(OfAttempt,),
    run=_get_attempt,
)
READ_CONVERSATION = Tool(
    name="read_conversation",
    title="Read conversation",
    description="The conversation of an attempt: messages, tool calls and what came of them.",
    scope=Scope.READ,
    takes=(Conversation,),
    run=_read_conversation,
)
GET_DIFF = Tool(
    name="get_diff",
    title="Get diff",
    description="What an attempt has changed: the files with numbers of lines, or one file.",
    scope=Scope.READ,
    takes=(OfDiff,),
    run=_get_diff,
)
LIST_AGENTS = Tool(
    name="list_agents",
    title="List agents",
    description="The agents that can be started here, and their variants.",
    scope=Scope.READ,
    takes=(Nothing,),
    run=_list_agents,
)
WAIT_FOR = Tool(
    name="wait_for",
    title="Wait for attempt",
    description=f"Wait until an attempt needs somebody or is through; {LONGEST_WAIT_S} s at most.",
    scope=Scope.READ,
    takes=(Awaited,),
    run=_wait_for,
)
