"""How long output gathers on its way to a client: as the page of the architecture says."""

from __future__ import annotations

import importlib
import re

from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "architecture.md"


def test_the_delays_on_the_way_to_a_client_are_those_of_the_page() -> None:
    text = PAGE.read_text()
    rows = re.findall(r"^\| `(anyond[\w.]+)` \| ([\d.]+) \| ([\d.]+) \|", text, re.MULTILINE)
    assert len(rows) == 3
    raw = structured = 0.0
    for name, on_raw, on_structured in rows:
        module, _, constant = name.rpartition(".")
        delay = getattr(importlib.import_module(module), constant)
        assert float(on_structured) == delay, name
        assert float(on_raw) in (delay, 0), name
        if constant != "UNFINISHED_LINE_S":
            raw, structured = raw + float(on_raw), structured + float(on_structured)
    told = re.search(
        r"\*\*together, for whole lines\*\* \| \*\*([\d.]+)\*\* \| \*\*([\d.]+)\*\*", text
    )
    assert told is not None
    assert (float(told[1]), float(told[2])) == (round(raw, 6), round(structured, 6))
