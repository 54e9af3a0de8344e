"""The site has state diagrams as pictures, for which a browser has to load nothing."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from requirements.site_pictures import Transition, picture, transitions, with_pictures
from tests.support.paths import ROOT

SVG = "{http://www.w3.org/2000/svg}"
TEXT = "stateDiagram-v2\n    [*] --> IDLE\n    IDLE --> BUSY: Asked [if <free>] / Run\n"


def test_a_state_diagram_is_drawn_with_all_its_states_and_transitions() -> None:
    assert transitions(TEXT) == [
        Transition("[*]", "IDLE", ""),
        Transition("IDLE", "BUSY", "Asked [if <free>] / Run"),
    ]
    drawn = ElementTree.fromstring(picture(TEXT)).find(f"{SVG}svg")
    assert drawn is not None
    texts = [text.text for text in drawn.iter(f"{SVG}text")]
    assert texts == ["IDLE", "BUSY", "Asked [if <free>] / Run"]
    [arrow] = [line for line in drawn.iter(f"{SVG}line") if "marker-end" in line.attrib]
    assert float(arrow.attrib["x1"]) < float(arrow.attrib["x2"]) <= float(drawn.attrib["width"])


@pytest.mark.parametrize("text", ["flowchart TD\n  A --> B\n", "stateDiagram-v2\n  A : words\n"])
def test_what_cannot_be_drawn_stops_the_build(text: str) -> None:
    with pytest.raises(ValueError, match="drawn"):
        with_pictures(f"# Page\n\n```mermaid\n{text}```\n")


def test_every_diagram_of_the_documentation_is_drawn() -> None:
    pages = [path.read_text() for path in (ROOT / "docs").rglob("*.md")]
    drawn = [with_pictures(page) for page in pages if "```mermaid" in page]
    assert sum(page.count("<svg") for page in drawn) == sum(
        len(re.findall("^```mermaid$", page, re.MULTILINE)) for page in pages
    )
    assert all("```mermaid" not in page for page in drawn)
    assert drawn
