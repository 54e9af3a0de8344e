"""Texts in the model's voice that are the agent's own: news, and errors in disguise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from anyond.agents.acp.conversation.entries import AcpEntries
from anyond.agents.common.disguised_errors import is_demand, is_labelled
from anyond.agents.json_rpc.jsonrpc import as_dict, as_text
from anyond.agents.json_rpc.rpc_errors import worded

_NEWS, _ERROR = "Info: ", "Error: "
_LABEL = re.compile(r"\*\*[A-Z][\w ]{0,40}:\*\* ")


class Notices:
    """Detection of the notices of one agent."""

    def __init__(self, entries: AcpEntries) -> None:
        self._entries = entries
        self._news = ""

    def informed(self, update: Mapping[str, Any]) -> bool:
        """Return whether a piece of a text is marked as the program's own; then it is dealt
        with.
        """
        claude = as_dict(as_dict(update.get("_meta")).get("claudeCode"))
        if claude.get("kind") != "informational":
            return False
        text = as_text(as_dict(update.get("content")).get("text"))
        self._entries.notice(_LABEL.sub("", text, count=1).strip())
        return True

    def noticed(self, update: Mapping[str, Any]) -> None:
        """The program tells something of itself, as such."""
        parts = (as_text(update.get("title")), as_text(update.get("description")))
        self._entries.notice("\n".join(text.strip() for text in parts if text.strip()))

    def remarked(self, text: str) -> bool:
        """Return whether this chunk is not the model's; then it is dealt with."""
        quirks = self._entries.quirks
        if text.startswith(quirks.asides):
            return True
        if quirks.warnings and text.startswith(quirks.warnings):
            self._entries.notice(text.strip())
            return True
        if quirks.remarks and text.startswith((_NEWS, _ERROR)):
            if text.startswith(quirks.retried):
                self._entries.answer_broke_off()
            self._entries.close_text()
            if text.startswith(_NEWS):
                if text != self._news:
                    self._entries.system(text.removeprefix(_NEWS).strip())
                self._news = text
                return True
        return False

    def disguised_error(self) -> str | None:
        """The error that a turn which ended well has really ended with."""
        text = self._entries.last_chunk if self._entries.quirks.remarks else self.only_words()
        if text.startswith(_ERROR):
            return worded(text.removeprefix(_ERROR).strip())
        words = self.only_words()
        return words.strip() if is_labelled(words) or is_demand(words) else None

    def only_words(self) -> str:
        """The last words of this turn if there is nothing else in it; else ""."""
        seen = self._entries
        alone = seen.texts_seen == 1 and not seen.tools_seen
        return seen.last_text.whole if alone and seen.last_text is not None else ""

    def has_reported(self, error: str) -> bool:
        """Return whether the last words were this error already."""
        last = self._entries.last_text
        return last is not None and worded(last.whole.removeprefix(_ERROR).strip()) in error
