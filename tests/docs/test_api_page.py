"""The page about the API names every refusal that the code can utter, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from anyond.http.openapi import refusals
from anyond.http.streaming.encoders import EVENTS
from anyond.model.refusals.remotes import Rejected
from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text()


def test_every_type_of_refusal_is_told_and_no_other() -> None:
    assert refusals.written(PAGE) == PAGE
    table = PAGE.split("### What `error_data.type` can be")[1].split("\n## ")[0]
    rows = [line.split("|")[1].strip(" `") for line in table.splitlines() if line[:3] == "| `"]
    assert {"busy", "invalid", "merge_conflicts", "token_missing"} <= set(rows)
    assert sorted(rows) == sorted(refusals.visible_to_clients())
    assert not {"gone", "already_running"} & set(rows)  # no answer says so


def test_a_table_of_refusals_that_has_changed_is_drift(tmp_path: Path) -> None:
    page = tmp_path / "api.md"
    page.write_text(PAGE.replace("| `busy` | 409 |", "| `busy` | 404 |"))
    assert refusals.main(["--check", str(page)]) == 1
    assert refusals.main([str(page)]) == 0
    assert refusals.main(["--check", str(page)]) == 0
    assert page.read_text() == PAGE
    page.write_text(PAGE.replace(refusals.END, ""))
    with pytest.raises(ValueError, match="no place"):
        refusals.main([str(page)])


def test_what_the_page_says_of_pushes_and_events_is_so() -> None:
    for reason in ("non_fast_forward", "stale", "remote", "local_hook"):
        assert f"`{reason}`" in PAGE
        Rejected(reason, "main")
    for kind in EVENTS:
        assert f"`{kind}`" in PAGE


def test_the_links_of_the_documentation_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    for page in pages:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
