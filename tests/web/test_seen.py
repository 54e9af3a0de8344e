"""What a person has looked at leaves the inbox of every page, and can be put back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.browser.board_daemon import BoardDaemon
from tests.support.browser.watched import Watched, until

pytestmark = pytest.mark.web


def test_what_has_finished_waits_until_it_was_on_screen(
    desk: BoardDaemon, watched: Watched
) -> None:
    desk.use_scripted_agent()
    attempt = desk.attempt(desk.project(), "say it is done", title="Finish it")
    desk.finish(attempt)
    inbox, page = watched.page(), watched.page()
    inbox.goto("/#/inbox")
    inbox.get_by_role("link", name="Finish it").wait_for()
    assert desk.ask("GET", f"/api/task-attempts/{attempt}/seen")["unseen"]
    page.goto(f"/#/attempts/{attempt}")
    page.bring_to_front()
    inbox.get_by_text("Nothing waits for you").wait_for()
    assert not desk.ask("GET", f"/api/task-attempts/{attempt}/seen")["unseen"]


def test_it_is_marked_as_seen_in_the_inbox_and_that_is_undone(desk: BoardDaemon, page: Any) -> None:
    desk.use_scripted_agent()
    attempt = desk.attempt(desk.project(), "say it is done", title="Finish it")
    desk.finish(attempt)
    page.goto("/#/inbox")
    page.get_by_role("button", name="Seen").click()
    page.get_by_text("Nothing waits for you").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("link", name="Finish it").wait_for()
    path = f"/api/task-attempts/{attempt}/seen"
    until(page, lambda: bool(desk.ask("GET", path)["unseen"]))
