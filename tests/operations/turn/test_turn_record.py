"""Turn records: what a replay needs, and the dialogue that is made of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from anyond.model.configuration.settings import Executor
from anyond.model.refusals.requests import Impossible
from anyond.operations.turn.turn_record import TurnRecord
from tests.support.paths import ROOT

FIRST = """
import sys
import threading
import trio
from anyond.model.configuration.settings import Executor
from anyond.operations.turn.turn_record import TurnRecord

NAME = "anyond.agents.codex.dialogue"
importers = []


class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == NAME:
            importers.append(threading.current_thread() is threading.main_thread())


async def main():
    record = TurnRecord(executor=Executor.CODEX, prompt="Hello", cwd="/")
    assert NAME not in sys.modules
    sys.meta_path.insert(0, Watch())
    await record.load()
    await record.load()
    assert importers == [False], importers
    record.dialogue()


trio.run(main)
"""
"""In a process of its own: here, other tests have loaded all agents."""


def test_the_modules_of_an_agent_are_loaded_once_and_not_by_the_thread_that_serves() -> None:
    subprocess.run([sys.executable, "-c", FIRST], cwd=ROOT, check=True)


async def test_what_is_wrong_with_an_option_is_told_when_it_is_loaded() -> None:
    record = TurnRecord(executor=Executor.CURSOR_AGENT, prompt="", cwd="/", options={"force": 3})
    with pytest.raises(Impossible, match="force"):
        await record.load()
