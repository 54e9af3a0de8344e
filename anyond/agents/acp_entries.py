"""What the updates of one session of the Agent Client Protocol add to the conversation."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from typing import Any

from anyond.agents.acp_tools import ToolCall
from anyond.agents.acp_usage import Usage
from anyond.agents.core import AgentEvent, EntryPut
from anyond.agents.jsonrpc import as_dict, as_text
from anyond.model.entries import (
    AssistantMessage,
    ErrorMessage,
    NormalizedEntry,
    OtherError,
    SetupRequired,
    Succeeded,
    SystemMessage,
    Thinking,
    TodoItem,
    TodoManagement,
    ToolUse,
    UserMessage,
)

STDERR_BYTES = 64 * 1024
"""So much of stderr is shown, its end; all of it is in the raw log."""

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")


class _Text:
    """A text that grows by chunks; joined only when somebody looks."""

    def __init__(self, kind: AssistantMessage | Thinking, message_id: str) -> None:
        self.kind = kind
        self.message_id = message_id
        self._parts: list[str] = []

    def add(self, chunk: str) -> None:
        self._parts.append(chunk)

    @property
    def whole(self) -> str:
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""

    def entry(self) -> NormalizedEntry:
        return NormalizedEntry(entry_type=self.kind, content=self.whole)


class _Stderr:
    """What the agent wrote to stderr, its newest `STDERR_BYTES`."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque()
        self._size = 0
        self._left_out = 0

    def add(self, line: str) -> None:
        line = line[-STDERR_BYTES:]
        self._lines.append(line)
        self._size += len(line.encode(errors="replace")) + 1
        while self._size > STDERR_BYTES and len(self._lines) > 1:
            self._size -= len(self._lines.popleft().encode(errors="replace")) + 1
            self._left_out += 1

    def entry(self) -> NormalizedEntry:
        head = [f"[{self._left_out} earlier lines are in the raw log]"] if self._left_out else []
        return NormalizedEntry(entry_type=SystemMessage(), content="\n".join([*head, *self._lines]))


class AcpEntries:
    """The entries of one run. What changes is collected and told once by `drain`.

    Args:
        cwd: the worktree; paths inside it are shown relative to it.
    """

    def __init__(self, cwd: str) -> None:
        self._cwd = cwd
        self._events: list[AgentEvent | str] = []
        self._touched: set[str] = set()
        self._shown: dict[str, _Text | _Stderr | ToolCall | Usage | NormalizedEntry] = {}
        self._open_text: tuple[str, _Text] | None = None
        self._open_tools: dict[str, ToolCall] = {}
        self._stderr = _Stderr()
        self._count = 0
        self.usage = Usage()
        self.turn_began()

    # ------------------------------------------------------------ out

    def say(self, event: AgentEvent) -> None:
        """Tell `event` after all that was put so far."""
        self._events.append(event)

    def drain(self) -> list[AgentEvent]:
        """All events since the last call; each entry once, as it is now."""
        events = [
            EntryPut(event, self._entry(event)) if isinstance(event, str) else event
            for event in self._events
        ]
        for key in self._touched:
            shown = self._shown[key]
            closed = self._open_text is None or self._open_text[0] != key
            if isinstance(shown, NormalizedEntry) or (isinstance(shown, _Text) and closed):
                # It never changes again under this key.
                del self._shown[key]
        self._events = []
        self._touched.clear()
        return events

    def _entry(self, key: str) -> NormalizedEntry:
        shown = self._shown[key]
        return shown if isinstance(shown, NormalizedEntry) else shown.entry()

    def _put(self, key: str, shown: _Text | _Stderr | ToolCall | Usage | NormalizedEntry) -> None:
        if key not in self._touched:
            self._touched.add(key)
            self._events.append(key)
            self._shown[key] = shown
        elif isinstance(shown, NormalizedEntry):
            self._shown[key] = shown

    def _new_key(self, kind: str) -> str:
        self._count += 1
        return f"{kind}:{self._count}"

    # ------------------------------------------------------------ texts

    def turn_began(self) -> None:
        """Forget what was seen of the last turn."""
        self.texts_seen = 0
        self.tools_seen = 0
        self.last_chunk = ""
        self.last_text = ""

    def chunk(self, thought: bool, block: Mapping[str, Any], message_id: str) -> None:
        """A piece of a message or a thought; it goes on with the last one if it can."""
        text = as_text(block.get("text"))
        if not text and (uri := as_text(block.get("uri"))):
            text = f"[{as_text(block.get('name')) or uri}]({uri})"
        if not text:
            return
        kind = Thinking() if thought else AssistantMessage()
        opened = self._open_text
        if opened is not None:
            same_message = not message_id or opened[1].message_id in ("", message_id)
            if type(opened[1].kind) is not type(kind) or not same_message:
                opened = None
        if opened is None:
            if text.isspace():
                return
            self.close_text()
            key = self._new_key("thought" if thought else "text")
            opened = self._open_text = (key, _Text(kind, message_id))
            self.texts_seen += not thought
        opened[1].message_id = message_id or opened[1].message_id
        opened[1].add(text)
        self.last_chunk = "" if thought else text
        self._put(*opened)

    def close_text(self) -> None:
        """Something else happened: the next chunk begins a new text."""
        if self._open_text is not None:
            text = self._open_text[1]
            if isinstance(text.kind, AssistantMessage):
                self.last_text = text.whole
            self._open_text = None

    def user(self, text: str) -> None:
        """What the person said, as the agent was told."""
        self.close_text()
        self._fixed("user", UserMessage(), text)

    def system(self, text: str) -> None:
        """Something that a person should know about the run."""
        self.close_text()
        self._fixed("system", SystemMessage(), text)

    def error(self, text: str, setup: bool = False) -> None:
        """Why it did not work; `setup` if the person has to set something up first."""
        self.close_text()
        self._fixed(
            "error", ErrorMessage(error_type=SetupRequired() if setup else OtherError()), text
        )

    def _fixed(
        self, kind: str, entry_type: UserMessage | SystemMessage | ErrorMessage, text: str
    ) -> None:
        self._put(self._new_key(kind), NormalizedEntry(entry_type=entry_type, content=text))

    def stderr(self, line: bytes) -> None:
        """A line of stderr: agents chat there, so it is no error by itself."""
        text = _ANSI.sub("", line.decode(errors="replace")).rstrip()
        if text:
            self._stderr.add(text)
            self._put("stderr", self._stderr)

    # ------------------------------------------------------------ tools, plan, usage

    def tool(self, fields: Mapping[str, Any], asking: bool = False) -> tuple[str, ToolCall]:
        """Upsert the tool call that `fields` speaks of; returns its key and what is known."""
        self.close_text()
        self.last_chunk = ""
        call_id = as_text(fields.get("toolCallId"))
        key = f"tool:{call_id}"
        known = self._shown.get(key)
        call = known if isinstance(known, ToolCall) else ToolCall(call_id, self._cwd)
        self.tools_seen += known is None
        call.merge(fields, asking)
        if call.open:
            self._open_tools[key] = call
        else:
            self._open_tools.pop(key, None)
        self._put(key, call)
        return key, call

    def plan(self, steps: list[Any]) -> None:
        """The agent's list of things to do; the newest replaces the last."""
        self.close_text()
        todos = [
            TodoItem(
                content=as_text(step.get("content")),
                status=as_text(step.get("status")) or "pending",
                priority=as_text(step.get("priority")) or None,
            )
            for step in map(as_dict, steps)
        ]
        done = sum(todo.status == "completed" for todo in todos)
        self._put(
            "plan",
            NormalizedEntry(
                entry_type=ToolUse(
                    tool_name="plan",
                    action_type=TodoManagement(todos=todos),
                    status=Succeeded(),
                ),
                content=f"Plan: {done} of {len(todos)} done",
            ),
        )

    def show_usage(self) -> None:
        """The numbers in `usage` have changed."""
        self._put("usage", self.usage)

    def settle(self) -> None:
        """The turn is over: no text goes on, and no tool is at work."""
        self.close_text()
        for key, call in self._open_tools.items():
            call.give_up()
            self._put(key, call)
        self._open_tools.clear()
