"""Messages sent to Claude Code that still wait for their turn.

Theory of operation. A message that comes during a turn is taken up with the next result of a tool,
or, if the model uses none any more, begins a turn of its own, with a result of its own. Either way
the program says each message again in the moment in which it turns to it (`isReplay`). Only the
commands that it carries out by itself, like `/cost`, it does not say again: a result before which
nothing was said again belongs to the oldest message that waits.
"""

from __future__ import annotations

from collections.abc import Sequence


class PendingMessages:
    """The texts that wait, in order."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._replays = False
        self._replayed = False

    def add(self, texts: Sequence[str]) -> None:
        """The program was told a message of these texts."""
        self._texts += [text.strip() for text in texts]

    def take_up(self, text: str) -> bool:
        """The program says `text` again; whether it is a message that has waited until now."""
        stripped = text.strip()
        if stripped not in self._texts:
            return False
        # They are taken up in order: what stood before it was taken up without an echo.
        del self._texts[: self._texts.index(stripped) + 1]
        self._replays = self._replayed = True
        return True

    def left_by_a_result(self) -> bool:
        """A turn of the model is over; whether another one follows it by itself."""
        if not self._replayed:
            del self._texts[:1]
        self._replayed = False
        # A program that says nothing again (an old one) gives us nothing to go by.
        return self._replays and bool(self._texts)
