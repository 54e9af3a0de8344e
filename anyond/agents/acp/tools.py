"""What a tool call of the Agent Client Protocol means: its action, its status, its text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec import UNSET, to_builtins

from anyond.agents.acp.commands import command_of, printed
from anyond.agents.diff import unified_diff
from anyond.agents.jsonrpc import as_dict, as_list, as_text, loads
from anyond.agents.paths import relative_path
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
    PlanPresentation,
    Search,
    Succeeded,
    Success,
    TaskCreate,
    TodoItem,
    TodoManagement,
    Tool,
    ToolResult,
    ToolStatus,
    ToolUse,
    WebFetch,
)

_STATUSES: Mapping[str, ToolStatus] = {
    "pending": Created(),
    "in_progress": Created(),
    "completed": Succeeded(),
    "failed": Failed(),
}
_PATHS = (
    *("path", "file_path", "filePath", "filepath", "fileName", "abs_path", "absolute_path"),
    *("directory_path", "dir_path"),
)
_OLD = ("old_string", "oldString", "old_str")
_NEW = ("new_string", "newString", "new_str")
_WHOLE = ("content", "file_text")
_QUERIES = ("query", "pattern", "regex", "q")
_FROM = ("source", "from", "old_path", "oldPath", "source_path")
_TO = ("destination", "to", "new_path", "newPath", "destination_path")
_WORKERS = ("subagent_type", "agent_type")
_URL = re.compile(r"https?://\S+")
# One agent asks about a plan in a file, which it has written by another call.
_PLAN_TOOL = "exit_plan_mode"
_PLAN_FILE = re.compile(r"Requesting plan approval for: (/.*)", re.DOTALL)


def _first(source: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((found for name in names if (found := as_text(source.get(name)))), "")


def _query(source: Mapping[str, Any]) -> str:
    patterns = [text for text in map(as_text, as_list(source.get("patterns"))) if text]
    return _first(source, _QUERIES) or ", ".join(patterns)


def _told(fields: Mapping[str, Any]) -> str:
    """The texts of a message, in one."""
    blocks = [as_dict(item.get("content")) for item in map(as_dict, as_list(fields.get("content")))]
    return "".join(as_text(block.get("text")) for block in blocks)


class _Diff(NamedTuple):
    path: str
    old: str
    new: str
    gone: bool


class ToolCall:
    """One tool call, merged field by field from all that was said about it.

    Attributes:
        parent: the key of the sub-agent's call that it belongs to.
        plan: what is in its `plan_file`.
        apart: it goes on in the background, while the agent speaks of other things.
        honest: the agent calls a command completed only if its exit code was 0.
    """

    def __init__(self, call_id: str, cwd: str) -> None:
        self._id = call_id
        self._cwd = cwd
        self._title = ""
        self._kind = ""
        self._name = ""
        self._locations: list[str] = []
        self._input: Any = None
        self._output: Any = None
        self._texts: list[str] = []
        self._diffs: list[_Diff] = []
        self._changes: tuple[str, list[FileChange]] | None = None
        self._terminal: list[str] = []
        self._exit: int | None = None
        self._status: ToolStatus = Created()
        self.parent: str | None = None
        self.plan = ""
        self.honest = False
        self.apart = False

    @property
    def title(self) -> str:
        """How the agent calls it, or what kind of tool it is; a command is left as it is."""
        title = self._title
        if self._name and title.startswith("{"):
            # The arguments stand for the tool, as if a person knew which one it is.
            title = self._name
        if self._kind != "execute":
            cwd = self._cwd.rstrip("/")
            title = title.replace(cwd + "/", "")
            # A directory is listed by its name alone.
            title = title.removesuffix(cwd) + "." if title.endswith(" " + cwd) else title
        return title or self._kind or "tool"

    @property
    def question(self) -> Any:
        """What a person has to know to allow it or not."""
        if self._input:
            return self._input
        told: dict[str, Any] = {"title": self._title, "kind": self._kind}
        told |= {"locations": self._locations, "plan": self.plan}
        if self._diffs and not self.plan:
            told["changes"] = to_builtins(self._make_changes({})[1])
        return {name: value for name, value in told.items() if value}

    def merge(self, fields: Mapping[str, Any], asking: bool = False) -> None:
        """Take in what a message says; empty fields change nothing.

        Args:
            fields: of `tool_call`, `tool_call_update`, or a permission's `toolCall`.
            asking: it is a permission's: its texts explain the question, they are no output.
        """
        self._title = as_text(fields.get("title")) or self._title
        self._kind = as_text(fields.get("kind")) or self._kind
        self._name = as_text(as_dict(fields.get("_meta")).get("toolName")) or self._name
        self._input = fields.get("rawInput") or self._input
        self._output = fields.get("rawOutput") or self._output
        status = _STATUSES.get(as_text(fields.get("status")), self._status)
        if asking or not isinstance(self._status, Denied) or isinstance(status, Succeeded):
            self._status = status
        places = [as_text(as_dict(place).get("path")) for place in as_list(fields.get("locations"))]
        self._locations = [place for place in places if place] or self._locations
        # What is said of a command before it runs is not what it prints.
        news = fields.get("sessionUpdate") == "tool_call"
        news = news or ("rawInput" in fields and "status" not in fields)
        before = asking or (news and self.open and self._kind == "execute")
        self._merge_content(as_list(fields.get("content")), before)
        if "_meta" in fields:
            self._merge_terminal(as_dict(fields["_meta"]))
        if asking and not self._input and self._kind == "other":
            # One agent shows the arguments of a foreign tool as a text.
            self._input = as_dict(loads(_told(fields))) or None
        self._changes = None

    def _merge_terminal(self, meta: Mapping[str, Any]) -> None:
        """Some agents tell what their terminals show where only clients that know it look."""
        for name in ("terminal_output", "terminal_output_delta"):
            if text := as_text(as_dict(meta.get(name)).get("data")):
                self._terminal.append(text)
        code = as_dict(meta.get("terminal_exit")).get("exit_code")
        if isinstance(code, int) and not isinstance(code, bool):
            self._exit = code

    def _merge_content(self, content: list[Any], told_before: bool) -> None:
        texts: list[str] = []
        diffs: list[_Diff] = []
        for item in map(as_dict, content):
            if item.get("type") == "diff":
                gone = as_dict(item.get("_meta")).get("kind") == "delete"
                old, new = as_text(item.get("oldText")), as_text(item.get("newText"))
                path = relative_path(as_text(item.get("path")), self._cwd)
                diffs.append(_Diff(path, old, new, gone))
            elif item.get("type") == "content":
                block = as_dict(item.get("content"))
                text = as_text(block.get("text")) or as_text(
                    as_dict(block.get("resource")).get("text")
                )
                texts.append(text)
        # A later text does not unsay a diff, nor the other way round.
        self._diffs = diffs or self._diffs
        if texts and not told_before:
            self._texts = texts

    @property
    def open(self) -> bool:
        """Whether the agent has not said how it ended."""
        return isinstance(self._status, Created)

    @property
    def is_job(self) -> bool:
        """Whether a sub-agent does it."""
        told = self._input if isinstance(self._input, dict) else {}
        return any(isinstance(told.get(name), str) for name in _WORKERS)

    @property
    def is_plan(self) -> bool:
        """Whether it is about a plan to be approved."""
        told = bool(as_text(as_dict(self._input).get("plan")))
        return told or self._kind == "switch_mode" or self.plan_file is not None

    @property
    def plan_file(self) -> str | None:
        """The file with the plan to be approved, as its diff names it, if it is in a file."""
        found = _PLAN_FILE.match(self._title) if self._id.startswith(_PLAN_TOOL) else None
        return relative_path(found[1], self._cwd) if found else None

    def written(self, path: str) -> str | None:
        """What it has written to that file, if it has."""
        return next((diff.new for diff in self._diffs if diff.path == path), None)

    def deny(self) -> None:
        """The agent was told that it may not."""
        self._status = Denied()

    @property
    def ended_untold(self) -> bool:
        """Whether it is a command that is called completed, and nobody knows how it ended."""
        done = self._kind == "execute" and isinstance(self._status, Succeeded)
        return done and self._printed()[1] is None

    def give_up(self) -> None:
        """The turn is over, and the agent never said how this ended."""
        self._status = Failed()

    # ------------------------------------------------------------ the entry

    def entry(self) -> NormalizedEntry:
        """The entry as of now."""
        action, content = self._action()
        status = self._status
        if (
            isinstance(action, CommandRun)
            and isinstance(status, Succeeded)
            and action.result is not None
            and isinstance(action.result.exit_status, ExitCode)
            and action.result.exit_status.code != 0
        ):
            # "completed" says only that the tool has run.
            status = Failed()
        return NormalizedEntry(
            entry_type=ToolUse(tool_name=self.title, action_type=action, status=status),
            content=content or self.title,
            metadata={"tool_call_id": self._id},
            parent=UNSET if self.parent is None else self.parent,
        )

    def _action(self) -> tuple[Action, str]:
        told = as_dict(self._input)
        if plan := as_text(told.get("plan")):
            return PlanPresentation(plan=plan), plan
        if self.plan_file and self.plan:
            return PlanPresentation(plan=self.plan), self.plan
        if todos := as_list(told.get("todos")):
            action = todo_list(todos)
            return action, progress(action)
        if self.is_job and (job := as_text(told.get("description"))):
            return TaskCreate(description=job), job
        match self._kind:
            case "read":
                return self._read(told)
            case "edit" | "delete" | "move":
                return self._edit(told)
            case "execute":
                return self._execute(told)
            case "search":
                # A directory that is listed counts as a search with some.
                place = relative_path(_first(told, _PATHS), self._cwd)
                query = _query(told) or place or self._title.strip("'\"")
                return Search(query=query), query
            case "fetch":
                found = _URL.search(self._title)
                url = _first(told, ("url", *_QUERIES)) or (found[0] if found else self._title)
                return WebFetch(url=url), url
        if self._title.startswith("Glob ") and (query := _query(told)):
            return Search(query=query), query
        name = self._name or self.title
        return Tool(tool_name=name, arguments=self._input, result=self._result()), self.title

    def _path(self, told: Mapping[str, Any]) -> str:
        path = self._locations[0] if self._locations else _first(told, _PATHS)
        return relative_path(path, self._cwd) if path else ""

    def _read(self, told: Mapping[str, Any]) -> tuple[Action, str]:
        path = self._path(told)
        if not path and (query := _query(told)):
            return Search(query=query), query
        path = path or self.title
        return FileRead(path=path), path

    def _edit(self, told: Mapping[str, Any]) -> tuple[Action, str]:
        if self._changes is None:
            # Diffs cost time, and an entry may be asked for again and again.
            self._changes = self._make_changes(told)
        path, changes = self._changes
        return FileEdit(path=path, changes=changes), path

    def _make_changes(self, told: Mapping[str, Any]) -> tuple[str, list[FileChange]]:
        path = self._path(told)
        if self._kind == "move":
            to = _first(told, _TO) or (self._locations[1] if len(self._locations) > 1 else "")
            came = _first(told, _FROM)
            path = relative_path(came, self._cwd) if came else path
            new_path = relative_path(to, self._cwd)
            return path or self.title, [FileChangeRename(new_path=new_path)] if to else []
        paths = list(dict.fromkeys(diff.path for diff in self._diffs if diff.path))
        if len(paths) > 1:
            # One entry has one path; the headers of the diffs name the others.
            several: list[FileChange] = [
                FileChangeEdit(unified_diff=unified_diff(diff.path, diff.old, diff.new))
                for diff in self._diffs
            ]
            return ", ".join(paths), several
        path = (paths[0] if paths else path) or self.title
        if self._kind == "delete" or any(diff.gone for diff in self._diffs):
            return path, [FileChangeDelete()]
        changes = [_change(path, diff.old, diff.new) for diff in self._diffs]
        return path, changes or self._changes_from_input(path, told)

    def _changes_from_input(self, path: str, told: Mapping[str, Any]) -> list[FileChange]:
        if diff := as_text(told.get("diff")):
            return [FileChangeEdit(unified_diff=diff)]
        old, new = _first(told, _OLD), _first(told, _NEW)
        if old or new:
            return [_change(path, old, new)]
        whole = _first(told, _WHOLE)
        return [FileChangeWrite(content=whole)] if whole else []

    def _execute(self, told: Mapping[str, Any]) -> tuple[Action, str]:
        command = command_of(told) or self._title.strip("`") or self.title
        if isinstance(self._status, Denied):
            # It did not run: what is told of it is that it was denied.
            return CommandRun(command=command), command
        output, code = self._printed()
        status: ExitCode | Success | None = None
        if code is not None:
            status = ExitCode(code=code)
        elif isinstance(self._status, Failed) or (self.honest and not self.open):
            status = Success(success=isinstance(self._status, Succeeded))
        result = None
        if output is not None or status is not None:
            result = CommandRunResult(exit_status=status, output=output)
        return CommandRun(command=command, result=result), command

    def _printed(self) -> tuple[str | None, int | None]:
        output, code = printed("".join(self._texts), self._output)
        if self._terminal:
            # Joined once: it may be asked for after each piece.
            self._terminal = ["".join(self._terminal)]
            output = self._terminal[0]
        return output, code if self._exit is None else self._exit

    def _result(self) -> ToolResult | None:
        if self._texts:
            return ToolResult(type=Markdown(), value="\n".join(self._texts))
        if isinstance(self._output, str):
            return ToolResult(type=Markdown(), value=self._output)
        return None if self._output is None else ToolResult(type=Json(), value=self._output)


def _change(path: str, old: str, new: str) -> FileChange:
    if not old:
        return FileChangeWrite(content=new)
    return FileChangeEdit(unified_diff=unified_diff(path, old, new))


def todo_list(todos: list[Any]) -> TodoManagement:
    """A list of things to do, as agents write it."""
    return TodoManagement(
        todos=[
            TodoItem(
                content=as_text(todo.get("content")) or as_text(todo.get("description")),
                status=as_text(todo.get("status")) or "pending",
                priority=as_text(todo.get("priority")) or None,
            )
            for todo in map(as_dict, todos)
        ]
    )


def progress(told: TodoManagement) -> str:
    """How far a list of things to do has come, in a few words."""
    done = sum(todo.status == "completed" for todo in told.todos)
    return f"Plan: {done} of {len(told.todos)} done"
