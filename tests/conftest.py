"""What holds for all tests."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import settings

from tests.support.daemons import daemon_process, measured
from tests.support.in_memory import keep_in_memory

# Containers often forbid Python to write bytecode. Each worker would then compile all tests and
# each of a thousand processes all of Anyon: half of the time of a run.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

measured.measure_shims()
keep_in_memory(os.environ)

# How long an example takes tells how busy the machine is, and nothing about the program.
settings.register_profile("anyon", deadline=None)
settings.load_profile("anyon")


def pytest_sessionfinish() -> None:
    """Write what was measured so far: a worker that is slow to end is killed, and loses it."""
    measured.save()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Have daemons forked, except for tests that are about how one starts."""
    if measured.is_measured() and item.get_closest_marker("cost") is not None:
        pytest.skip("the measurement of coverage costs more than the limit of this test")
    daemon_process.allow(item.get_closest_marker("cold_start") is None)
