"""The tools of Claude Code, in the terms of our entries."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from anyond.agents.claude.calls import diffs
from anyond.agents.claude.wire import anything
from anyond.agents.common.entry import Source
from anyond.agents.common.paths import Paths
from anyond.model.entries import (
    Action,
    CommandRun,
    CommandRunResult,
    Created,
    Denied,
    ExitCode,
    FileChange,
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
    StatusTimedOut,
    Success,
    TaskCreate,
    Tool,
    ToolResult,
    ToolStatus,
    ToolUse,
    WebFetch,
)

QUESTION = "AskUserQuestion"
PLAN = "ExitPlanMode"
INTERRUPTED = "The user doesn't want to proceed with this tool use."
"""So the model is told of a tool that an interrupt has ended; no tool has written it."""
SUBAGENTS = frozenset({"Agent", "Task"})

_REFUSED = re.compile(r"<tool_use_error>(.*)</tool_use_error>", re.DOTALL)
_EXIT_CODE = re.compile(r"\A(?:Error: )?Exit code (\d{1,9})(?:\n|\Z)")


@dataclass(frozen=True)
class Result:
    """The result of a tool.

    Args:
        text: what the model reads.
        detail: the same as data, if the tool has data.
    """

    text: str
    is_error: bool
    detail: Any = None

    def get(self, key: str) -> Any:
        """A field of the data, or None."""
        return self.detail.get(key) if isinstance(self.detail, dict) else None


@dataclass
class Call(Source):
    """One use of a tool, from its announcement to its end."""

    key: str
    id: str
    name: str
    input: Any
    paths: Paths
    parent: str | None = None
    status: ToolStatus = field(default_factory=Created)
    result: Result | None = None

    def asked(self, given: Any) -> None:
        """The program asks whether it may be used so: a hook may have changed its input.

        The input of a plan that is in a file has the plan only here, or only at the beginning.
        """
        if given and (self.name != PLAN or (isinstance(given, dict) and given.get("plan"))):
            self.input = given

    def entry(self) -> NormalizedEntry:
        """The entry as it is now."""
        name = _display_name(self.name)
        # What was not allowed has done nothing: its result is only how the model was told so.
        result = None if isinstance(self.status, Denied | StatusTimedOut) else self.result
        action, content = describe(name, self.input, result, self.paths)
        return NormalizedEntry(
            entry_type=ToolUse(tool_name=name, action_type=action, status=self.status),
            content=content or name,
            metadata={"tool_call_id": self.id},
            parent=msgspec.UNSET if self.parent is None else self.parent,
        )


def describe(name: str, given: Any, result: Result | None, paths: Paths) -> tuple[Action, str]:
    """Return the action of a tool and the sentence for it.

    Args:
        name: as shown (`mcp:…` for tools of MCP servers).
        given: the tool's input, of any type.
        result: None while it runs.
    """
    inputs = given if isinstance(given, dict) else {}
    known = _KINDS.get(name)
    if known is None:
        return Tool(tool_name=name, arguments=given, result=_tool_result(result)), name
    return known(name, inputs, result, paths)


def plain_text(content: Any) -> str:
    """The text of a tool result, which is a string or a list of blocks."""
    if isinstance(content, str):
        refused = _REFUSED.fullmatch(content)
        return refused.group(1) if refused else content
    if isinstance(content, list):
        texts = (block.get("text") for block in content if isinstance(block, dict))
        return "\n\n".join(text for text in texts if isinstance(text, str))
    return ""


# ---------------------------------------------------------------- one function per kind

Inputs = Mapping[str, Any]


def _text(inputs: Inputs, *names: str) -> str:
    for name in names:
        value = inputs.get(name)
        if isinstance(value, str):
            return value
    return ""


def _display_name(name: str) -> str:
    if name.startswith("mcp__"):
        return ":".join(["mcp", *name.removeprefix("mcp__").split("__", 1)])
    return name


def _read(name: str, inputs: Inputs, result: Result | None, paths: Paths) -> tuple[Action, str]:
    file = _done(result, "file")
    done = _text(file, "filePath") if isinstance(file, dict) else ""
    path = paths.relative(done or _text(inputs, "file_path", "path", "notebook_path"))
    return FileRead(path=path), path


def _write(name: str, inputs: Inputs, result: Result | None, paths: Paths) -> tuple[Action, str]:
    path, done = _edited(inputs, result, paths), result.get("content") if result else None
    content = done if isinstance(done, str) else _text(inputs, "content")
    change: FileChange = FileChangeWrite(content=content)
    if result is not None and result.get("type") == "update":
        change = _numbered(path, result) or change
    return FileEdit(path=path, changes=[change]), path


def _edit(name: str, inputs: Inputs, result: Result | None, paths: Paths) -> tuple[Action, str]:
    path = _edited(inputs, result, paths)
    change = _numbered(path, result) if result is not None else None
    if change is None:
        several = inputs.get("edits")
        edits = several if isinstance(several, list) else [inputs]
        pairs = [
            (_text(edit, "old_string", "old_str"), _text(edit, "new_string", "new_str"))
            for edit in edits
            if isinstance(edit, dict)
        ]
        change = FileChangeEdit(unified_diff=diffs.from_texts(path, pairs))
    return FileEdit(path=path, changes=[change]), path


def _edited(inputs: Inputs, result: Result | None, paths: Paths) -> str:
    """Return the edited file; a hook may have chosen another one, without a question."""
    done = _done(result, "filePath")
    return paths.relative((isinstance(done, str) and done) or _text(inputs, "file_path", "path"))


def _done(result: Result | None, key: str) -> Any:
    """Return what the result of a tool that worked tells of what was done, or None."""
    return result.get(key) if result is not None and not result.is_error else None


def _numbered(path: str, result: Result) -> FileChangeEdit | None:
    parts = diffs.hunks(result.get("structuredPatch"))
    if not parts:
        return None
    return FileChangeEdit(unified_diff=diffs.from_hunks(path, parts), has_line_numbers=True)


def _notebook(name: str, inputs: Inputs, result: Result | None, paths: Paths) -> tuple[Action, str]:
    done = _done(result, "notebook_path")
    given = _text(inputs, "notebook_path", "file_path")
    path = paths.relative((isinstance(done, str) and done) or given)
    old = result.get("old_source") if result is not None else None
    new = _done(result, "new_source")
    new = new if isinstance(new, str) else _text(inputs, "new_source")
    pair = (old if isinstance(old, str) else "", new)
    change = FileChangeEdit(unified_diff=diffs.from_texts(path, [pair]))
    return FileEdit(path=path, changes=[change]), path


def _command(name: str, inputs: Inputs, result: Result | None, paths: Paths) -> tuple[Action, str]:
    command = _text(inputs, "command", "cmd")
    ran = None if result is None else _ran(result)
    return CommandRun(command=command, result=ran), command


def _ran(result: Result) -> CommandRunResult:
    match = _EXIT_CODE.match(result.text) if result.is_error else None
    if match:
        code = ExitCode(code=int(match.group(1)))
        return CommandRunResult(exit_status=code, output=result.text[match.end() :])
    parts = [result.get("stdout"), result.get("stderr")]
    texts = [part for part in parts if isinstance(part, str)]
    output = "\n".join(text for text in texts if text) if texts else result.text
    known = result.get("exitCode")
    if type(known) is int and -(2**31) <= known < 2**31:
        return CommandRunResult(exit_status=ExitCode(code=known), output=output)
    return CommandRunResult(exit_status=Success(success=not result.is_error), output=output)


def _search(name: str, inputs: Inputs, result: Result | None, paths: Paths) -> tuple[Action, str]:
    pattern = _text(inputs, "pattern", "query")
    return Search(query=pattern), pattern


def _fetch(name: str, inputs: Inputs, result: Result | None, paths: Paths) -> tuple[Action, str]:
    done = _done(result, "url") or _done(result, "query")
    url = (isinstance(done, str) and done) or _text(inputs, "url", "query")
    return WebFetch(url=url), url


def _subagent(name: str, inputs: Inputs, result: Result | None, paths: Paths) -> tuple[Action, str]:
    description = _text(inputs, "description") or _text(inputs, "prompt")
    return TaskCreate(description=description), f"Task: {description}"


def _plan(name: str, inputs: Inputs, result: Result | None, paths: Paths) -> tuple[Action, str]:
    plan = _text(inputs, "plan")
    return PlanPresentation(plan=plan), plan


def _list(name: str, inputs: Inputs, result: Result | None, paths: Paths) -> tuple[Action, str]:
    path = paths.relative(_text(inputs, "path"))
    return Other(description="List directory"), f"List directory: {path}"


def _question(name: str, inputs: Inputs, result: Result | None, paths: Paths) -> tuple[Action, str]:
    questions = inputs.get("questions")
    asked = [
        _text(question, "question")
        for question in (questions if isinstance(questions, list) else [])
        if isinstance(question, dict)
    ]
    answers = result.get("answers") if result is not None else None
    reported = _tool_result(result) if answers is None else ToolResult(type=Json(), value=answers)
    return Tool(tool_name=name, arguments=dict(inputs), result=reported), "\n".join(asked) or name


def _tool_result(result: Result | None) -> ToolResult | None:
    if result is None:
        return None
    if result.text[:1] in ("{", "["):
        try:
            return ToolResult(type=Json(), value=anything(result.text.encode()))
        except (ValueError, RecursionError):
            pass  # it only looked like JSON: it is shown as the text that it is
    return ToolResult(type=Markdown(), value=result.text)


_KINDS: dict[str, Callable[[str, Inputs, Result | None, Paths], tuple[Action, str]]] = {
    "Read": _read,
    "NotebookRead": _read,
    "Write": _write,
    "Edit": _edit,
    "MultiEdit": _edit,
    "NotebookEdit": _notebook,
    "Bash": _command,
    "Grep": _search,
    "Glob": _search,
    "WebFetch": _fetch,
    "WebSearch": _fetch,
    "Agent": _subagent,
    "Task": _subagent,
    "LS": _list,
    PLAN: _plan,
    QUESTION: _question,
}
