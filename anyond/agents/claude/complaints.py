"""Complaints: why a turn fails, in words of the program or its model, each shown once."""

from __future__ import annotations

from anyond.agents.common.entry import Note, OutputBlocks
from anyond.agents.common.notices import without_escapes
from anyond.agents.common.pending_events import PendingEvents
from anyond.model.entries import ErrorMessage, OtherError, SetupRequired


class Complaints:
    """The complaint of the present turn, and the output outside of the protocol.

    Args:
        login: what a person can do whom the model's server does not let in.

    Attributes:
        current: why the present turn fails; None if nothing was wrong, or it was overcome.
        plain_output: what the program wrote outside of its protocol.
    """

    def __init__(self, events: PendingEvents, login: str) -> None:
        self._events = events
        self._login = login
        self._turns = 0
        self._last: str | None = None
        self.current: str | None = None
        self.plain_output = OutputBlocks(ErrorMessage())

    def add(self, text: str, login: bool = False, key: str | None = None) -> None:
        """Show why the turn fails, unless that is to be read already.

        Args:
            login: it is for want of a login or a key.
            key: the entry that says it already, as if it were words of the model.
        """
        if text != self.current:
            self.current = self._last = text
            if key is not None or not self.plain_output.mentions(text):
                kind = ErrorMessage(error_type=SetupRequired() if login else OtherError())
                self._events.put(Note(key or f"error:{self._turns + 1}", kind, text))

    def with_advice(self, text: str, login: bool) -> str:
        """Return `text`, and after it what to do if it is for want of a login."""
        return f"{text}\n{self._login}" if login else text

    def has_advice(self) -> bool:
        """Return whether the present complaint says what to do about the login."""
        return self.current is not None and self._login in self.current

    def add_plain_output(self, line: bytes) -> None:
        """Show a line outside of the protocol, unless it repeats the last complaint."""
        text = without_escapes(line.decode(errors="replace")).strip()
        if text and text != self._last:
            self._events.put(self.plain_output.add(text))

    def overcome(self) -> None:
        """The agent went on: what went wrong before is no reason any more."""
        self.current = None

    def turn_over(self) -> None:
        """The next complaint is one of the next turn."""
        self._turns += 1
        self.current = None
