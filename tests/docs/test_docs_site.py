"""The pages of the site: each is in the navigation, and each link leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from requirements.site_links import OUTSIDE, for_site, in_site
from tests.support.paths import ROOT

PAGES = {
    **{path.relative_to(ROOT).as_posix(): path for path in (ROOT / "docs").rglob("*.md")},
    **{source: ROOT / source for source in OUTSIDE if source.endswith(".md")},
}
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")
_HEAD = re.compile(r"^#+ (?P<text>.+)$", re.MULTILINE)


def prose(text: str) -> str:
    """A page without its blocks of code."""
    return _FENCED.sub("", text)


def anchors(text: str) -> set[str]:
    """What the headings of a page can be linked to as, in a repository browser and in the site."""
    plain = (re.sub(r"[^\w\s-]", "", match["text"].lower()) for match in _HEAD.finditer(text))
    return {re.sub(r"\s", "-", text.strip()) for text in plain}


def broken(page: Path, text: str) -> list[str]:
    """The relative links of a page that lead to no file, or to no heading of it."""
    found = []
    for match in _LINK.finditer(prose(text)):
        path, anchor = match["path"], match["anchor"]
        if path.startswith(("http:", "https:", "mailto:")):
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or not target.is_relative_to(ROOT):
            found.append(match[0])
        elif anchor and target.suffix == ".md":
            there = text if target == page else target.read_text(encoding="utf-8")
            found += [] if anchor in anchors(prose(there)) else [match[0]]
    return found


def test_every_page_is_in_the_navigation_once() -> None:
    _, _, navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")
    named = re.findall(r"[\w./-]+\.md$", navigation, re.MULTILINE)
    assert sorted(named) == sorted(str(in_site(source)) for source in PAGES)


@pytest.mark.parametrize("source", sorted(PAGES))
def test_every_relative_link_leads_to_a_file_and_a_heading(source: str) -> None:
    page = PAGES[source]
    assert broken(page, page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("source", sorted(PAGES))
def test_the_site_has_whatever_a_page_links_to(source: str) -> None:
    text = prose(for_site(PAGES[source].read_text(encoding="utf-8"), source))
    below = (path for path in (ROOT / "docs").rglob("*") if path.is_file())
    has = {in_site(path.relative_to(ROOT).as_posix()) for path in below} | set(OUTSIDE.values())
    folder = Path("/", str(in_site(source))).parent
    for match in _LINK.finditer(text):
        if match["path"] and "://" not in match["path"]:
            there = (folder / match["path"]).resolve().relative_to("/").as_posix()
            assert there in has, f"{match[0]} leads to nothing in the site"


def test_a_link_that_leads_nowhere_is_found() -> None:
    page = ROOT / "docs" / "survival.md"
    text = "# Here it is\n[a](gone.md) [b](api.md#gone) [c](#gone) [d](#here-it-is) [e](api.md)"
    assert broken(page, text) == ["](gone.md)", "](api.md#gone)", "](#gone)"]


def test_links_out_of_the_folder_become_those_of_the_site() -> None:
    text = "[a](../systemd/README.md#x) [b](api.md)\n```text\n[c](../systemd/README.md)\n```\n"
    assert for_site(text, "docs/security.md") == text.replace("../systemd", "systemd", 1)
    assert for_site("[a](docs/adr/) [b](docs/api.md)", "README.md") == (
        "[a](adr/README.md) [b](api.md)"
    )
    assert for_site("[a](../README.md)", "systemd/README.md") == "[a](../index.md)"
    assert for_site("[a](../LICENSE)", "docs/api.md") == "[a](../LICENSE)"


def test_what_the_head_of_a_block_names_becomes_its_title() -> None:
    text = "```text file=a/b.py after='x = \"1\"'\ncode\n```\n"
    assert for_site(text, "docs/api.md") == '```text title="a/b.py"\ncode\n```\n'


def test_the_site_asks_for_nothing_from_elsewhere() -> None:
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert "font: false" in settings
    assert not re.search(r"https?:|analytics|mermaid", settings)
