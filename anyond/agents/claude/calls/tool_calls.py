"""The entries of tool uses: which one a line belongs to, and when it is over."""

from __future__ import annotations

from typing import Any

from anyond.agents.claude.calls.todos import OPERATIONS, Todos
from anyond.agents.claude.calls.tools import (
    INTERRUPTED,
    SUBAGENTS,
    Call,
    Result,
    plain_text,
)
from anyond.agents.claude.wire import Block
from anyond.agents.common.entry import Source
from anyond.agents.common.paths import Paths
from anyond.model.entries import Created, Failed, Succeeded, ToolStatus

_LAUNCHED = ("async_launched", "remote_launched")
_ENDS: dict[str, ToolStatus] = {
    "completed": Succeeded(),
    "failed": Failed(),
    "stopped": Failed(),
    "killed": Failed(),
}


class ToolCalls:
    """All uses of tools in a run, by the ids that the model gives them."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._running: dict[str, Call] = {}
        self._listing: dict[str, Todos] = {}
        self._lists: dict[str | None, Todos] = {}
        self._over: set[str] = set()

    def begin(self, call_id: str, name: str, given: Any, parent: str | None) -> Source | None:
        """A tool is used, or may be: its entry, made when it is first heard of.

        Args:
            parent: the key of the sub-agent's entry, None for the main agent.

        Returns:
            The entry; None if the call is already over.
        """
        if call_id in self._over:
            return None
        if call_id in self._listing:
            return self._listing[call_id]
        if name in OPERATIONS:
            todos = self._lists.get(parent)
            if todos is None:
                key = "todos" if parent is None else f"todos:{parent}"
                todos = self._lists[parent] = Todos(key, parent)
            self._listing[call_id] = todos
            todos.begin(call_id, name, given)
            return todos
        call = self._running.get(call_id)
        if call is None:
            call = Call(f"tool:{call_id}", call_id, name, given, self._paths, parent)
            self._running[call_id] = call
        if call.parent is None:
            call.parent = parent
        return call

    def end(self, block: Block, detail: Any) -> Source | None:
        """A tool came back; the entry, if its beginning was seen.

        Args:
            block: a tool_result.
            detail: the same as data, if there is any.
        """
        text, failed = plain_text(block.content), block.is_error is True
        result = Result("" if failed and text.startswith(INTERRUPTED) else text, failed, detail)
        status: ToolStatus = Failed() if result.is_error else Succeeded()
        todos = self._listing.pop(block.tool_use_id, None)
        if todos is not None:
            self._over.add(block.tool_use_id)
            todos.end(block.tool_use_id, result, status)
            return todos
        call = self._running.get(block.tool_use_id)
        if call is None:
            return None
        call.result = result
        if call.name in SUBAGENTS and result.get("status") in _LAUNCHED:
            return call  # it works in the background, and a notice tells its end
        if isinstance(call.status, Created):
            call.status = status
        del self._running[call.id]
        self._over.add(call.id)
        return call

    def notified(self, call_id: str | None, status: str | None) -> Source | None:
        """A task came to an end; the entry, if it is a sub-agent's and that is news."""
        call = self._running.get(call_id or "")
        end = _ENDS.get(status or "")
        if call is None or call.name not in SUBAGENTS or end is None:
            return None
        call.status = end
        return call
