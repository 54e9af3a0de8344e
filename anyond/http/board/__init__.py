"""The board: the page at `/` in which a person works, as it was built from `web/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyond.http.board.pages import routes

if TYPE_CHECKING:
    from anyond.http.application import App


def install(app: App) -> None:
    """Serve the board at `/` of `app`."""
    for route in routes():
        app.pages.add(route)
