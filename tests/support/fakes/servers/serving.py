"""How a scripted server is run as a program of its own for as long as it is needed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.paths import ROOT


@contextmanager
def serving(*program: str) -> Iterator[int]:
    """Run a Python program that prints `listening <port>`; gives the port on loopback.

    Args:
        program: a file, or `-m` and a module.
    """
    argv = [sys.executable, *program, "--port", "0"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        try:
            assert server.stdout is not None
            word, port = server.stdout.readline().split()
            assert word == "listening"
            yield int(port)
        finally:
            server.terminate()
