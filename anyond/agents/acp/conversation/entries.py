"""Entries of the conversation, from the updates of one session of the Agent Client Protocol."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from anyond.agents.acp.calls.subagents import parent_of, silent_parent
from anyond.agents.acp.calls.todos import progress, todo_list
from anyond.agents.acp.calls.tools import ToolCall
from anyond.agents.acp.conversation.chatter import Chatter
from anyond.agents.acp.conversation.texts import Stderr, Text
from anyond.agents.acp.conversation.usage import Usage
from anyond.agents.acp.session.offers import ReportedOffers
from anyond.agents.acp.session.quirks import Quirks
from anyond.agents.common.carried import NOTHING_CARRIED, Carried
from anyond.agents.common.core import AgentEvent, EntryPut, Offered
from anyond.agents.common.entry import AT_WORK_MOST, BROKE_OFF
from anyond.agents.common.notices import NoticesOnce
from anyond.agents.json_rpc.jsonrpc import as_text
from anyond.model.entries import (
    ErrorMessage,
    NormalizedEntry,
    OtherError,
    SetupRequired,
    Succeeded,
    SystemMessage,
    ToolUse,
    UserMessage,
)

KNOWN_MOST = 4_000
"""So many tools that have ended are remembered, for what is still told of them."""

TEXTS_MOST = 256
"""So many texts of an answer that breaks off are marked."""

_Item = Text | Stderr | ToolCall | Usage | NormalizedEntry


class AcpEntries:
    """The entries of one run. What changes is collected and told once by `drain`.

    Args:
        cwd: the worktree; paths inside it are shown relative to it.
        carried: what earlier runs of the attempt have left for this one.
        known_as: which agent it is, where the executor alone does not say that.

    Attributes:
        usage: the tokens of the run.
        quirks: the agent's own ways, once they are known.
        interrupted: the agent has been told to stop, and is about to.
        texts_seen, tools_seen: how many in this turn.
        last_text: the text of the model that nothing has followed yet.
        last_chunk: the piece of it that came last.
    """

    def __init__(self, cwd: str, carried: Carried = NOTHING_CARRIED, known_as: str = "") -> None:
        self._cwd = cwd
        self._events: list[AgentEvent | str] = []
        self._touched: set[str] = set()
        self._items: dict[str, _Item] = {}
        self._open_text: Text | None = None
        self._open_tools: dict[str, ToolCall] = {}
        self._ended_tools: dict[str, None] = {}
        self._notices = NoticesOnce(carried.notices)
        self._chatter = Chatter(carried.notices, self._notices)
        self._count = 0
        self._known_as = known_as
        self._offers = ReportedOffers()
        self.usage = Usage(carried.used)
        self.quirks = Quirks()
        self.turn_began()

    # ------------------------------------------------------------ out

    def emit(self, event: AgentEvent) -> None:
        """Tell `event` after all that was put so far."""
        self._events.append(event)

    def session_reported(self, answer: Mapping[str, Any]) -> None:
        """Take in what the agent tells of its session: the model, and what can be chosen."""
        self.usage.learn_model(answer, self.quirks.named_models)
        if (offers := self._offers.take(answer)) is not None:
            self.emit(Offered(self._known_as, offers))

    def drain(self) -> list[AgentEvent]:
        """All events since the last call; each entry once, as it is now."""
        events = [
            EntryPut(event, self._entry(event)) if isinstance(event, str) else event
            for event in self._events
        ]
        for key in self._touched:
            item = self._items[key]
            closed = self._open_text is None or self._open_text.key != key
            if isinstance(item, NormalizedEntry) or (isinstance(item, Text) and closed):
                # It hardly ever changes again; whoever changes it puts it again.
                del self._items[key]
        self._events = []
        self._touched.clear()
        while len(self._ended_tools) > KNOWN_MOST:
            oldest = next(iter(self._ended_tools))
            del self._ended_tools[oldest], self._items[oldest]
        return events

    def _entry(self, key: str) -> NormalizedEntry:
        item = self._items[key]
        return item if isinstance(item, NormalizedEntry) else item.entry()

    def _put(self, key: str, item: _Item) -> None:
        if key not in self._touched:
            self._touched.add(key)
            self._events.append(key)
        self._items[key] = item

    def _new_key(self, kind: str) -> str:
        self._count += 1
        return f"{kind}:{self._count}"

    # ------------------------------------------------------------ texts

    def turn_began(self) -> None:
        """Forget what was seen of the last turn."""
        self.interrupted = False
        self.texts_seen = 0
        self.tools_seen = 0
        self._again: dict[str, Text] = {}
        self._retry: str | None = None
        self._over()

    def _over(self) -> None:
        self.last_text: Text | None = None
        self.last_chunk = ""
        self._answer: deque[Text] = deque(maxlen=TEXTS_MOST)

    def _went_on(self) -> None:
        """Something else than a text came: what was to be said anew never will be."""
        self._broken_off()
        self._retry = None
        self._over()

    def _broken_off(self) -> None:
        for text in self._again.values():
            note = NormalizedEntry(entry_type=SystemMessage(), content=BROKE_OFF)
            self._put(text.key, note)
        self._again.clear()

    def chunk(self, thought: bool, block: Mapping[str, Any], update: Mapping[str, Any]) -> None:
        """A piece of a message or a thought; it goes on with the last one if it can.

        Args:
            block: its content.
            update: that brings it.
        """
        text = as_text(block.get("text"))
        if not text and (uri := as_text(block.get("uri"))):
            text = f"[{as_text(block.get('name')) or uri}]({uri})"
        if not text:
            return
        parent = parent_of(update, self.quirks, self._open_tools) or silent_parent(
            self.quirks, self._open_tools
        )
        message_id = as_text(update.get("messageId"))
        opened = None if self.quirks.whole_texts else self._open_text
        if opened is not None:
            same_message = not message_id or opened.message_id in ("", message_id)
            if not same_message or (opened.thought, opened.parent) != (thought, parent):
                opened = None
        if opened is None:
            if text.isspace():
                return
            self.close_text()
            opened = self._open_text = self._begun(thought, message_id, parent)
            self._answer.append(opened)
            self.texts_seen += not thought
        opened.message_id = message_id or opened.message_id
        opened.add(text)
        self.last_text = None if thought else opened
        self.last_chunk = "" if thought else text
        self._put(opened.key, opened)

    def _begun(self, thought: bool, message_id: str, parent: str | None) -> Text:
        for again in self._again.values():
            if (again.thought, again.parent) == (thought, parent):
                del self._again[again.key]
                again.forget()
                again.message_id = message_id
                return again
        self._retry = None
        return Text(self._new_key("thought" if thought else "text"), thought, message_id, parent)

    def close_text(self) -> None:
        """Something else happened: the next chunk begins a new text."""
        self._open_text = None

    def pause_text(self) -> None:
        """Something was told beside: a chunk goes on only with the message that it names."""
        if self._open_text is not None and not self._open_text.message_id:
            self.close_text()

    def answer_broke_off(self, why: str = "") -> None:
        """The answer did not come to its end: its texts are going to be said anew, if at all.

        Args:
            why: a sentence about it; a later one replaces it as long as nothing else is said.
        """
        self._again |= {text.key: text for text in self._answer}
        for key in list(self._again)[:-TEXTS_MOST]:
            del self._again[key]
        self.close_text()
        self._over()
        if why:
            self._retry = self._retry or self._new_key("retry")
            self._put(self._retry, NormalizedEntry(entry_type=SystemMessage(), content=why))

    def user(self, text: str) -> None:
        """Add the person's message, as it was sent to the agent."""
        self._fixed("user", UserMessage(), text)

    def system(self, text: str) -> None:
        """Something that a person should know about the run."""
        self._fixed("system", SystemMessage(), text)

    def notice(self, text: str) -> None:
        """Something that the program tells of itself; the same is shown once in an attempt."""
        if self._notices.is_new(text):
            self.system(text)

    def error(self, text: str, setup: bool = False, instead: bool = False) -> None:
        """Add an error entry that says why it did not work.

        Args:
            setup: the person has to set something up first.
            instead: the agent has said it already, as if it were the model's last text.
        """
        kind = ErrorMessage(error_type=SetupRequired() if setup else OtherError())
        last = self.last_text if instead else None
        self._fixed("error", kind, text, None if last is None else last.key)

    def _fixed(
        self,
        kind: str,
        entry_type: UserMessage | SystemMessage | ErrorMessage,
        text: str,
        key: str | None = None,
    ) -> None:
        self.close_text()
        self._over()
        self._put(key or self._new_key(kind), NormalizedEntry(entry_type=entry_type, content=text))

    def stderr(self, line: bytes) -> None:
        """A line of stderr: agents chat there, so it is no error by itself."""
        if self._chatter.add(line):
            self._put("stderr", self._chatter.displayed)

    @property
    def stderr_lines(self) -> Sequence[str]:
        """The newest lines of stderr that are shown."""
        return self._chatter.displayed.lines

    def show_chatter(self) -> None:
        """The run has failed: what was kept back of stderr may tell why."""
        if self._chatter.display_withheld():
            self._put("stderr", self._chatter.displayed)

    @property
    def left(self) -> Carried:
        """The facts that this run leaves for later ones of its attempt."""
        return Carried(used=self.usage.totals, notices=self._notices.displayed)

    # ------------------------------------------------------------ tools, plan, usage

    def tool(self, fields: Mapping[str, Any], asking: bool = False) -> tuple[str, ToolCall]:
        """Upsert the tool call that `fields` speaks of; returns its key and what is known."""
        self.close_text()
        self._went_on()
        call_id = as_text(fields.get("toolCallId"))
        key = f"tool:{call_id}"
        known = self._items.get(key)
        call = known if isinstance(known, ToolCall) else ToolCall(call_id, self._cwd)
        call.honest = self.quirks.honest_commands
        self.tools_seen += known is None
        call.merge(fields, asking)
        if self.interrupted and call.ended_unreported:
            call.give_up()
        call.parent = call.parent or parent_of(fields, self.quirks, self._open_tools)
        if not call.plan and (file := call.plan_file) is not None:
            calls = [item for item in self._items.values() if isinstance(item, ToolCall)]
            written = [text for one in calls if (text := one.written(file)) is not None]
            call.plan = written[-1] if written else ""
        self._keep(key, call)
        return key, call

    def denied(self, key: str) -> None:
        """The agent was told not to do it; some never speak of it again."""
        call = self._items.get(key)
        if isinstance(call, ToolCall):
            call.deny()
            self._keep(key, call)

    def _keep(self, key: str, call: ToolCall) -> None:
        if call.open:
            self._open_tools[key] = call
            self._ended_tools.pop(key, None)
        else:
            self._open_tools.pop(key, None)
            self._ended_tools[key] = None
        self._put(key, call)
        if len(self._open_tools) > AT_WORK_MOST:
            self._give_up(next(iter(self._open_tools)))

    def _give_up(self, key: str) -> None:
        call = self._open_tools[key]
        call.give_up()
        self._keep(key, call)

    def plan(self, steps: list[Any]) -> None:
        """The agent's list of things to do; the newest replaces the last."""
        self.close_text()
        self._went_on()
        todos = todo_list(steps)
        use = ToolUse(tool_name="plan", action_type=todos, status=Succeeded())
        self._put("plan", NormalizedEntry(entry_type=use, content=progress(todos)))

    def show_usage(self) -> None:
        """The numbers in `usage` have changed."""
        self._put("usage", self.usage)

    def settle(self) -> None:
        """The turn is over: no text goes on, and no tool is at work."""
        self.close_text()
        if self._answer:
            self._broken_off()
        for key in list(self._open_tools):
            self._give_up(key)
