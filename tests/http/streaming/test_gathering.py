"""How long output gathers on its way to a client: as the page of the architecture says."""

from __future__ import annotations

import importlib
import re

import pytest
import trio

from anyond.http.streaming.gathering import Gathering
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


@pytest.mark.usefixtures("autojump_clock")
async def test_all_streams_share_one_pause_and_none_waits_longer() -> None:
    gathering = Gathering(6)
    ended: dict[str, float] = {}

    async def stream(name: str, comes_at: float, leaves_after: float = 100) -> None:
        await trio.sleep(comes_at)
        with trio.move_on_after(leaves_after):
            await gathering.pause()
            ended[name] = round(trio.current_time() - begun)

    begun = trio.current_time()
    async with trio.open_nursery() as nursery:
        for name, comes_at in (("first", 0), ("second", 1), ("last", 5), ("later", 7)):
            nursery.start_soon(stream, name, comes_at)
    assert ended == {"first": 6, "second": 6, "last": 6, "later": 13}
    begun = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stream, "leaves", 0, 2)
        nursery.start_soon(stream, "stays", 1)
    assert ended["stays"] == 2
    assert "leaves" not in ended
