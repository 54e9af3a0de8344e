"""Which words come in the model's voice but are the agent's own: news, and errors in disguise."""

from __future__ import annotations

from anyond.agents.acp.entries import AcpEntries
from anyond.agents.rpc_errors import worded

_NEWS, _ERROR = "Info: ", "Error: "


class Notices:
    """What is known of the voice of one agent."""

    def __init__(self, entries: AcpEntries) -> None:
        self._entries = entries
        self._news = ""

    def remarked(self, text: str) -> bool:
        """Whether this chunk is not the model's; then it is dealt with."""
        quirks = self._entries.quirks
        if text.startswith(quirks.asides):
            return True
        if quirks.warnings and text.startswith(quirks.warnings):
            self._entries.system(text.strip())
            return True
        if quirks.remarks and text.startswith((_NEWS, _ERROR)):
            if text.startswith(quirks.retried):
                self._entries.say_again()
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
        return worded(text.removeprefix(_ERROR).strip()) if text.startswith(_ERROR) else None

    def only_words(self) -> str:
        """What was said last in this turn if there is nothing else in it; else ""."""
        seen = self._entries
        alone = seen.texts_seen == 1 and not seen.tools_seen
        return seen.last_text.whole if alone and seen.last_text is not None else ""

    def has_said(self, error: str) -> bool:
        """Whether the last words were this error already."""
        said = self._entries.last_text
        return said is not None and worded(said.whole.removeprefix(_ERROR).strip()) in error
