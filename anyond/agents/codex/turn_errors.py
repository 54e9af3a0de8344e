"""Errors in a turn of Codex, and whether they make the turn a failure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anyond.agents.codex.entries import CodexEntries
from anyond.agents.codex.errors import error_text, is_login
from anyond.agents.common.core import Outcome
from anyond.agents.common.entry import Note
from anyond.agents.json_rpc.jsonrpc import as_dict, as_text
from anyond.model.entries import SystemMessage


class TurnErrors:
    """The errors of the turn at work; each is shown once."""

    def __init__(self, entries: CodexEntries) -> None:
        self._entries = entries
        self._complaint: str | None = None
        self._retry: Note | None = None

    def forget(self) -> None:
        """A turn has begun, or ended."""
        self._complaint = self._retry = None

    def overcome(self) -> None:
        """The agent went on: what went wrong before does not matter any more."""
        self._complaint = None

    def reported(self, main: bool, params: Mapping[str, Any]) -> None:
        """Codex tells of an error, of the main agent or of another one."""
        error = as_dict(params.get("error"))
        if params.get("willRetry"):
            self._entries.answer_broke_off(as_text(params.get("threadId")))
            text = error_text(error, advice=False)
            if self._retry is None:
                self._retry = self._entries.note("retry", SystemMessage(), text)
            self._retry.content = text
            self._entries.put(self._retry)
        elif main:
            self.complain(error_text(error), is_login(error))
        else:
            self._entries.once(f"A sub-agent failed: {error_text(error)}")

    def complain(self, text: str, login: bool = False) -> None:
        """Show why it fails, unless that is to be read already."""
        if text != self._complaint:
            self._complaint = text
            self._entries.error(text, setup=login)

    def turn_outcome(self, status: str, error: Mapping[str, Any]) -> tuple[Outcome, str | None]:
        """Return the outcome of a turn that has ended with this; success needs all the evidence."""
        if error:
            self.complain(error_text(error), is_login(error))
        elif status != "completed" and self._complaint is None:
            self.complain(f"The agent ended its turn as {status!r}.")
        if self._complaint is not None:
            return Outcome.FAILED, self._complaint
        return Outcome.COMPLETED, None
