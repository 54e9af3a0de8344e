"""Each screen on a desk, on a phone, in light and dark: complete, accessible, and light enough."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser.board_daemon import BoardDaemon
from tests.support.paths import ROOT

pytestmark = pytest.mark.web

AXE = ROOT / "web/node_modules/axe-core/axe.min.js"
FIRST_BYTES = 60_000
ALL_BYTES = 200_000
SERIOUS = {"serious", "critical"}


def prepared(desk: BoardDaemon) -> dict[str, str]:
    """A desk with an attempt that is finished and one that asks; the address of each screen."""
    project = desk.project()
    desk.project("coffee")
    desk.use_scripted_agent()
    script = "think about it\nplan look | write | check\nwrite notes.md hello\nsay **done**"
    finished = desk.attempt(project, script, title="Finish it")
    desk.finish(finished)
    asks = desk.attempt(project, "Note it", executor="DEMO", title="Ask me")
    plain = desk.ask("POST", "/api/tasks", {"project_id": project, "title": "Plan it"})
    return {
        "board": "/#/",
        "inbox": "/#/inbox",
        "task": f"/#/tasks/{plain['id']}",
        "attempt": f"/#/attempts/{finished}",
        "asking": f"/#/attempts/{asks}",
        "new": "/?new=Write#/",
    }


READY = {
    "board": ".card",
    "inbox": ".inbox .asked",
    "task": ".task h1",
    "attempt": ".land .actions",
    "asking": ".asked",
    "new": "dialog textarea",
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_screen_has_a_serious_finding_of_axe(
    desk: BoardDaemon, browser: Any, scheme: str
) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not there; `make web` installs it")
    addresses = prepared(desk)
    context = browser.new_context(base_url=desk.url, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    found = {}
    page.goto("/#/")
    for name, address in addresses.items():
        page.goto("about:blank")
        page.goto(address)
        page.locator(READY[name]).first.wait_for()
        page.evaluate(AXE.read_text())
        result = page.evaluate("axe.run()")
        found[name] = [
            (one["id"], [node["target"] for node in one["nodes"]])
            for one in result["violations"]
            if one["impact"] in SERIOUS
        ]
    context.close()
    assert {name: bad for name, bad in found.items() if bad} == {}


def test_a_narrow_screen_needs_no_scrolling_sideways(desk: BoardDaemon, page: Any) -> None:
    addresses = prepared(desk)
    page.set_viewport_size({"width": 360, "height": 740})
    for name, address in addresses.items():
        page.goto("about:blank")
        page.goto(address)
        page.locator(READY[name]).first.wait_for(state="attached")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert (name, wide) == (name, 360)
    page.goto("about:blank")
    page.goto(addresses["asking"])
    allow = page.get_by_role("button", name="Allow once")
    allow.wait_for()
    assert allow.bounding_box()["height"] >= 40
    page.get_by_role("button", name="Changes").click()
    page.get_by_role("region", name="Lines that differ").wait_for()


def test_the_board_stands_on_few_bytes(desk: BoardDaemon, page: Any) -> None:
    sizes: dict[str, int] = {}

    def answered(answer: Any) -> None:
        if answer.url.startswith(desk.url) and "/api/" not in answer.url:
            sizes[answer.url] = len(gzip.compress(answer.body(), 9))

    desk.project()
    page.on("requestfinished", lambda request: answered(request.response()))
    page.goto("/")
    page.get_by_text("Nothing is planned").wait_for()
    assert 10_000 < sum(sizes.values()) <= FIRST_BYTES
    built = (ROOT / "anyond/http/board/site").rglob("*")
    files = [path for path in built if path.is_file()]
    assert sum(len(gzip.compress(Path(path).read_bytes(), 9)) for path in files) <= ALL_BYTES
