"""To-do lists, as agents of the Agent Client Protocol write them."""

from __future__ import annotations

from typing import Any

from anyond.agents.json_rpc.jsonrpc import as_dict, as_text
from anyond.model.entries import TodoItem, TodoManagement


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


def progress(management: TodoManagement) -> str:
    """Return the progress of a to-do list, in a few words."""
    done = sum(todo.status == "completed" for todo in management.todos)
    return f"Plan: {done} of {len(management.todos)} done"
