"""What an agent wrote is text: nothing of it runs, loads, or hides what is beside it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.browser.board_daemon import BoardDaemon

pytestmark = pytest.mark.web

HOSTILE = (
    "<script>globalThis.taken = 1</script>",
    "<img src=x onerror='globalThis.taken = 2'>",
    "<svg onload='globalThis.taken = 3'><script>globalThis.taken = 4</script></svg>",
    "[click](javascript:globalThis.taken=5) and [data](data:text/html,<script>1</script>)",
    "![picture](https://evil.example/pixel.png)",
    "<iframe src='https://evil.example/'></iframe><style>body{display:none}</style>",
    "safe \u202egnp.exe\u202c and \u2066isolated\u2069 and zero\u200bwidth",
    "\u001b[31mred\u001b[0m\u001b]0;title\u0007",
    "<a href='https://evil.example/' autofocus onfocus='globalThis.taken = 6'>x</a>",
    "[" * 2000 + "]" * 2000,
    "> " * 500 + "deep",
    "| <script>globalThis.taken = 7</script> | `x` |",
)


def test_a_hostile_conversation_stays_text(desk: BoardDaemon, page: Any) -> None:
    desk.use_scripted_agent()
    title = "<img src=x onerror='globalThis.taken = 8'> \u202edesrever"
    said = [f"say {text}" for text in HOSTILE if "\n" not in text]
    attempt = desk.attempt(
        desk.project(), "\n".join(["say first", *said, "say the end"]), title=title
    )
    desk.finish(attempt)
    page.goto(f"/#/attempts/{attempt}")
    page.get_by_text("the end").last.wait_for()
    page.evaluate("document.querySelector('.talk .scroll').scrollTop = 0")
    page.wait_for_timeout(300)
    assert page.evaluate("globalThis.taken") is None
    for name in ("script", "img", "iframe", "svg", "style", "object"):
        assert page.locator(f".attempt {name}").count() == 0
    for link in page.locator(".talk a").all():
        assert link.get_attribute("href").startswith(("http://", "https://", "mailto:"))
        assert link.get_attribute("rel") == "noopener noreferrer"
    shown = page.locator("main").inner_text()
    assert "[U+202E]" in shown
    assert "\u202e" not in shown
    page.goto("/#/")
    page.get_by_role("link", name="<img src=x").wait_for()
    assert "\u202e" not in page.locator("main").inner_text()
    assert page.evaluate("globalThis.taken") is None


def test_a_line_of_a_megabyte_is_cut_and_holds_nothing_up(desk: BoardDaemon, page: Any) -> None:
    desk.use_scripted_agent()
    lines = [f"run {PRINT} 1000000", f"say {'y' * 90_000}", "think so", "say after"]
    attempt = desk.attempt(desk.project(), "\n".join(lines))
    page.goto(f"/#/attempts/{attempt}")
    page.get_by_role("group", name="The agent asks").wait_for()
    page.keyboard.press("y")
    page.get_by_text("after", exact=True).last.wait_for()
    length = page.evaluate("document.querySelector('main').textContent.length")
    assert length < 300_000
    page.get_by_role("button", name="more characters").first.wait_for(state="attached")


PRINT = "python3 -c 'import sys; print(\"x\" * int(sys.argv[1]))'"
