"""A daemon and a browser with its board; whatever the browser complains about fails a test."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser.board_daemon import BoardDaemon
from tests.support.browser.watched import Watched


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BoardDaemon]:
    with BoardDaemon(tmp_path / "desk") as daemon:
        yield daemon


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    chromium = os.environ.get("CHROMIUM")
    if not chromium:
        pytest.skip("CHROMIUM names no browser; `make test-web` does")
    playwright = pytest.importorskip("playwright.sync_api", reason="`make test-web` installs it")
    with playwright.sync_playwright() as driver:
        # Without its own sandbox, since that is refused in many containers. It sees our page only.
        shown = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield shown
        shown.close()


@pytest.fixture
def watched(browser: Any, desk: BoardDaemon) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, base_url=desk.url)
    made = Watched(context, re.escape(desk.url.partition("//")[2]))
    yield made
    context.close()
    assert made.complaints == []
    assert made.strangers == []


@pytest.fixture
def page(watched: Watched) -> Any:
    return watched.page()
