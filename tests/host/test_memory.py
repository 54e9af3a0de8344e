"""Memory that is free goes back to the system."""

from __future__ import annotations

import sys

import psutil
import pytest

from anyond.host.memory import give_back


@pytest.mark.skipif(sys.platform != "linux", reason="other C libraries give it back themselves")
def test_free_memory_goes_back_to_the_system() -> None:
    process = psutil.Process()
    pieces = [bytes(1000) for _ in range(100_000)]
    held = pieces[::1000]  # so that the heap has an end that is in use
    full = process.memory_info().rss
    del pieces
    give_back()
    assert full - process.memory_info().rss > 50_000_000
    assert len(held) == 100
