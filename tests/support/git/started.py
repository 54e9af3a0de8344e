"""Counting the gits that are started, by git's own trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def started_gits(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    """The arguments of each git that is started meanwhile, known when the block is over.

    Without the question for its version, which comes once in a process.

    Args:
        place: a directory for the trace.
    """
    trace, found = place / "started-gits", list[list[str]]()
    with monkeypatch.context() as patched:
        patched.setenv("GIT_TRACE2_EVENT", str(trace))
        yield found
    lines = trace.read_text().splitlines() if trace.exists() else []
    trace.unlink(missing_ok=True)
    events = (json.loads(line) for line in lines)
    argvs = [event["argv"] for event in events if event["event"] == "start"]
    found += [argv for argv in argvs if argv[1:] != ["version"]]
