"""The daemon may have many files open, what it starts only as many as the daemon was given."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest

from anyond import open_files
from anyond.model.errors import Unavailable

PROGRAM = """
import os, resource, sys, trio
from anyond import open_files
from anyond.git.program.process import run
from anyond.procs.capture import capture

async def main():
    print(open_files.raise_limit(), resource.getrlimit(resource.RLIMIT_NOFILE))
    said = await capture(
        ["/bin/sh", "-c", "sleep 0.3; ulimit -Sn"], os.environ, seconds=20, most=100
    )
    print(said.text.strip())

resource.setrlimit(resource.RLIMIT_NOFILE, (200, 900))
trio.run(main)
"""


def test_the_soft_limit_is_raised_for_the_daemon_and_given_back_to_children() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    lines = done.stdout.split("\n")
    assert lines[0] == "900 (900, 900)"
    if sys.platform == "linux":
        assert lines[1] == "200"


def test_what_is_raised_is_never_lowered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_files, "LARGEST", 64)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert open_files.raise_limit() == before[0]
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before


def test_nothing_is_started_when_nearly_all_descriptors_are_in_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    open_files.demand_room()
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)
    monkeypatch.setattr(open_files, "limit", lambda: lowest + 3)
    with pytest.raises(Unavailable, match="Nothing is started"):
        open_files.demand_room()
