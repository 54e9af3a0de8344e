from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.terminals.command_line import CommandLine, command_line


@pytest.fixture(scope="module")
def anyon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    with command_line(tmp_path_factory.mktemp("anyon") / "d") as made:
        yield made
