"""A conversation on a screen: texts as they are, tools in a line each, once they are over."""

from __future__ import annotations

import shutil
from typing import NamedTuple

from msgspec import UNSET

from anyond.cli.following.screen import Screen
from anyond.cli.rendering.colors import Style
from anyond.cli.rendering.harmless import in_one_line
from anyond.cli.rendering.tables import cut
from anyond.model.entries import (
    AssistantMessage,
    CommandRun,
    Created,
    Denied,
    ErrorMessage,
    ExitCode,
    Failed,
    FileChangeEdit,
    FileChangeWrite,
    FileEdit,
    NormalizedEntry,
    PendingApproval,
    StatusTimedOut,
    SystemMessage,
    Thinking,
    TodoManagement,
    TokenUsage,
    ToolUse,
    UserFeedback,
    UserMessage,
)
from anyond.model.http.frames import IndexedEntry

_BAD_LINES = 12


class Asked(NamedTuple):
    """An approval that an entry waits for."""

    approval_id: str
    entry: NormalizedEntry


class Transcript:
    """The entries of one process after the other.

    Attributes:
        running: what the agent does at this moment, for the foot; "" if that is not known.
        usage: the tokens of the process, as they were reported last.
        waiting: the approvals that entries wait for, by the index of the entry.
    """

    def __init__(self, screen: Screen, *, verbose: bool = False) -> None:
        self._screen = screen
        self._verbose = verbose
        self._printed: dict[int, str] = {}
        self._done: set[int] = set()
        self._held: dict[int, IndexedEntry] = {}
        self._plan = ""
        self.running = ""
        self.usage: TokenUsage | None = None
        self.waiting: dict[int, Asked] = {}

    def begin(self) -> None:
        """Another process: indexes begin anew."""
        self.flush()
        self._printed.clear()
        self._done.clear()
        self.waiting.clear()
        self.running = ""

    def flush(self) -> None:
        """Print what was held back until it is complete."""
        for index in sorted(self._held):
            self._print_held(self._held[index])
        self._held.clear()
        self._screen.close()

    def put(self, frame: IndexedEntry) -> None:
        """Print what is new of an entry."""
        for index in [index for index in sorted(self._held) if index < frame.index]:
            self._print_held(self._held.pop(index))
        match frame.entry_type:
            case AssistantMessage():
                self._grow(frame)
            case Thinking() | SystemMessage():
                self._held[frame.index] = frame
            case UserMessage():
                self._once(frame, f"› {frame.content}", Style.BOLD)
            case UserFeedback():
                self._once(frame, f"› {frame.content}", Style.BOLD)
            case ErrorMessage():
                self._once(frame, f"! {frame.content}", Style.BAD)
            case TokenUsage() as usage:
                self.usage = usage
            case ToolUse() as tool:
                self._tool(frame, tool)

    def _grow(self, frame: IndexedEntry) -> None:
        before = self._printed.get(frame.index, "")
        if frame.content == before:
            return
        self._printed[frame.index] = frame.content
        if frame.content.startswith(before):
            self._screen.grow(frame.index, frame.content[len(before) :], _indent(frame))
        else:
            self._screen.line(frame.content, indent=_indent(frame))

    def _once(self, frame: IndexedEntry, text: str, style: Style | None) -> None:
        if frame.index not in self._done:
            self._done.add(frame.index)
            self._screen.line(text.rstrip("\n"), style, _indent(frame))

    def _print_held(self, frame: IndexedEntry) -> None:
        text = frame.content.strip()
        if frame.index in self._done or not text:
            return
        if self._verbose:
            self._once(frame, f"~ {text}", Style.DIM)
        else:
            more = " …" if "\n" in text else ""
            self._once(frame, f"~ {_cut(text.partition(chr(10))[0])}{more}", Style.DIM)

    def _tool(self, frame: IndexedEntry, tool: ToolUse) -> None:
        line = tool_line(frame, tool)
        if isinstance(tool.status, PendingApproval):
            self.waiting[frame.index] = Asked(tool.status.approval_id, frame)
            return
        self.waiting.pop(frame.index, None)
        if isinstance(tool.action_type, TodoManagement):
            self._todos(frame, tool.action_type)
            return
        if isinstance(tool.status, Created):
            self.running = line
            return
        if frame.index in self._done:
            return
        self.running = ""
        bad = isinstance(tool.status, Failed | Denied | StatusTimedOut)
        self._once(frame, f"{'✕' if bad else '✓'} {line}", Style.BAD if bad else Style.BUSY)
        action = tool.action_type
        result = action.result if isinstance(action, CommandRun) else None
        if result is not None and result.output and (bad or self._verbose):
            lines = result.output.rstrip().splitlines()
            left_out = [] if self._verbose else lines[:-_BAD_LINES]
            if left_out:
                self._screen.line(f"… {len(left_out)} lines before", Style.DIM, "    ")
            self._screen.line("\n".join(lines[len(left_out) :]), Style.DIM, "    ")

    def _todos(self, frame: IndexedEntry, todos: TodoManagement) -> None:
        done = sum(todo.status in {"completed", "done"} for todo in todos.todos)
        now = next((todo.content for todo in todos.todos if todo.status == "in_progress"), "")
        text = f"plan {done} of {len(todos.todos)}" + (f": {in_one_line(now)}" if now else "")
        if text != self._plan:
            self._plan = text
            self._screen.line(f"☰ {text}", Style.DIM, _indent(frame))


def tool_line(entry: NormalizedEntry, tool: ToolUse) -> str:
    """A tool call in one line: what it is, on what, and how it went."""
    action = tool.action_type
    match action:
        case CommandRun():
            result = action.result.exit_status if action.result is not None else None
            code = f" → {result.code}" if isinstance(result, ExitCode) and result.code else ""
            return f"{_cut('$ ' + in_one_line(action.command))}{code}"
        case FileEdit():
            added = removed = 0
            for change in action.changes:
                if isinstance(change, FileChangeEdit):
                    lines = change.unified_diff.splitlines()
                    added += sum(o.startswith("+") and not o.startswith("+++") for o in lines)
                    removed += sum(o.startswith("-") and not o.startswith("---") for o in lines)
                elif isinstance(change, FileChangeWrite):
                    added += len(change.content.splitlines())
            return f"edit {in_one_line(action.path)} (+{added} −{removed})"
    kind = action.__struct_config__.tag
    word = str(kind).replace("_", " ") if kind != "tool" else tool.tool_name
    text = in_one_line(entry.content)
    return _cut(in_one_line(word) if not text else f"{in_one_line(word)} {text}")


def _indent(entry: NormalizedEntry) -> str:
    """Room in front of what a sub-agent does."""
    return "" if entry.parent is UNSET else "  │ "


def _cut(text: str) -> str:
    return cut(in_one_line(text), max(40, shutil.get_terminal_size((120, 24)).columns - 8))
