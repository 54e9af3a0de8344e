"""Growing texts of a run: the words of the model, and its program's stderr."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence

from msgspec import UNSET

from anyond.agents.common.entry import GrowingText
from anyond.agents.common.notices import without_escapes
from anyond.model.entries import AssistantMessage, NormalizedEntry, SystemMessage, Thinking

STDERR_BYTES = 64 * 1024
"""So much of stderr is shown, its end; all of it is in the raw log."""

# An error that the agent answers a request with, or that we have answered one of its own with.
_REPORT = re.compile(
    r"Error handling (?:request|notification) \{"
    r"|(?:\[SYSTEM_ERROR\] Prompt for session \S+ failed: )?RequestError: "
)
# The lines of the code around an error.
_CODE = re.compile(r"\s*\d+ \| .*|\s*\^\s*")
# What some agents say of themselves at each start, about their speed and their own helpers.
_CHATTER = (
    *("[perf] ", "[session/", "[idle-compaction] ", "[STARTUP] "),
    "Ripgrep is not available. Falling back",
)
_FRAME = re.compile(r"\s+at \S.*:\d+:\d+\)?(?P<more> \{)?")


class Text:
    """A text of the model that grows by chunks."""

    def __init__(self, key: str, thought: bool, message_id: str, parent: str | None) -> None:
        self.key = key
        self.thought = thought
        self.message_id = message_id
        self.parent = parent
        self._text = GrowingText()

    def add(self, chunk: str) -> None:
        """It goes on."""
        self._text.add(chunk)

    def forget(self) -> None:
        """It begins anew."""
        self._text.replace("")

    @property
    def whole(self) -> str:
        """All of it so far."""
        return self._text.whole

    def entry(self) -> NormalizedEntry:
        """The entry as of now."""
        return NormalizedEntry(
            entry_type=Thinking() if self.thought else AssistantMessage(),
            content=self.whole,
            parent=UNSET if self.parent is None else self.parent,
        )


class Stderr:
    """The agent's stderr, its newest `STDERR_BYTES`.

    The raw log has all of it; here it is without what only programmers of the agent read: the
    errors that it answers requests with, which the library of the protocol writes there once more,
    the places in the code where an error was, and how long each step of its start took.
    """

    def __init__(self) -> None:
        self._within = False
        self._lines: deque[str] = deque()
        self._size = 0
        self._left_out = 0

    def add(self, raw: bytes) -> bool:
        """One more line; whether there was anything in it."""
        line = without_escapes(raw.decode(errors="replace")).rstrip()[-STDERR_BYTES:]
        if not line or self._left(line):
            return False
        self._lines.append(line)
        self._size += len(line.encode(errors="replace")) + 1
        while self._size > STDERR_BYTES and len(self._lines) > 1:
            self._size -= len(self._lines.popleft().encode(errors="replace")) + 1
            self._left_out += 1
        return True

    def _left(self, line: str) -> bool:
        """Return whether it is left out; some of it is the printed fields of an object, to its
        end.
        """
        if self._within and line.startswith((" ", "}")):
            self._within = line != "}"
            return True
        frame = _FRAME.fullmatch(line)
        report = frame is None and _REPORT.match(line) is not None
        fields = report and (line.endswith("{") or "RequestError: " in line)
        self._within = bool(frame["more"]) if frame else fields
        known = line.startswith(_CHATTER) or _CODE.fullmatch(line) is not None
        return frame is not None or report or known

    @property
    def lines(self) -> Sequence[str]:
        """Those that are shown."""
        return tuple(self._lines)

    def entry(self) -> NormalizedEntry:
        """The entry as of now."""
        head = [f"[{self._left_out} earlier lines are in the raw log]"] if self._left_out else []
        return NormalizedEntry(entry_type=SystemMessage(), content="\n".join([*head, *self._lines]))
