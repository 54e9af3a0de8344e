"""Pages of a browser, and what happens in them that should not."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from tests.support.daemon import TIMEOUT_S

# While a daemon is away, the browser itself says so for each request; the page says it to people.
_NOBODY_THERE = re.compile(
    r"ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|WebSocket"
)


class Watched:
    """The pages of one context.

    Args:
        ours: a pattern of the host and port that may be asked.

    Attributes:
        complaints: errors and warnings of the console, and exceptions.
        strangers: addresses of other hosts that were asked.
        is_away: whether the daemon is away on purpose.
    """

    def __init__(self, context: Any, ours: str) -> None:
        self.context = context
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        self.is_away = False
        self._ours = re.compile(rf"(?:https?|wss?)://{ours}/|data:|blob:")

    def page(self) -> Any:
        """A new page."""
        page = self.context.new_page()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        page.on("request", lambda request: self._asked(request.url))
        page.on("websocket", lambda stream: self._asked(stream.url))
        return page

    def _console(self, message: Any) -> None:
        if message.type not in {"error", "warning"}:
            return
        if self.is_away and _NOBODY_THERE.search(message.text):
            return
        self.complaints.append(f"{message.type}: {message.text}")

    def _asked(self, url: str) -> None:
        if not self._ours.match(url):
            self.strangers.append(url)


def until(page: Any, holds: Callable[[], bool]) -> None:
    """Wait until something holds in a page; its policy lets no test put code into it to look."""
    deadline = time.monotonic() + TIMEOUT_S
    while not holds():
        assert time.monotonic() < deadline, page.locator("main").inner_text()
        page.wait_for_timeout(20)
