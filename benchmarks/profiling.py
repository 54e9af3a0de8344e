"""Flame graphs of daemons while they are measured, by py-spy, which samples them from outside."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

RATE = 200
"""Samples a second; each stops the program for less than a millisecond."""
_DRAW_S = 60.0


class Profiler:
    """Profiles into one directory, a file for each process.

    Args:
        py_spy: the program.
        directory: is made if it is not there.
    """

    def __init__(self, py_spy: Path, directory: Path) -> None:
        self._py_spy = py_spy.absolute()  # of a virtual environment, so it is not resolved
        self._directory = directory
        self._recording: list[tuple[Path, subprocess.Popen[bytes]]] = []
        self.row = ""

    def attach(self, pid: int) -> None:
        """Sample a process until it ends, or until `finish`."""
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / f"{self.row}-{len(self._recording) + 1}.svg"
        argv = [str(self._py_spy), "record", "--pid", str(pid), "--output", str(path)]
        more = ["--rate", str(RATE), "--duration", "unlimited"]
        with path.with_suffix(".log").open("wb") as log:
            process = subprocess.Popen([*argv, *more], stdout=log, stderr=log)
        self._recording.append((path, process))

    def finish(self) -> list[Path]:
        """The flame graphs that were drawn. Why others were not is printed."""
        found = []
        for path, process in self._recording:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                process.wait(_DRAW_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            log = path.with_suffix(".log")
            if path.exists():
                found.append(path)
                log.unlink()
            else:
                print(f"{path.name}: {log.read_text(errors='replace')}", file=sys.stderr)
        self._recording.clear()
        return found
