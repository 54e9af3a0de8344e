"""The page about the API names every refusal that the code can utter, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from anyond.http.streaming.encoders import EVENTS
from anyond.model.refusals import Rejected
from tests.refusals import known

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "api.md").read_text()


def told() -> set[str]:
    table = PAGE.split("### What `error_data.type` can be")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {type_ for row in rows for type_ in re.findall(r"`(\w+)`", row)}


def test_every_type_of_refusal_is_told_and_no_other() -> None:
    assert told() == known()
    assert {"busy", "invalid", "merge_conflicts", "token_missing"} <= known()


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
