"""The tables in the shim's README are made from its declarations."""

from __future__ import annotations

from pathlib import Path

import pytest

import anyond.shim
from anyond.procs.shims import reference
from anyond.shim import protocol

README = Path(anyond.shim.__file__).parent / "README.md"


def test_the_readme_is_what_is_declared() -> None:
    assert reference.main(["--check", str(README)]) == 0


@pytest.mark.parametrize("part", reference.PARTS)
def test_a_page_without_a_place_for_a_part_is_refused(part: str) -> None:
    page = README.read_text()
    with pytest.raises(ValueError, match=part):
        reference.written(page.replace(f"do not edit: {part} -->", ""))


def test_a_new_protocol_needs_a_line_that_says_what_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocol, "PROTOCOL", protocol.PROTOCOL + 1)
    with pytest.raises(ValueError, match="HISTORY"):
        reference.history()


def test_the_protocol_before_is_supported_too() -> None:
    assert protocol.SUPPORTED == (protocol.PROTOCOL - 1, protocol.PROTOCOL)
