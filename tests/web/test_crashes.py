"""The daemon is killed while a page shows it: the page says so, and goes on by itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.browser.board_daemon import BoardDaemon
from tests.support.browser.watched import Watched

pytestmark = pytest.mark.web

GONE = "The daemon does not answer"
SAID_WITHIN_MS = 3000


def texts(page: Any) -> list[str]:
    return [one.strip() for one in page.locator(".talk .entry").all_inner_texts()]


def test_a_killed_daemon_is_said_within_three_seconds_and_nothing_is_doubled(
    desk: BoardDaemon, watched: Watched
) -> None:
    desk.use_scripted_agent()
    lines = [
        "think now",
        "say first",
        "ask",
        "think a",
        "say second",
        "sleep 1",
        "think b",
        "say third",
    ]
    attempt = desk.attempt(desk.project(), "\n".join(lines))
    page = watched.page()
    page.goto(f"/#/attempts/{attempt}")
    page.get_by_role("group", name="The agent asks").wait_for()
    page.get_by_label("Message to the agent").fill("typed before the crash")
    watched.is_away = True
    desk.kill()
    page.get_by_text(GONE).wait_for(timeout=SAID_WITHIN_MS)
    desk.start()
    page.get_by_text(GONE).wait_for(state="detached")
    watched.is_away = False
    page.locator("main").focus()
    page.keyboard.press("y")
    page.get_by_text("third", exact=True).wait_for()
    for word in ("first", "allowed", "second", "third"):
        assert page.get_by_text(word, exact=True).count() == 1
    assert page.get_by_label("Message to the agent").input_value() == "typed before the crash"
    seen = texts(page)
    page.reload()
    page.get_by_text("third", exact=True).wait_for()
    assert texts(page) == seen


def test_a_board_goes_on_after_a_restart(desk: BoardDaemon, watched: Watched) -> None:
    project = desk.project()
    page = watched.page()
    page.goto("/")
    page.get_by_text("Nothing is planned").wait_for()
    watched.is_away = True
    desk.kill()
    page.get_by_text(GONE).wait_for(timeout=SAID_WITHIN_MS)
    desk.start()
    desk.ask("POST", "/api/tasks", {"project_id": project, "title": "Made meanwhile"})
    page.get_by_role("link", name="Made meanwhile").wait_for()
    assert page.get_by_role("link", name="Made meanwhile").count() == 1
    watched.is_away = False
