"""Lines on stderr that are no errors: the same at each start, and seldom of use."""

from __future__ import annotations

from collections import deque

from anyond.agents.acp.conversation.texts import Stderr
from anyond.agents.common.notices import NoticesOnce

CHATTER_MOST = 200
"""So many lines that are known from earlier runs are kept until it is over."""


class Chatter:
    """The stderr of one run; what earlier runs have shown is kept back, unless this one fails.

    Args:
        known: the keys of what earlier runs have shown.
        notices: where what this run shows is remembered for later ones.

    Attributes:
        shown: what is shown of it.
    """

    def __init__(self, known: tuple[str, ...], notices: NoticesOnce) -> None:
        self.displayed = Stderr()
        self._known = NoticesOnce(known)
        self._notices = notices
        self._withheld: deque[bytes] = deque(maxlen=CHATTER_MOST)

    def add(self, line: bytes) -> bool:
        """One more line; whether there is more to show now."""
        text = line.decode(errors="replace")
        if self._known.knows(text):
            self._withheld.append(line)
        elif self.displayed.add(line):
            self._notices.is_new(text)
            return True
        return False

    def display_withheld(self) -> bool:
        """Show what was kept back; whether there was any."""
        added = [self.displayed.add(line) for line in self._withheld]
        self._withheld.clear()
        return any(added)
