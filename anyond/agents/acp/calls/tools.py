"""Tool calls of the Agent Client Protocol: their action, their status, their text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, to_builtins

from anyond.agents.acp.calls.arguments import names_worker, path_in, query_in, url_in
from anyond.agents.acp.calls.changes import edited, moved
from anyond.agents.acp.calls.commands import command_of, printed, result_of
from anyond.agents.acp.calls.content import Content, text_of
from anyond.agents.acp.calls.terminal import Terminal
from anyond.agents.acp.calls.titles import displayed_title, plan_file_of, url_of
from anyond.agents.acp.calls.todos import progress, todo_list
from anyond.agents.common.paths import relative_path
from anyond.agents.json_rpc.jsonrpc import as_dict, as_list, as_text, loads
from anyond.model.entries import (
    Action,
    CommandRun,
    Created,
    Denied,
    ExitCode,
    Failed,
    FileEdit,
    FileRead,
    Json,
    Markdown,
    NormalizedEntry,
    PlanPresentation,
    Search,
    Succeeded,
    TaskCreate,
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
        self._content = Content(cwd)
        self._edit: FileEdit | None = None
        self._terminal = Terminal()
        self._status: ToolStatus = Created()
        self.parent: str | None = None
        self.plan = ""
        self.honest = False
        self.apart = False

    @property
    def title(self) -> str:
        """The agent's title of it, or the kind of tool; a command is left as it is."""
        return displayed_title(self._title, self._name, self._kind, self._cwd)

    @property
    def question(self) -> Any:
        """The facts that a person needs to allow it or not."""
        if self._input:
            return self._input
        state: dict[str, Any] = {"title": self._title, "kind": self._kind}
        state |= {"locations": self._locations, "plan": self.plan}
        if self._content.diffs and not self.plan:
            state["changes"] = to_builtins(self._edited({}).changes)
        return {name: value for name, value in state.items() if value}

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
        paths = [as_text(as_dict(place).get("path")) for place in as_list(fields.get("locations"))]
        self._locations = [place for place in paths if place] or self._locations
        # What is said of a command before it runs is not what it prints.
        news = fields.get("sessionUpdate") == "tool_call"
        news = news or ("rawInput" in fields and "status" not in fields)
        before = asking or (news and self.open and self._kind == "execute")
        self._content.merge(as_list(fields.get("content")), before)
        if "_meta" in fields:
            self._terminal.merge(as_dict(fields["_meta"]))
        if asking and not self._input and self._kind == "other":
            # One agent shows the arguments of a foreign tool as a text.
            self._input = as_dict(loads(text_of(fields))) or None
        self._edit = None

    @property
    def open(self) -> bool:
        """True if the agent has not said how it ended."""
        return isinstance(self._status, Created)

    @property
    def is_job(self) -> bool:
        """True if a sub-agent does it."""
        return names_worker(as_dict(self._input))

    @property
    def is_plan(self) -> bool:
        """True if it is about a plan to be approved."""
        has_plan = bool(as_text(as_dict(self._input).get("plan")))
        return has_plan or self._kind == "switch_mode" or self.plan_file is not None

    @property
    def plan_file(self) -> str | None:
        """The file with the plan to be approved, as its diff names it, if it is in a file."""
        return plan_file_of(self._title, self._id, self._cwd)

    def written(self, path: str) -> str | None:
        """Return the content that it has written to that file, if it has."""
        return self._content.written(path)

    def deny(self) -> None:
        """The agent was told that it may not."""
        self._status = Denied()

    @property
    def ended_unreported(self) -> bool:
        """True if it is a command that is called completed, and nobody knows how it ended."""
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
        arguments = as_dict(self._input)
        if plan := as_text(arguments.get("plan")):
            return PlanPresentation(plan=plan), plan
        if self.plan_file and self.plan:
            return PlanPresentation(plan=self.plan), self.plan
        if todos := as_list(arguments.get("todos")):
            action = todo_list(todos)
            return action, progress(action)
        if self.is_job and (job := as_text(arguments.get("description"))):
            return TaskCreate(description=job), job
        match self._kind:
            case "read":
                return self._read(arguments)
            case "edit" | "delete" | "move":
                if self._edit is None:
                    # Diffs cost time, and an entry may be asked for again and again.
                    self._edit = self._edited(arguments)
                return self._edit, self._edit.path
            case "execute":
                return self._execute(arguments)
            case "search":
                # A directory that is listed counts as a search with some.
                place = relative_path(path_in(arguments), self._cwd)
                query = query_in(arguments) or place or self._title.strip("'\"")
                return Search(query=query), query
            case "fetch":
                url = url_in(arguments) or url_of(self._title)
                return WebFetch(url=url), url
        if self._title.startswith("Glob ") and (query := query_in(arguments)):
            return Search(query=query), query
        name = self._name or self.title
        return Tool(tool_name=name, arguments=self._input, result=self._result()), self.title

    def _path(self, arguments: Mapping[str, Any]) -> str:
        path = self._locations[0] if self._locations else path_in(arguments)
        return relative_path(path, self._cwd) if path else ""

    def _read(self, arguments: Mapping[str, Any]) -> tuple[Action, str]:
        path = self._path(arguments)
        if not path and (query := query_in(arguments)):
            return Search(query=query), query
        path = path or self.title
        return FileRead(path=path), path

    def _edited(self, arguments: Mapping[str, Any]) -> FileEdit:
        path = self._path(arguments) or self.title
        if self._kind == "move":
            to = self._locations[1] if len(self._locations) > 1 else ""
            return moved(path, to, arguments, self._cwd)
        return edited(path, self._content.diffs, arguments, self._kind == "delete")

    def _execute(self, arguments: Mapping[str, Any]) -> tuple[Action, str]:
        command = command_of(arguments) or self._title.strip("`") or self.title
        if isinstance(self._status, Denied):
            # It did not run: what is told of it is that it was denied.
            return CommandRun(command=command), command
        success = None
        if isinstance(self._status, Failed) or (self.honest and not self.open):
            success = isinstance(self._status, Succeeded)
        result = result_of(*self._printed(), success)
        return CommandRun(command=command, result=result), command

    def _printed(self) -> tuple[str | None, int | None]:
        output, code = printed("".join(self._content.texts), self._output)
        displayed, ended = self._terminal.output, self._terminal.exit_code
        return output if displayed is None else displayed, code if ended is None else ended

    def _result(self) -> ToolResult | None:
        if self._content.texts:
            return ToolResult(type=Markdown(), value="\n".join(self._content.texts))
        if isinstance(self._output, str):
            return ToolResult(type=Markdown(), value=self._output)
        return None if self._output is None else ToolResult(type=Json(), value=self._output)
