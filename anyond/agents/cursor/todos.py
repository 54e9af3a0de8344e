"""The to-do list of the Cursor agent, sent whole or as changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anyond.agents.common.entry import Source
from anyond.agents.json_rpc.jsonrpc import as_dict, as_list, as_text
from anyond.model.entries import (
    Created,
    Failed,
    NormalizedEntry,
    Succeeded,
    TodoItem,
    TodoManagement,
    ToolStatus,
    ToolUse,
)

NAMES = frozenset({"updateTodos", "todoWrite"})


class CursorTodos(Source):
    """The list: one entry, kept up to date."""

    key = "todos"

    def __init__(self) -> None:
        self._items: dict[str, TodoItem] = {}
        self._status: ToolStatus = Created()
        self._name = ""
        self._call_id = ""

    def begin(self, call_id: str, name: str, args: Mapping[str, Any]) -> None:
        """It is to be changed: shown at once."""
        self._call_id, self._name, self._status = call_id, name, Created()
        if args.get("merge") is not True:
            self._items = {}
        self._take(args.get("todos"))

    def end(self, result: Any) -> None:
        """It was changed; the result may tell the whole list."""
        outcomes = as_dict(result)
        self._status = Failed() if outcomes and "success" not in outcomes else Succeeded()
        listed = as_dict(outcomes.get("success")).get("todos")
        if as_list(listed):
            self._items = {}
            self._take(listed)

    def _take(self, todos: Any) -> None:
        for todo in map(as_dict, as_list(todos)):
            known = as_text(todo.get("id")) or f"#{len(self._items)}"
            before = self._items.get(known)
            content = as_text(todo.get("content")) or (before.content if before else "")
            status = as_text(todo.get("status")).removeprefix("TODO_STATUS_").lower()
            if content:
                status = status or (before.status if before else "pending")
                self._items[known] = TodoItem(content=content, status=status)

    def entry(self) -> NormalizedEntry:
        """The entry as it is now."""
        done = sum(item.status == "completed" for item in self._items.values())
        action = TodoManagement(todos=list(self._items.values()), operation="write")
        return NormalizedEntry(
            entry_type=ToolUse(tool_name=self._name, action_type=action, status=self._status),
            content=f"To-do list: {done} of {len(self._items)} done",
            metadata={"tool_call_id": self._call_id},
        )
