"""Notifications of Codex besides turns and questions: texts, items, sub-agents, warnings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from anyond.agents.codex.entries import CodexEntries
from anyond.agents.codex.threads import Threads
from anyond.agents.codex.tool_calls import Call
from anyond.agents.json_rpc.jsonrpc import Notification, as_dict, as_list, as_text
from anyond.model.entries import Failed, Succeeded

Params = Mapping[str, Any]


class Notifications:
    """Turns notifications into entries.

    Attributes:
        prompted: whether the agent has been told a prompt in this run.
        plan: the latest plan that the main agent has finished and nobody has looked at.
    """

    def __init__(self, entries: CodexEntries, threads: Threads) -> None:
        self._entries = entries
        self._threads = threads
        self.prompted = False
        self.plan: Call | None = None

    def take(self, news: Notification) -> None:
        """Take in a notification; others than these are of no interest."""
        kind = _KINDS.get(news.method)
        if kind is not None:
            kind(self, as_text(news.params.get("threadId")), news.params)

    def rested(self, thread: str, worked: bool) -> None:
        """A sub-agent has come to the end of its turn."""
        key = self._threads.rested(thread)
        self._entries.settle(thread)
        for call in self._entries.keyed(key or ""):
            call.end(Succeeded() if worked else Failed())
            self._entries.put(call)

    # ------------------------------------------------------------ texts

    def _text(self, thread: str, params: Params) -> None:
        id, piece = as_text(params.get("itemId")), as_text(params.get("delta"))
        self._entries.delta(thread, False, id, piece)

    def _thought(self, thread: str, params: Params) -> None:
        id, piece = as_text(params.get("itemId")), as_text(params.get("delta"))
        self._entries.delta(thread, True, id, piece)

    def _thought_part(self, thread: str, params: Params) -> None:
        self._entries.part(thread, as_text(params.get("itemId")))

    def _output(self, thread: str, params: Params) -> None:
        id, piece = as_text(params.get("itemId")), as_text(params.get("delta"))
        self._entries.output(thread, id, piece)

    # ------------------------------------------------------------ items

    def _item_started(self, thread: str, params: Params) -> None:
        self._item(thread, as_dict(params.get("item")), done=False)

    def _item_completed(self, thread: str, params: Params) -> None:
        self._item(thread, as_dict(params.get("item")), done=True)

    def _item(self, thread: str, item: Params, done: bool) -> None:
        for call in self._entries.item(thread, item, done):
            if call.kind == "collabAgentToolCall":
                self._delegated(call, done)
            elif call.kind == "subAgentActivity":
                self._acted(call)
            elif call.kind == "plan" and done and self._threads.is_main(thread):
                self.plan = call

    def _delegated(self, call: Call, done: bool) -> None:
        """An agent has to do with its sub-agents."""
        others = [as_text(other) for other in as_list(call.fields.get("receiverThreadIds"))]
        if call.fields.get("tool") == "spawnAgent":
            if not done:
                self._threads.starting(call.key)
            elif others and isinstance(call.status, Succeeded):
                call.unend()  # the sub-agent is only about to begin
                self._entries.put(call)
                for other in others:
                    self._threads.started(other, call.key)
            else:
                self._threads.failed(call.key)
        elif done and call.fields.get("tool") in ("closeAgent", "interruptAgent"):
            for other in others:
                self.rested(other, worked=True)

    def _acted(self, call: Call) -> None:
        """A sub-agent has begun or ended, in the other way in which that is told."""
        other = as_text(call.fields.get("agentThreadId"))
        kind = call.fields.get("kind")
        if kind == "started" and self._threads.parent(other) in (None, call.key):
            call.unend()
            self._entries.put(call)
            self._threads.started(other, call.key)
        elif kind in ("completed", "interrupted"):
            self.rested(other, worked=kind == "completed")

    def _steps(self, thread: str, params: Params) -> None:
        self._entries.todos(thread, as_list(params.get("plan")))

    # ------------------------------------------------------------ about the run

    def _used(self, thread: str, params: Params) -> None:
        self._entries.answered(thread)
        # A thread with a past tells what that has cost before it is asked anything.
        usage = as_dict(params.get("tokenUsage"))
        if self.prompted and self._entries.usage.update(thread, usage):
            self._entries.put(self._entries.usage)

    def _warned(self, thread: str, params: Params) -> None:
        self._entries.notice(as_text(params.get("message")))

    def _misconfigured(self, thread: str, params: Params) -> None:
        texts = (as_text(params.get("summary")), as_text(params.get("details")))
        self._entries.notice("\n".join(text for text in texts if text))

    def _server_status(self, thread: str, params: Params) -> None:
        if params.get("status") == "failed":
            name, why = as_text(params.get("name")), as_text(params.get("error"))
            self._entries.notice(f"The MCP server {name!r} could not be started: {why}")

    def _rerouted(self, thread: str, params: Params) -> None:
        if model := as_text(params.get("toModel")):
            self._entries.usage.model = model
            self._entries.once(f"The model's provider has changed the model to {model}.")


# Not of the object: it would hold itself, and all that it has read for as long as nobody looks.
_KINDS: dict[str, Callable[[Notifications, str, Params], None]] = {
    "item/agentMessage/delta": Notifications._text,
    "item/reasoning/summaryTextDelta": Notifications._thought,
    "item/reasoning/textDelta": Notifications._thought,
    "item/reasoning/summaryPartAdded": Notifications._thought_part,
    "item/commandExecution/outputDelta": Notifications._output,
    "item/plan/delta": Notifications._output,
    "item/started": Notifications._item_started,
    "item/completed": Notifications._item_completed,
    "turn/plan/updated": Notifications._steps,
    "thread/tokenUsage/updated": Notifications._used,
    "warning": Notifications._warned,
    "guardianWarning": Notifications._warned,
    "configWarning": Notifications._misconfigured,
    "mcpServer/startupStatus/updated": Notifications._server_status,
    "model/rerouted": Notifications._rerouted,
}
