"""The kinds of `session/update`: their effect on the conversation and on what is at work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anyond.agents.acp.calls.background import Background
from anyond.agents.acp.calls.drafts import Drafts
from anyond.agents.acp.conversation.entries import AcpEntries
from anyond.agents.acp.conversation.notices import Notices
from anyond.agents.acp.errors import FAILED
from anyond.agents.codex.errors import error_text, is_login
from anyond.agents.json_rpc.jsonrpc import as_dict, as_list, as_text


class Updates:
    """Takes in the updates of one session.

    Args:
        entries: what they change.
        voice: which texts are not the model's.

    Attributes:
        background: what goes on when the turn is over.
        drafts: the calls that are not complete yet.
        failure: what the agent has said since it told that its turn has failed, as if it were
            words of the model; None if it has not told that.
        error: what the adapter of Codex has told of the error that came last, as data.
    """

    def __init__(self, entries: AcpEntries, voice: Notices) -> None:
        self._entries = entries
        self._voice = voice
        self._repeated: list[Mapping[str, Any]] | None = None
        self.background = Background()
        self.drafts = Drafts()
        self.failure: str | None = None
        self.error: Mapping[str, Any] = {}

    def history_follows(self) -> None:
        """Set updates aside that may be the old conversation, until it is certain."""
        self._repeated = []

    def no_history(self) -> None:
        """Take the updates that were set aside as this turn's: better shown twice than not at
        all.
        """
        if self._repeated is not None:
            updates, self._repeated = self._repeated, None
            for update in updates:
                self._take(update)

    def receive(self, update: Mapping[str, Any]) -> None:
        """The next one."""
        if self._repeated is None:
            self._take(update)
        elif update.get("sessionUpdate") == "available_commands_update":
            self._repeated = None
        else:
            self._repeated.append(update)

    def _take(self, update: Mapping[str, Any]) -> None:
        entries = self._entries
        match update.get("sessionUpdate"):
            case "agent_message_chunk" | "agent_thought_chunk" as kind:
                block = as_dict(update.get("content"))
                thought, text = kind == "agent_thought_chunk", as_text(block.get("text"))
                if "_meta" in update and self._take_meta(update):
                    entries.close_text()
                elif ("_meta" in update and self._voice.informed(update)) or self._voice.remarked(
                    text
                ):
                    pass
                elif self.failure is None or thought or as_text(update.get("messageId")):
                    entries.chunk(thought, block, update)
                else:
                    self.failure += text
            case "tool_call" | "tool_call_update":
                self._tool(self.drafts.completed(update))
            case "plan":
                entries.plan(as_list(update.get("entries")))
            case "notice":
                self._voice.noticed(update)
            case "session_info_update":
                if "_meta" in update:
                    self._codex(as_dict(as_dict(update["_meta"]).get("codex")))
            case "usage_update":
                entries.pause_text()
                if entries.usage.cost(as_dict(update.get("cost"))):
                    entries.show_usage()
            case "config_option_update":
                entries.session_reported(update)
            case "user_message_chunk":
                # What the person said is known from what the agent was told.
                entries.close_text()

    def _codex(self, codex: Mapping[str, Any]) -> None:
        """Take in how the adapter of Codex is: it ends a turn that failed as if all were well."""
        error, status = as_dict(codex.get("error")), codex.get("threadStatus")
        self.error = error or self.error
        if error.get("willRetry") is True:
            self._entries.answer_broke_off(error_text(error, advice=False))
        match as_text(status) or as_dict(status).get("type"):
            case "systemError":
                self._entries.close_text()
                self.failure = ""
            case "active":
                self.failure, self.error = None, {}

    def failed(self) -> tuple[str, bool] | None:
        """The reason why the turn has failed that has ended now, and whether a login cures it; else
        None.
        """
        failure, error = self.failure, self.error
        self.failure, self.error = None, {}
        if failure is None:
            return None
        details = error_text(error, advice=False) if error else ""
        text = failure.strip() or details
        if not text:
            last = self._entries.last_text
            text = f"{FAILED} Its last words: {last.whole.strip()}" if last is not None else FAILED
        return text, is_login(error)

    def _take_meta(self, update: Mapping[str, Any]) -> bool:
        """Take in what is told beside a piece of a text; whether the text says only the same."""
        used = as_dict(as_dict(update["_meta"]).get("usage"))
        if used and self._entries.usage.call(used):
            self._entries.show_usage()
        if ended := self.background.ended(update):
            self._entries.tool(ended)
        return self.background.is_notice(update)

    def _tool(self, update: Mapping[str, Any]) -> None:
        if as_dict(update.get("_meta")).get("preparationDiscarded"):
            # The answer that would have made this call has broken off.
            self._entries.answer_broke_off()
        elif self.drafts.add(update):
            return
        elif self.background.started(update):
            _, call = self._entries.tool({**update, "status": "in_progress", "content": []})
            call.apart = True
        else:
            self._entries.tool(update)
