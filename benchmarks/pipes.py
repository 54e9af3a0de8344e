"""Programs whose output goes through `cat` to one reader: `python -m benchmarks.pipes`.

It is told what to do by one line of JSON: `argv` of the program, and `number`, how many of them run
at once. It says `joined` when all run, and at the end one line of JSON: after how many milliseconds
each line was read that is the time at which it was printed, and the processor time of all `cat` and
of the reader.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from typing import Any

from benchmarks.root import ROOT


def start(argv: list[str], number: int) -> subprocess.Popen[bytes]:
    """A reader of so many programs that run."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.pipes"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps({"argv": argv, "number": number}).encode() + b"\n")
    process.stdin.flush()
    if process.stdout.readline() != b"joined\n":
        raise RuntimeError("the reader did not start")
    return process


def result(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Return what a reader has measured, when all programs are over."""
    out, _ = process.communicate(timeout=600)
    return json.loads(out)  # type: ignore[no-any-return]


def main() -> None:
    task = json.loads(sys.stdin.readline())
    selector = selectors.DefaultSelector()
    programs, cats = [], []
    for _ in range(task["number"]):
        program = subprocess.Popen(task["argv"], stdout=subprocess.PIPE)
        cat = subprocess.Popen(["cat"], stdin=program.stdout, stdout=subprocess.PIPE)
        assert program.stdout is not None
        assert cat.stdout is not None
        program.stdout.close()
        programs.append(program)
        cats.append(cat)
        selector.register(cat.stdout, selectors.EVENT_READ)
    print("joined", flush=True)
    before = time.process_time()
    delays = _read(selector)
    used = time.process_time() - before
    for cat in cats:
        _, _, usage = os.wait4(cat.pid, 0)
        used += usage.ru_utime + usage.ru_stime
    for program in programs:
        program.wait()
    print(json.dumps({"delays_ms": delays, "cpu": used}))


def _read(selector: selectors.BaseSelector) -> list[float]:
    """The delay of each line; the lines of a program come whole, as it flushes each."""
    delays: list[float] = []
    while selector.get_map():
        for key, _ in selector.select():
            data = os.read(key.fd, 1 << 16)
            if not data:
                selector.unregister(key.fileobj)
            at = time.monotonic_ns()
            delays += [(at - int(line)) / 1e6 for line in data.split()]
    return delays


if __name__ == "__main__":
    main()
