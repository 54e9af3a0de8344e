"""Resources and prompts: what a person puts into a conversation, by its address."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from anyond.api import approvals, attempts, tasks
from anyond.http.mcp import looking
from anyond.http.mcp.messages import INVALID_PARAMS, Json, RpcError
from anyond.http.mcp.tool import Call

INBOX = "anyon://inbox"
_TASK = re.compile(r"anyon://task/([0-9a-f-]{36})")
_ATTEMPT = re.compile(r"anyon://attempt/([0-9a-f-]{36})/(conversation|diff)")
_JSON = "application/json"

LISTED: list[Json] = [
    {
        "uri": INBOX,
        "name": "inbox",
        "title": "Inbox",
        "description": "What waits for a person, and what is at work.",
        "mimeType": _JSON,
    }
]
TEMPLATES: list[Json] = [
    {
        "uriTemplate": "anyon://task/{id}",
        "name": "task",
        "title": "Task",
        "description": "A task and its attempts.",
        "mimeType": _JSON,
    },
    {
        "uriTemplate": "anyon://attempt/{id}/conversation",
        "name": "conversation",
        "title": "Conversation",
        "description": "The end of the conversation of an attempt.",
        "mimeType": _JSON,
    },
    {
        "uriTemplate": "anyon://attempt/{id}/diff",
        "name": "diff",
        "title": "Diff",
        "description": "The files that an attempt has changed.",
        "mimeType": _JSON,
    },
]
PROMPTS: list[Json] = [
    {
        "name": "plan_into_tasks",
        "title": "Plan into tasks",
        "description": "Part a goal into tasks for agents, and put them on the board.",
        "arguments": [
            {"name": "goal", "description": "What should come about.", "required": True},
            {"name": "project_id", "description": "In which project.", "required": True},
        ],
    },
    {
        "name": "review_attempt",
        "title": "Review this attempt",
        "description": "Read what an attempt has changed, and say what is wrong with it.",
        "arguments": [
            {"name": "task_attempt_id", "description": "Which attempt.", "required": True}
        ],
    },
]
_TEXTS = {
    "plan_into_tasks": (
        "Part this goal into tasks that one agent each can do by itself, in an order in which"
        " nothing waits for what comes later: {goal}\n\nLook at the project {project_id} and at its"
        " present tasks first (list_tasks). Show me the list with a title and two or three"
        " sentences each, and create the tasks with create_task when I have agreed. Start nothing."
    ),
    "review_attempt": (
        "Review the attempt {task_attempt_id}: read its task and its conversation (get_attempt,"
        " read_conversation), then what it has changed, file by file (get_diff). Say what is wrong"
        " or missing with the path and the lines, the worst first, and whether it does what the"
        " task asks for. Change nothing, and send nothing to its agent before I have agreed."
    ),
}


async def read(call: Call, uri: str) -> Json:
    """The contents of a resource.

    Raises:
        RpcError: there is none at that address.
        Refused: its caller may not see it.
    """
    if uri == INBOX:
        found: Any = await _inbox(call)
    elif of_task := _TASK.fullmatch(uri):
        found = await looking.GET_TASK.run(call, {"task_id": of_task[1]})
    elif of_attempt := _ATTEMPT.fullmatch(uri):
        attempt = {"task_attempt_id": of_attempt[1]}
        if of_attempt[2] == "diff":
            found = await looking.GET_DIFF.run(call, attempt)
        else:
            found = await _end_of_conversation(call, attempt)
    else:
        raise RpcError(INVALID_PARAMS, f"There is no resource {uri[:200]}.", {"uri": uri[:200]})
    text = msgspec.json.encode(found).decode()
    return {"contents": [{"uri": uri, "mimeType": _JSON, "text": text}]}


async def _inbox(call: Call) -> Json:
    return {
        "questions": await call.inner.call(approvals.LIST_APPROVALS, {"status": "pending"}),
        "attempts": await call.inner.call(attempts.LIST_ATTEMPT_SUMMARIES, {"limit": 50}),
    }


async def _end_of_conversation(call: Call, attempt: Json) -> Json:
    found: Json = await looking.READ_CONVERSATION.run(call, {**attempt, "limit": 1})
    after = max(0, found["total"] - looking.PAGE)
    read: Json = await looking.READ_CONVERSATION.run(call, {**attempt, "after": after})
    return read


async def is_there(call: Call, uri: str) -> bool:
    """Return whether changes of the resource can be followed by the caller."""
    if uri == INBOX:
        return True
    if of_task := _TASK.fullmatch(uri):
        await call.inner.call(tasks.GET_TASK, {"task_id": of_task[1]})
        return True
    if of_attempt := _ATTEMPT.fullmatch(uri):
        await call.inner.call(attempts.GET_TASK_ATTEMPT, {"task_attempt_id": of_attempt[1]})
        return True
    return False


def about(uri: str) -> str | None:
    """The id of the task or the attempt; None for the inbox, which is about all of them."""
    found = _TASK.fullmatch(uri) or _ATTEMPT.fullmatch(uri)
    return found[1] if found else None


def prompt(name: str, arguments: Json) -> Json:
    """A prompt with its arguments filled in.

    Raises:
        RpcError: there is no such prompt, or an argument is missing.
    """
    described = next((one for one in PROMPTS if one["name"] == name), None)
    if described is None:
        known = ", ".join(_TEXTS)
        raise RpcError(INVALID_PARAMS, f"There is no prompt {name[:60]}; there is {known}.")
    filled = {}
    for argument in described["arguments"]:
        value = arguments.get(argument["name"])
        if not isinstance(value, str) or not value.strip():
            raise RpcError(INVALID_PARAMS, f"{argument['name']}: is missing.")
        filled[argument["name"]] = value
    text = _TEXTS[name].format_map(filled)
    message = {"role": "user", "content": {"type": "text", "text": text}}
    return {"description": described["description"], "messages": [message]}
