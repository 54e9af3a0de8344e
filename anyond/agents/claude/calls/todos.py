"""One to-do list from the two kinds of to-do tools of Claude Code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from anyond.agents.claude.calls.tools import Result
from anyond.agents.common.entry import Source
from anyond.model.entries import (
    Created,
    NormalizedEntry,
    TodoItem,
    TodoManagement,
    ToolStatus,
    ToolUse,
)

OPERATIONS = {
    "TodoWrite": "write",
    "TodoRead": "read",
    "TaskCreate": "write",
    "TaskUpdate": "update",
    "TaskList": "read",
    "TaskGet": "read",
}


@dataclass
class Todos(Source):
    """The list of one agent (a sub-agent has its own): one entry, kept up to date."""

    key: str
    parent: str | None = None
    tool_name: str = "TodoWrite"
    call_id: str = ""
    status: ToolStatus = field(default_factory=Created)
    _items: dict[str, TodoItem] = field(default_factory=dict)
    _calls: dict[str, tuple[str, Any]] = field(default_factory=dict)

    def begin(self, call_id: str, name: str, given: Any) -> None:
        """A tool is used; a whole list is shown at once, the rest when it has worked."""
        self._calls[call_id] = (name, given)
        self.tool_name, self.call_id, self.status = name, call_id, Created()
        if name == "TodoWrite" and isinstance(given, dict):
            self._replace(given.get("todos"))

    def end(self, call_id: str, result: Result, status: ToolStatus) -> None:
        """It came back."""
        name, given = self._calls.pop(call_id, ("", None))
        self.status = status
        if result.is_error:
            return
        if name == "TaskCreate" and (task := _dict(result.get("task"))):
            self._set(_word(task, "id"), _word(task, "subject"), "pending")
        elif name == "TaskUpdate" and (update := _dict(given)):
            self._update(update)
        elif name == "TaskList" and isinstance(result.get("tasks"), list):
            self._replace(result.get("tasks"))
        elif name == "TaskGet" and (task := _dict(result.get("task"))):
            self._set(_word(task, "id"), _word(task, "subject"), _word(task, "status"))

    def _update(self, update: dict[str, Any]) -> None:
        task_id, status = _word(update, "taskId"), _word(update, "status")
        if status == "deleted":
            self._items.pop(task_id, None)
        else:
            self._set(task_id, _word(update, "subject"), status)

    def _set(self, task_id: str, subject: str, status: str) -> None:
        known = self._items.get(task_id)
        # A resumed conversation may speak of tasks that were made before this run.
        content = subject or (known.content if known else f"Task {task_id}")
        self._items[task_id] = TodoItem(
            content=content, status=status or (known.status if known else "pending")
        )

    def _replace(self, items: Any) -> None:
        if not isinstance(items, list):
            return
        self._items = {
            _word(item, "id") or f"#{number}": TodoItem(
                content=_word(item, "content") or _word(item, "subject"),
                status=_word(item, "status") or "pending",
                priority=_word(item, "priority") or None,
            )
            for number, item in _dicts(items)
        }

    def entry(self) -> NormalizedEntry:
        """The entry as it is now."""
        done = sum(item.status == "completed" for item in self._items.values())
        return NormalizedEntry(
            entry_type=ToolUse(
                tool_name=self.tool_name,
                action_type=TodoManagement(
                    todos=list(self._items.values()), operation=OPERATIONS[self.tool_name]
                ),
                status=self.status,
            ),
            content=f"To-do list: {done} of {len(self._items)} done",
            metadata={"tool_call_id": self.call_id},
            parent=msgspec.UNSET if self.parent is None else self.parent,
        )


def _dict(value: Any) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def _dicts(values: list[Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    return ((number, value) for number, value in enumerate(values) if isinstance(value, dict))


def _word(item: dict[str, Any], name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""
