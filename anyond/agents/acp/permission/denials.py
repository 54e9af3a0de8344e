"""Denials of a turn, and the message to the agent about them afterwards."""

from __future__ import annotations

REASONS_MOST = 20
"""So many reasons the agent is told, the first ones."""


class Denials:
    """The denials of one turn.

    Attributes:
        any: whether there was one.
    """

    def __init__(self) -> None:
        self._reasons: list[str] = []
        self._sent = ""
        self.any = False

    def add(self, title: str, reason: str) -> None:
        """One more; `reason` is "" if none was given."""
        self.any = True
        if reason and len(self._reasons) < REASONS_MOST:
            self._reasons.append(f"You were not allowed to do “{title}”: {reason}")

    def take(self) -> str:
        """Return the message for the agent, "" if there is none; the next turn begins without
        denials.
        """
        was_sent = "\n".join(self._reasons)
        self._sent = was_sent or self._sent
        self.clear()
        return was_sent

    def was_sent(self, text: str) -> bool:
        """Return whether the agent was told this by us: a person has read it as a reason
        already.
        """
        return bool(text) and text == self._sent

    def clear(self) -> None:
        """The turn is over."""
        self._reasons.clear()
        self.any = False
