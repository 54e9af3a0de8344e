"""The tools of the Cursor agent, in the terms of our entries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from anyond.agents.claude.calls.diffs import from_texts
from anyond.agents.common.diff import unified_diff
from anyond.agents.common.entry import Source
from anyond.agents.common.paths import Paths
from anyond.agents.cursor.diffs import parse_diff
from anyond.agents.json_rpc.jsonrpc import as_dict, as_list, as_text, loads
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
    FileChangeWrite,
    FileEdit,
    FileRead,
    Json,
    Markdown,
    NormalizedEntry,
    Other,
    PlanPresentation,
    Search,
    Succeeded,
    Success,
    TaskCreate,
    Tool,
    ToolResult,
    ToolStatus,
    ToolUse,
    WebFetch,
)

_REFUSALS = ("rejected", "permissionDenied")
_REASONS = ("reason", "error", "errorMessage", "message", "clientVisibleErrorMessage")
_OLD = ("oldString", "old_string", "oldText", "old_text", "old_str")
_NEW = ("newString", "new_string", "newText", "new_text", "new_str")
_WAYS = ("strReplace", "replace", "multiStrReplace", "applyPatch")
_PATCHES = ("patchContent", "patch_content", "patch")
_WHOLE = ("streamContent", "fileText", "contents", "content")


@dataclass
class CursorCall(Source):
    """One use of a tool, from its start to its completion.

    Args:
        name: of the tool, without the suffix that all of them have.
        body: what the tool gave back, of whichever outcome; None while it runs.
    """

    key: str
    id: str
    name: str
    args: Mapping[str, Any]
    paths: Paths
    status: ToolStatus = field(default_factory=Created)
    body: Mapping[str, Any] | None = None

    def complete(self, result: Any) -> None:
        """It came back; the result is an object with the outcome as its only key, or flat."""
        outcomes = as_dict(result)
        self.status, self.body = Succeeded(), outcomes
        if "success" in outcomes:
            self.body = as_dict(outcomes["success"])
            wrong = self.body.get("isError") is True or exit_code(self.body) not in (None, 0)
            self.status = Failed() if wrong else Succeeded()
        elif refusal := next((name for name in _REFUSALS if name in outcomes), None):
            self.body = as_dict(outcomes[refusal])
            self.status = Denied(reason=_first(self.body, *_REASONS) or None)
        elif len(outcomes) == 1 and isinstance(body := next(iter(outcomes.values())), dict):
            self.body, self.status = body, Failed()
        elif isinstance(outcomes.get("error"), str) or exit_code(outcomes) not in (None, 0):
            self.status = Failed()

    def entry(self) -> NormalizedEntry:
        """The entry as it is now."""
        kind = _KINDS.get(self.name, _other)
        action, content = kind(self)
        name = action.tool_name if isinstance(action, Tool) else self.name
        return NormalizedEntry(
            entry_type=ToolUse(tool_name=name, action_type=action, status=self.status),
            content=content or name,
            metadata={"tool_call_id": self.id},
        )

    @property
    def answer(self) -> Mapping[str, Any]:
        """The answer to the call, or nothing yet."""
        return self.body or {}

    def path(self, *names: str) -> str:
        """A path among the arguments, relative to the worktree."""
        found = _first(self.args, *(names or ("path", "filePath", "file_path", "targetFile")))
        return self.paths.relative(found or as_text(self.answer.get("path")))


def exit_code(body: Mapping[str, Any]) -> int | None:
    """The exit code of a command, if it is told."""
    code = body.get("exitCode")
    return code if type(code) is int and -(2**31) <= code < 2**31 else None


def _first(values: Mapping[str, Any], *names: str) -> str:
    return next((found for name in names if (found := as_text(values.get(name)))), "")


# ---------------------------------------------------------------- one function per kind


def _shell(call: CursorCall) -> tuple[Action, str]:
    command = _first(call.args, "command")
    return CommandRun(command=command, result=_ran(call)), command


def _ran(call: CursorCall) -> CommandRunResult | None:
    body = call.body
    if body is None or isinstance(call.status, Denied):
        return None  # what was not allowed has done nothing
    parts = [as_text(body.get("stdout")), as_text(body.get("stderr"))]
    output = as_text(body.get("interleavedOutput")) or "\n".join(part for part in parts if part)
    code = exit_code(body)
    if code is None:
        done = Success(success=isinstance(call.status, Succeeded))
        return CommandRunResult(exit_status=done, output=output or _first(body, *_REASONS))
    return CommandRunResult(exit_status=ExitCode(code=code), output=output)


def _read(call: CursorCall) -> tuple[Action, str]:
    path = call.path()
    return FileRead(path=path), path


def _edit(call: CursorCall) -> tuple[Action, str]:
    path = call.path()
    change = _reported_change(path, call.answer) or _asked_change(path, call.args)
    return FileEdit(path=path, changes=[] if change is None else [change]), path


def _reported_change(path: str, body: Mapping[str, Any]) -> FileChange | None:
    old, new = body.get("beforeFullFileContent"), body.get("afterFullFileContent")
    if isinstance(new, str):
        if not isinstance(old, str):
            return FileChangeWrite(content=new)
        diff = unified_diff(path, old, new)
        return FileChangeEdit(unified_diff=diff, has_line_numbers=True) if diff else None
    return parse_diff(path, as_text(body.get("diffString")))


def _asked_change(path: str, args: Mapping[str, Any]) -> FileChange | None:
    nested = next((as_dict(args[name]) for name in _WAYS if name in args), args)
    if patch := _first(nested, *_PATCHES):
        return parse_diff(path, patch)
    several = as_list(nested.get("edits")) or [nested]
    pairs = [(_first(as_dict(one), *_OLD), _first(as_dict(one), *_NEW)) for one in several]
    if any(old or new for old, new in pairs):
        return FileChangeEdit(unified_diff=from_texts(path, pairs))
    whole = _first(args, *_WHOLE)
    return FileChangeWrite(content=whole) if whole else None


def _delete(call: CursorCall) -> tuple[Action, str]:
    path = call.path()
    return FileEdit(path=path, changes=[FileChangeDelete()]), path


def _search(call: CursorCall) -> tuple[Action, str]:
    query = _first(call.args, "pattern", "globPattern", "query", "glob")
    return Search(query=query), query


def _fetch(call: CursorCall) -> tuple[Action, str]:
    url = _first(call.args, "url", "searchTerm", "query")
    return WebFetch(url=url), url


def _list(call: CursorCall) -> tuple[Action, str]:
    path = call.path("path", "directory", "targetDirectory")
    return Other(description="List directory"), f"List directory: {path}"


def _plan(call: CursorCall) -> tuple[Action, str]:
    plan = _first(call.args, "plan", "overview", "content")
    return PlanPresentation(plan=plan), plan


def _task(call: CursorCall) -> tuple[Action, str]:
    description = _first(call.args, "description", "prompt")
    return TaskCreate(description=description), f"Task: {description}"


def _mcp(call: CursorCall) -> tuple[Action, str]:
    provider = _first(call.args, "providerIdentifier", "server", "serverName") or "mcp"
    name = f"mcp:{provider}:{_first(call.args, 'toolName', 'name')}"
    given = call.args.get("args")
    return Tool(tool_name=name, arguments=given, result=_result(call)), name


def _function(call: CursorCall) -> tuple[Action, str]:
    name = _first(call.args, "name") or call.name
    given = call.args.get("arguments")
    decoded = loads(given) if isinstance(given, str) else given
    arguments = given if decoded is None else decoded
    return Tool(tool_name=name, arguments=arguments, result=_result(call)), name


def _other(call: CursorCall) -> tuple[Action, str]:
    given = dict(call.args) or None
    return Tool(tool_name=call.name, arguments=given, result=_result(call)), call.name


def _result(call: CursorCall) -> ToolResult | None:
    body = call.body
    if body is None:
        return None
    blocks = [as_dict(block) for block in as_list(body.get("content"))]
    texts = [as_text(block.get("text")) or _first(as_dict(block.get("text")), "text")
             for block in blocks]  # fmt: skip
    text = "\n\n".join(text for text in texts if text)
    if not text and (isinstance(call.status, Failed | Denied) or set(body) <= set(_REASONS)):
        text = _first(body, *_REASONS)
    if not text:
        return ToolResult(type=Json(), value=dict(body)) if body else None
    if text[:1] in ("{", "[") and (value := loads(text)) is not None:
        return ToolResult(type=Json(), value=value)
    return ToolResult(type=Markdown(), value=text)


_KINDS: dict[str, Callable[[CursorCall], tuple[Action, str]]] = {
    "shell": _shell,
    "read": _read,
    "edit": _edit,
    "write": _edit,
    "strReplace": _edit,
    "searchReplace": _edit,
    "multiStrReplace": _edit,
    "applyPatch": _edit,
    "delete": _delete,
    "ls": _list,
    "glob": _search,
    "grep": _search,
    "semSearch": _search,
    "codebaseSearch": _search,
    "webFetch": _fetch,
    "fetch": _fetch,
    "webSearch": _fetch,
    "createPlan": _plan,
    "task": _task,
    "mcp": _mcp,
    "function": _function,
}
