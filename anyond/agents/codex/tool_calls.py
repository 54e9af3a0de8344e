"""Items of Codex that are tool uses, in the terms of our entries."""

from __future__ import annotations

import shlex
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import UNSET

from anyond.agents.codex.threads import Threads
from anyond.agents.common.entry import Source
from anyond.agents.common.paths import relative_path
from anyond.agents.json_rpc.jsonrpc import as_dict, as_list, as_text
from anyond.model.entries import (
    Action,
    CommandRun,
    CommandRunResult,
    Created,
    Denied,
    ExitCode,
    Failed,
    FileChange,
    FileChangeDelete,
    FileChangeEdit,
    FileChangeRename,
    FileChangeWrite,
    FileEdit,
    FileRead,
    Json,
    Markdown,
    NormalizedEntry,
    Other,
    PlanPresentation,
    Succeeded,
    Success,
    TaskCreate,
    Tool,
    ToolResult,
    ToolStatus,
    ToolUse,
    WebFetch,
)

EDIT = "edit"
COMMAND = "bash"
PLAN = "plan"
OUTPUT_MOST = 64 * 1024
"""Characters of the output of a command that are shown while it runs, its end."""

Fields = Mapping[str, Any]
_STATUSES: Mapping[str, ToolStatus] = {
    "completed": Succeeded(),
    "failed": Failed(),
    "interrupted": Failed(),
    "declined": Denied(),
}


class _Tail:
    """The end of a growing text."""

    def __init__(self) -> None:
        self._parts: deque[str] = deque()
        self._size = 0

    def add(self, piece: str) -> None:
        piece = piece[-OUTPUT_MOST:]
        self._parts.append(piece)
        self._size += len(piece)
        while self._size - len(self._parts[0]) >= OUTPUT_MOST:
            self._size -= len(self._parts.popleft())

    @property
    def text(self) -> str:
        """All of it; the pieces become one, so that the next join is cheap."""
        if not self._parts:
            return ""
        if len(self._parts) > 1 or self._size > OUTPUT_MOST:
            text = "".join(self._parts)[-OUTPUT_MOST:]
            self._parts, self._size = deque([text]), len(text)
        return self._parts[0]


class Call(Source):
    """One use of a tool, from its announcement to its end.

    Args:
        key: of its entry.
        cwd: the worktree; paths inside it are shown relative to it.
        thread: of the agent that uses it.
        part: which of the files of an edit; each has an entry.
    """

    def __init__(self, key: str, cwd: str, thread: str, threads: Threads, part: int = 0) -> None:
        self.key = key
        self.fields: dict[str, Any] = {}
        self.status: ToolStatus = Created()
        self.decision: ToolStatus | None = None
        self.output = _Tail()
        self._cwd = cwd
        self.thread = thread
        self._threads = threads
        self._part = part

    @property
    def kind(self) -> str:
        """The type of the item."""
        return as_text(self.fields.get("type"))

    @property
    def open(self) -> bool:
        """True if it has not come to its end."""
        return isinstance(self.status, Created)

    @property
    def name(self) -> str:
        """The name of the tool, as shown."""
        named = _NAMES.get(self.kind)
        return named(self.fields) if named is not None else self.kind

    def merge(self, fields: Fields) -> None:
        """Take in what was said about it; what was not said again stays."""
        self.fields |= {name: value for name, value in fields.items() if value is not None}
        self.status = _STATUSES.get(as_text(self.fields.get("status")), self.status)
        if isinstance(self.status, Denied) and self.decision is not None:
            self.status = self.decision

    def judge(self, final_status: ToolStatus) -> None:
        """It was not allowed."""
        self.status = self.decision = final_status

    def end(self, status: ToolStatus) -> None:
        """It is over, if it was not before."""
        if self.open:
            self.status = status

    def unend(self) -> None:
        """Reopen it, since its effect goes on although the call came back."""
        self.status = Created()

    def entry(self) -> NormalizedEntry:
        action, content = _KINDS.get(self.kind, _other)(self)
        parent = self._threads.parent(self.thread)
        return NormalizedEntry(
            entry_type=ToolUse(tool_name=self.name, action_type=action, status=self.status),
            content=content or self.name,
            metadata={"tool_call_id": as_text(self.fields.get("id"))},
            parent=UNSET if parent is None else parent,
        )

    # ------------------------------------------------------------ what describes it

    def path(self, path: str) -> str:
        """A path, relative to the worktree if it is in there."""
        return relative_path(path, self._cwd)

    @property
    def change(self) -> dict[str, Any]:
        """The one file of an edit that this is about."""
        changes = as_list(self.fields.get("changes"))
        return as_dict(changes[self._part]) if self._part < len(changes) else {}


def bare_command(command: str) -> str:
    """Return the command for a shell, without the call of the shell."""
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    if len(words) == 3 and words[1] in ("-lc", "-c") and words[0].endswith("sh"):
        return words[2]
    return command


def _command(call: Call) -> tuple[Action, str]:
    fields = call.fields
    command = bare_command(as_text(fields.get("command")))
    reported = fields.get("aggregatedOutput")
    output = reported if isinstance(reported, str) else call.output.text
    code = fields.get("exitCode")
    result = None
    if isinstance(code, int) and not isinstance(code, bool):
        result = CommandRunResult(exit_status=ExitCode(code=code), output=output)
    elif not call.open and not isinstance(call.status, Denied) and call.decision is None:
        worked = Success(success=isinstance(call.status, Succeeded))
        result = CommandRunResult(exit_status=worked, output=output)
    elif output:
        result = CommandRunResult(output=output)
    return CommandRun(command=command, result=result), command


def _edit(call: Call) -> tuple[Action, str]:
    change, kind = call.change, as_dict(call.change.get("kind"))
    path, goal = call.path(as_text(change.get("path"))), as_text(kind.get("move_path"))
    # Codex writes a remark below the diff of what it moves, which is no line of it.
    diff = as_text(change.get("diff")).removesuffix(f"\n\nMoved to: {goal}")
    moved = call.path(goal)
    changes: list[FileChange] = []
    if kind.get("type") == "add":
        changes = [FileChangeWrite(content=diff)]
    elif kind.get("type") == "delete":
        changes = [FileChangeDelete()]
    else:
        if moved and moved != path:
            changes.append(FileChangeRename(new_path=moved))
        if diff:
            named = f"--- a/{path}\n+++ b/{moved or path}\n{diff}"
            changes.append(FileChangeEdit(unified_diff=named, has_line_numbers=True))
    return FileEdit(path=path, changes=changes), path


def _mcp(call: Call) -> tuple[Action, str]:
    fields = call.fields
    error = as_text(as_dict(fields.get("error")).get("message"))
    answer = as_dict(fields.get("result"))
    result = None
    if error:
        result = ToolResult(type=Markdown(), value=error)
    elif (data := answer.get("structuredContent")) is not None:
        result = ToolResult(type=Json(), value=data)
    elif answer:
        result = _blocks(as_list(answer.get("content")))
    return Tool(tool_name=call.name, arguments=fields.get("arguments"), result=result), call.name


def _blocks(blocks: list[Any]) -> ToolResult:
    found = [as_dict(block).get("text") for block in blocks]
    texts = [text for text in found if isinstance(text, str)]
    if len(texts) == len(found):
        return ToolResult(type=Markdown(), value="\n".join(texts))
    return ToolResult(type=Json(), value=blocks)


def _dynamic(call: Call) -> tuple[Action, str]:
    fields = call.fields
    items = fields.get("contentItems")
    result = _blocks(as_list(items)) if items is not None else None
    return Tool(tool_name=call.name, arguments=fields.get("arguments"), result=result), call.name


def _agents(call: Call) -> tuple[Action, str]:
    fields = call.fields
    prompt = as_text(fields.get("prompt"))
    if fields.get("tool") == "spawnAgent":
        return TaskCreate(description=prompt), f"Task: {prompt}"
    states = as_dict(fields.get("agentsStates"))
    messages = [as_text(as_dict(state).get("message")) for state in states.values()]
    words = "\n\n".join(text for text in messages if text)
    given = {"agents": as_list(fields.get("receiverThreadIds"))}
    return (
        Tool(
            tool_name=call.name,
            arguments={**given, "prompt": prompt} if prompt else given,
            result=ToolResult(type=Markdown(), value=words) if words else None,
        ),
        prompt or call.name,
    )


def _activity(call: Call) -> tuple[Action, str]:
    path = as_text(call.fields.get("agentPath"))
    return TaskCreate(description=path), f"Task: {path}"


def _web(call: Call) -> tuple[Action, str]:
    did = as_dict(call.fields.get("action"))
    target = as_text(did.get("url")) or as_text(call.fields.get("query"))
    return WebFetch(url=target or as_text(did.get("query"))), target


def _image(call: Call) -> tuple[Action, str]:
    path = call.path(as_text(call.fields.get("path")))
    return FileRead(path=path), path


def _picture(call: Call) -> tuple[Action, str]:
    saved = call.path(as_text(call.fields.get("savedPath")))
    given = {"prompt": as_text(call.fields.get("revisedPrompt"))}
    result = ToolResult(type=Markdown(), value=saved) if saved else None
    return Tool(tool_name=call.name, arguments=given, result=result), saved


def _plan(call: Call) -> tuple[Action, str]:
    reported = call.fields.get("text")
    text = reported if isinstance(reported, str) and reported else call.output.text
    return PlanPresentation(plan=text), text


def _question(call: Call) -> tuple[Action, str]:
    fields = call.fields
    asked = [as_text(as_dict(one).get("question")) for one in as_list(fields.get("questions"))]
    text = as_text(fields.get("message")) or "\n".join(text for text in asked if text)
    answers = fields.get("answers")
    result = ToolResult(type=Json(), value=answers) if answers is not None else None
    return Tool(tool_name=call.name, arguments=fields.get("arguments"), result=result), text


def _other(call: Call) -> tuple[Action, str]:
    return Other(description=call.kind), call.kind


def _snake(text: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in text)


_KINDS: dict[str, Callable[[Call], tuple[Action, str]]] = {
    "commandExecution": _command,
    "fileChange": _edit,
    "mcpToolCall": _mcp,
    "dynamicToolCall": _dynamic,
    "collabAgentToolCall": _agents,
    "subAgentActivity": _activity,
    "webSearch": _web,
    "imageView": _image,
    "imageGeneration": _picture,
    "plan": _plan,
    "question": _question,
}
_NAMES: dict[str, Callable[[Fields], str]] = {
    "commandExecution": lambda fields: COMMAND,
    "fileChange": lambda fields: EDIT,
    "mcpToolCall": lambda fields: f"mcp:{fields.get('server')}:{fields.get('tool')}",
    "dynamicToolCall": lambda fields: as_text(fields.get("tool")),
    "collabAgentToolCall": lambda fields: _snake(as_text(fields.get("tool"))),
    "subAgentActivity": lambda fields: "spawn_agent",
    "webSearch": lambda fields: "web_search",
    "imageView": lambda fields: "view_image",
    "imageGeneration": lambda fields: "image_generation",
    "plan": lambda fields: PLAN,
    "question": lambda fields: as_text(fields.get("name")),
}
