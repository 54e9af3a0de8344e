"""Whether somebody can be looking at a screen here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import trio

from anyond.procs import desktop


@pytest.fixture
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of the right name that writes down what it was asked for."""
    program = tmp_path / "bin" / ("open" if sys.platform == "darwin" else "xdg-open")
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\nprintf %s "$1" > {tmp_path}/part\nmv {tmp_path}/part {tmp_path}/shown\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    for name in ("SSH_CONNECTION", "SSH_TTY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    return tmp_path / "shown"


async def test_an_address_is_opened_on_the_screen(browser: Path) -> None:
    url = "https://github.com/o/r/pull/1?a=$(touch nothing)&b='c'"
    await desktop.show(url)
    with trio.fail_after(30):
        while not browser.exists():
            await trio.sleep(0.01)
    assert browser.read_text() == url


async def test_only_web_addresses_are_opened(browser: Path) -> None:
    await desktop.show("file:///etc/passwd")
    await desktop.show("https://example.org")
    with trio.fail_after(30):
        while not browser.exists():
            await trio.sleep(0.01)
    assert browser.read_text() == "https://example.org"


def test_nobody_looks_at_the_screen_of_a_machine_that_they_are_logged_in_to_from_afar(
    browser: Path,
) -> None:
    path = str(browser.parent / "bin")
    assert desktop.opener({"PATH": path, "DISPLAY": ":0"}) is not None
    assert desktop.opener({"PATH": path, "DISPLAY": ":0", "SSH_CONNECTION": "1 2 3 4"}) is None


@pytest.mark.skipif(sys.platform == "darwin", reason="there is always a screen")
def test_without_a_display_there_is_no_screen(browser: Path) -> None:
    assert desktop.opener({"PATH": str(browser.parent / "bin")}) is None
