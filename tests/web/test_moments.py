"""The moments of a day at the board, walked in a browser against a real daemon."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.browser.board_daemon import BoardDaemon
from tests.support.browser.watched import Watched, until

pytestmark = pytest.mark.web


def test_from_an_empty_desk_to_a_running_agent_in_four_actions_and_to_a_merge(
    desk: BoardDaemon, page: Any
) -> None:
    repository = desk.repository()
    page.goto("/")
    page.get_by_role("button", name="tea").click()  # 1
    page.get_by_label("What is to be done?").fill("Describe the tea timer")  # 2
    agent = page.get_by_label("Agent")
    agent.select_option(label="demo")  # 3
    page.keyboard.press("Control+Enter")  # 4
    page.wait_for_url(re.compile("#/attempts/"))
    page.get_by_text("running", exact=True).or_(
        page.get_by_text("asks", exact=True)
    ).first.wait_for()

    page.get_by_role("group", name="The agent asks").wait_for()
    assert page.title() == "(1) Anyon"
    page.keyboard.press("y")
    page.get_by_role("button", name="Merge into main").click()
    page.get_by_text("and the task is done").wait_for()
    assert page.title() == "Anyon"
    assert "NOTES.md" in desk.git(repository, "ls-tree", "--name-only", "main")

    page.keyboard.press("g")
    page.keyboard.press("b")
    done = page.get_by_role("region", name="Done")
    done.get_by_role("link", name="Describe the tea timer").wait_for()


def test_the_demo_agent_is_one_click_away(desk: BoardDaemon, page: Any) -> None:
    page.goto("/")
    page.get_by_role("button", name="Show me with the demo agent").click()
    page.get_by_role("group", name="The agent asks").wait_for()
    assert (desk.home / "anyon-sample" / ".git").is_dir()


def test_a_denial_says_why_to_the_agent(desk: BoardDaemon, page: Any) -> None:
    attempt = desk.attempt(desk.project(), "Note it", executor="DEMO")
    page.goto(f"/#/attempts/{attempt}")
    page.get_by_role("group", name="The agent asks").wait_for()
    page.keyboard.press("d")
    page.keyboard.type("not now")
    page.keyboard.press("Enter")
    page.get_by_text("was denied, so I did not run it").wait_for()
    [approval] = desk.ask("GET", "/api/approvals")
    assert (approval["status"], approval["reason"]) == ("denied", "not now")


def test_questions_of_all_projects_are_in_the_inbox_and_answered_there(
    desk: BoardDaemon, page: Any
) -> None:
    for name in ("tea", "coffee"):
        desk.attempt(desk.project(name), "Note it", executor="DEMO", title=f"About {name}")
    page.goto("/#/inbox")
    for name in ("tea", "coffee"):
        page.get_by_role("link", name=f"About {name}").wait_for()
    asked = page.get_by_role("group", name="The agent asks")
    until(page, lambda: page.title() == "(2) Anyon")
    asked.last.get_by_role("button", name="Allow once").click()
    until(page, lambda: page.title() == "(1) Anyon")
    page.keyboard.press("y")
    until(page, lambda: page.title() == "Anyon")
    page.get_by_text("finished").first.wait_for()


def test_an_answer_in_one_page_is_seen_in_another(desk: BoardDaemon, watched: Watched) -> None:
    attempt = desk.attempt(desk.project(), "Note it", executor="DEMO")
    first, second = watched.page(), watched.page()
    for page in (first, second):
        page.goto(f"/#/attempts/{attempt}")
        page.get_by_role("group", name="The agent asks").wait_for()
    first.keyboard.press("y")
    for page in (first, second):
        page.get_by_role("group", name="The agent asks").wait_for(state="detached")
        page.get_by_text("ended with 0").wait_for()


def test_the_diff_shows_each_line_and_unfolds_what_is_between(desk: BoardDaemon, page: Any) -> None:
    desk.use_scripted_agent()
    project = desk.project()
    numbers = "\\n".join(str(number) for number in range(60))
    attempt = desk.attempt(project, f"run printf '{numbers}\\n' > long.txt && git add long.txt")
    page.goto(f"/#/attempts/{attempt}")
    page.get_by_role("group", name="The agent asks").wait_for()
    page.keyboard.press("y")
    lines = page.get_by_role("region", name="Lines that differ")
    lines.get_by_text("long.txt").wait_for()
    lines.get_by_text("20", exact=True).first.wait_for()
    page.get_by_text("+60").first.wait_for()
    lines.get_by_role("button", name="long.txt").click()
    lines.get_by_text("20", exact=True).first.wait_for(state="detached")


def test_a_message_is_queued_while_the_agent_works_and_survives_a_reload(
    desk: BoardDaemon, page: Any
) -> None:
    attempt = desk.attempt(desk.project(), "Note it", executor="DEMO")
    page.goto(f"/#/attempts/{attempt}")
    page.get_by_role("group", name="The agent asks").wait_for()
    page.get_by_label("Message to the agent").fill("And the price")
    page.reload()
    field = page.get_by_label("Message to the agent")
    field.wait_for()
    assert field.input_value() == "And the price"
    field.press("Control+Enter")
    page.get_by_text("Queued: it is sent as soon as").wait_for()
    page.get_by_role("button", name="Allow once").click()
    page.get_by_text("This is turn 2 of our session").or_(
        page.get_by_role("group", name="The agent asks")
    ).first.wait_for()
    until(page, lambda: field.input_value() == "")


def test_entries_stand_in_their_order_however_late_each_has_changed(
    desk: BoardDaemon, page: Any
) -> None:
    attempt = desk.attempt(desk.project(), "Note it", executor="DEMO")
    page.goto(f"/#/attempts/{attempt}")
    page.get_by_role("group", name="The agent asks").wait_for()
    # Its plan is the first thing that the agent tells, and has changed at each step since.
    page.reload()
    page.get_by_role("group", name="The agent asks").wait_for()
    entries = page.locator(".talk .entry").all_inner_texts()
    places = [
        next(at for at, text in enumerate(entries) if word in text)
        for word in ("plan", "Thinking", "Read README.md", "I will note")
    ]
    assert places == sorted(places)


def test_cards_are_moved_by_keys_and_the_move_is_undone(desk: BoardDaemon, page: Any) -> None:
    project = desk.project()
    task = desk.ask("POST", "/api/tasks", {"project_id": project, "title": "Move me"})
    page.goto("/")
    page.get_by_role("link", name="Move me").wait_for()
    page.keyboard.press("j")
    page.keyboard.press("3")
    page.get_by_role("region", name="In review").get_by_role("link", name="Move me").wait_for()
    page.get_by_text("Moved to In review.").wait_for()
    assert desk.ask("GET", f"/api/tasks/{task['id']}")["status"] == "inreview"
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("region", name="To do").get_by_role("link", name="Move me").wait_for()
    # It is shown before the daemon has it.
    until(page, lambda: desk.ask("GET", f"/api/tasks/{task['id']}")["status"] == "todo")


def test_a_link_fills_the_field_and_starts_nothing(desk: BoardDaemon, page: Any) -> None:
    desk.project()
    page.goto("/?new=Rewrite%20it")
    field = page.get_by_label("What is to be done?")
    field.wait_for()
    assert field.input_value() == "Rewrite it"
    assert page.url.endswith("/")
    assert desk.ask("GET", "/api/task-attempts") == []
