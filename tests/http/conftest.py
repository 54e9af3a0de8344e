"""The served application that most tests of the front talk to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from anyond.http.direct import DirectRoutes
from tests.support.http.front_door import Server, open_server

_BOTH_WAYS = {"test_answers", "test_bodies", "test_draft_versions", "test_direct"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """JSON is answered straight, and through Quart: what is promised of one holds of both."""
    name = metafunc.module.__name__.rpartition(".")[2]
    if name in _BOTH_WAYS and "server" in metafunc.fixturenames:
        metafunc.parametrize("server", ["direct", "framework"], indirect=True)


@pytest.fixture
async def server(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    async with open_server(tmp_path) as opened:
        if getattr(request, "param", "direct") == "framework":
            opened.app.direct = DirectRoutes()
        yield opened
