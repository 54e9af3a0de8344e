"""What each kind of `session/update` means for the conversation and for what is at work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anyond.agents.acp.background import Background
from anyond.agents.acp.drafts import Drafts
from anyond.agents.acp.entries import AcpEntries
from anyond.agents.acp.notices import Notices
from anyond.agents.codex.errors import error_text
from anyond.agents.jsonrpc import as_dict, as_list, as_text


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
    """

    def __init__(self, entries: AcpEntries, voice: Notices) -> None:
        self._entries = entries
        self._voice = voice
        self._repeated: list[Mapping[str, Any]] | None = None
        self.background = Background()
        self.drafts = Drafts()
        self.failure: str | None = None

    def history_follows(self) -> None:
        """What comes next may be the old conversation, until it is sure that it is."""
        self._repeated = []

    def no_history(self) -> None:
        """What was set aside must be of this turn: better shown twice than not at all."""
        if self._repeated is not None:
            updates, self._repeated = self._repeated, None
            for update in updates:
                self._take(update)

    def heard(self, update: Mapping[str, Any]) -> None:
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
                if self.failure is not None and not as_text(update.get("messageId")):
                    self.failure += as_text(block.get("text"))
                elif "_meta" in update and self._told_beside(update):
                    entries.close_text()
                elif "_meta" in update and self._voice.informed(update):
                    pass
                elif not self._voice.remarked(as_text(block.get("text"))):
                    entries.chunk(kind == "agent_thought_chunk", block, update)
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
                entries.session_told(update)
            case "user_message_chunk":
                # What the person said is known from what the agent was told.
                entries.close_text()

    def _codex(self, told: Mapping[str, Any]) -> None:
        """Take in how the adapter of Codex is: it ends a turn that failed as if all were well."""
        error = as_dict(told.get("error"))
        if error.get("willRetry") is True:
            self._entries.say_again(error_text({**error, "codexErrorInfo": None}))
        match as_dict(told.get("threadStatus")).get("type"):
            case "systemError":
                self._entries.close_text()
                self.failure = ""
            case "active":
                self.failure = None

    def _told_beside(self, update: Mapping[str, Any]) -> bool:
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
            self._entries.say_again()
        elif self.drafts.add(update):
            return
        elif self.background.started(update):
            _, call = self._entries.tool({**update, "status": "in_progress", "content": []})
            call.apart = True
        else:
            self._entries.tool(update)
