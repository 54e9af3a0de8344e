"""The processes of a run."""

from __future__ import annotations

import json
from typing import Any

from tests.support.daemon import Daemon


def pids(daemon: Daemon, process: dict[str, Any]) -> tuple[int, int]:
    """The pids of the shim and of its program."""
    run = json.loads((daemon.data / "executions" / process["id"] / "run.json").read_text())
    return run["shim_pid"], run["pid"]
