"""The entries of one run of Codex: which there are, and what each piece of news changes in them.

Theory of operation. Entries live in small objects that know how to make their entry. A change puts
its object among the events, and the entry is made once, when they are taken: a thousand pieces of
text in one record cost one join and one event.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from anyond.agents.codex.threads import Threads
from anyond.agents.codex.tool_calls import Call
from anyond.agents.codex.usage import Usage
from anyond.agents.common.carried import NOTHING_CARRIED, Carried
from anyond.agents.common.core import AgentEvent
from anyond.agents.common.entry import AT_WORK_MOST, BROKE_OFF, Note, OutputBlocks, Source, Words
from anyond.agents.common.notices import NoticesOnce, without_escapes
from anyond.agents.common.pending_events import PendingEvents
from anyond.agents.json_rpc.jsonrpc import as_dict, as_list, as_text
from anyond.model.entries import (
    EntryType,
    ErrorMessage,
    Failed,
    NormalizedEntry,
    OtherError,
    SetupRequired,
    Succeeded,
    SystemMessage,
    TodoItem,
    TodoManagement,
    ToolUse,
    UserMessage,
)

_SILENT = frozenset({"", "userMessage", "hookPrompt", "functionCallOutput", "enteredReviewMode"})
_TEXTS = frozenset({"agentMessage", "reasoning"})
_AT_ONCE = frozenset({"webSearch", "imageView", "imageGeneration", "sleep", "subAgentActivity"})
_STEPS = {"inProgress": "in_progress"}
# The program's own log. What a person needs of it is told over the protocol as well.
_TRACE = re.compile(r"\d{4}-\d\d-\d\dT\S+\s+(?:ERROR|WARN|INFO|DEBUG|TRACE) |WARNING: proceeding, ")


class _Todos(Source):
    """The to-do list of one agent; the newest replaces the last."""

    def __init__(self, key: str, parent: str | None) -> None:
        self.key = key
        self.parent = parent
        self.steps: list[Any] = []

    def entry(self) -> NormalizedEntry:
        todos = [
            TodoItem(
                content=as_text(step.get("step")),
                status=_STEPS.get(as_text(step.get("status")), as_text(step.get("status")))
                or "pending",
            )
            for step in map(as_dict, self.steps)
        ]
        done = sum(todo.status == "completed" for todo in todos)
        return NormalizedEntry(
            entry_type=ToolUse(
                tool_name="update_plan",
                action_type=TodoManagement(todos=todos),
                status=Succeeded(),
            ),
            content=f"To-do list: {done} of {len(todos)} done",
            parent=UNSET if self.parent is None else self.parent,
        )


class CodexEntries:
    """The entries of one run.

    Args:
        cwd: the worktree; paths inside it are shown relative to it.
        threads: who is whose sub-agent.
        carried: what earlier runs of the attempt have left for this one.
    """

    def __init__(self, cwd: str, threads: Threads, carried: Carried = NOTHING_CARRIED) -> None:
        self._cwd = cwd
        self._threads = threads
        self._events = PendingEvents()
        self._texts: dict[str, Words] = {}
        self._answers: dict[str, list[Words]] = {}
        self._again: dict[str, list[Words]] = {}
        self._calls: dict[str, list[Call]] = {}
        self._open: dict[str, Call] = {}
        self._todos: dict[str, _Todos] = {}
        self._written: set[str] = set()
        self.notices = NoticesOnce(carried.notices)
        self._plain_output = OutputBlocks(SystemMessage())
        self.usage = Usage()

    # ------------------------------------------------------------ out

    def emit(self, event: AgentEvent) -> None:
        """Tell `event` after all that was put so far."""
        self._events.emit(event)

    def put(self, source: Source) -> None:
        """The entry of `source` has changed."""
        if isinstance(source, Call):
            if source.open:
                self._open[source.key] = source
                if len(self._open) > AT_WORK_MOST:
                    self._give_up(next(iter(self._open.values())))
            else:
                self._open.pop(source.key, None)
        self._events.put(source)

    def drain(self) -> list[AgentEvent]:
        """All events since the last call; each entry once, as it is now."""
        return self._events.take()

    # ------------------------------------------------------------ what Anyon says itself

    def note(self, kind: str, entry_type: EntryType, text: str) -> Note:
        """A text that stands for itself."""
        return self._events.note(kind, text, entry_type=entry_type)

    def user(self, text: str) -> None:
        """Add the person's message, as it was sent to the agent."""
        self.note("user", UserMessage(), text)

    def once(self, text: str) -> None:
        """Something that a person should know about the run, but not twice."""
        if text and text not in self._written:
            self._written.add(text)
            self.note("system", SystemMessage(), text)

    def notice(self, text: str) -> None:
        """Something that the program tells of itself; the same is shown once in an attempt."""
        if self.notices.is_new(text):
            self.once(text)

    def error(self, text: str, setup: bool = False) -> None:
        """Add an error entry that says why it did not work; `setup` if the person has to set
        something up first.
        """
        error_type = SetupRequired() if setup else OtherError()
        self.note("error", ErrorMessage(error_type=error_type), text)

    def stderr(self, line: bytes) -> None:
        """A line of stderr; all of them are in the raw log."""
        text = without_escapes(line.decode(errors="replace")).rstrip()
        if not text or _TRACE.match(text):
            return
        self.put(self._plain_output.add(text))

    # ------------------------------------------------------------ items

    def item(self, thread: str, item: Mapping[str, Any], done: bool) -> list[Call]:
        """An item has begun or is done; the uses of tools that it is."""
        kind, id = as_text(item.get("type")), as_text(item.get("id"))
        if kind in _SILENT:
            return []
        if kind in _TEXTS:
            if done:
                self._text_done(thread, kind, id, item)
            return []
        if kind == "contextCompaction":
            if done:
                text = "The conversation was summarized to save space."
                self.note("compacted", SystemMessage(), text)
            return []
        if kind == "exitedReviewMode":
            if done:
                self._text_done(thread, "agentMessage", id, {"text": item.get("review")})
            return []
        self.answered(thread)
        calls = self._upsert(thread, id, item)
        if done and kind in _AT_ONCE:
            for call in calls:
                call.end(Succeeded())
                self.put(call)
        return calls

    def _upsert(self, thread: str, id: str, item: Mapping[str, Any]) -> list[Call]:
        key = self._key("tool", thread, id)
        calls = self._calls.setdefault(key, [])
        parts = max(1, len(as_list(item.get("changes"))))
        while len(calls) < parts:
            n = len(calls)
            name = f"{key}:{n}" if n else key
            calls.append(Call(name, self._cwd, thread, self._threads, n))
        for call in calls:
            call.merge(item)
            self.put(call)
        return calls

    def calls(self, thread: str, id: str) -> list[Call]:
        """The uses of tools that an item is, as far as they are known."""
        return self._calls.get(self._key("tool", thread, id), [])

    def keyed(self, key: str) -> list[Call]:
        """The use of a tool whose entry has that key."""
        return self._calls.get(key, [])

    def open_call(self, thread: str, **fields: str) -> Call | None:
        """The oldest open use of a tool in a thread that has these fields."""
        for call in self._open.values():
            same = all(call.fields.get(name) == value for name, value in fields.items())
            if call.thread == thread and same:
                return call
        return None

    def output(self, thread: str, id: str, piece: str) -> None:
        """A command has written something, or a plan has grown."""
        for call in self.calls(thread, id):
            if call.open and piece:
                call.output.add(piece)
                self.put(call)

    def settle(self, thread: str | None = None) -> None:
        """The turn of a thread (or all of them) is over: nothing is at work any more."""
        for call in list(self._open.values()):
            if thread in (None, call.thread):
                self._give_up(call)

    def _give_up(self, call: Call) -> None:
        call.end(Failed())
        self.put(call)

    def todos(self, thread: str, steps: list[Any]) -> None:
        """The list of things to do of one agent."""
        parent = self._threads.parent(thread)
        key = "todos" if self._threads.is_main(thread) else f"todos:{thread}"
        todos = self._todos.setdefault(key, _Todos(key, parent))
        todos.steps = steps
        self.put(todos)

    # ------------------------------------------------------------ texts

    def delta(self, thread: str, thinking: bool, id: str, piece: str) -> None:
        """A text of the model has grown."""
        if piece:
            words = self._words(thread, thinking, id)
            words.add(piece)
            self.put(words)

    def part(self, thread: str, id: str) -> None:
        """The next part of a thought begins."""
        words = self._texts.get(self._key("thought", thread, id))
        if words is not None and words.text:
            words.add("\n\n")

    def _text_done(self, thread: str, kind: str, id: str, item: Mapping[str, Any]) -> None:
        thinking = kind == "reasoning"
        text = as_text(item.get("text"))
        if thinking:
            parts = as_list(item.get("summary")) or as_list(item.get("content"))
            text = "\n\n".join(map(as_text, parts))
        if not text:
            return
        words = self._words(thread, thinking, id)
        if words.text != text:
            words.replace(text)
            self.put(words)

    def _words(self, thread: str, thinking: bool, id: str) -> Words:
        key = self._key("thought" if thinking else "text", thread, id)
        words = self._texts.get(key)
        if words is None:
            words = self._reused(thread, thinking)
            words = words or Words(key, thinking, self._threads.parent(thread))
            self._texts[key] = words
            self._answers.setdefault(thread, []).append(words)
        return words

    def _reused(self, thread: str, thinking: bool) -> Words | None:
        """The entry of a text of this kind that broke off, for the one that is said instead."""
        for words in self._again.get(thread, ()):
            if words.thinking is thinking:
                self._again[thread].remove(words)
                words.replace("")
                return words
        return None

    def answer_broke_off(self, thread: str) -> None:
        """An answer did not come to its end: its texts are going to be said anew, if at all."""
        self._again.setdefault(thread, []).extend(self._answers.pop(thread, []))

    def answered(self, thread: str) -> None:
        """An answer came to its end, or does something: what was not said anew never will be."""
        self._answers.pop(thread, None)
        for words in self._again.pop(thread, ()):
            self.put(Note(words.key, SystemMessage(), BROKE_OFF))

    def _key(self, kind: str, thread: str, id: str) -> str:
        return f"{kind}:{id}" if self._threads.is_main(thread) else f"{kind}:{thread}:{id}"
