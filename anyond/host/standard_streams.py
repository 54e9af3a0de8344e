"""Standard streams that whoever started the daemon left closed, or full."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress


def prepare() -> None:
    """Let closed standard streams lead nowhere; to be called before any file is opened.

    Else the next file, the database say, would be standard error to everything that writes there.
    Nothing is held back in buffers: what a full disk did not take would be tried again at the exit,
    and make a failure of it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
            os.set_inheritable(null, True)
    for number, name in ((1, "stdout"), (2, "stderr")):
        raw = io.FileIO(number, "w", closefd=False)
        text = io.TextIOWrapper(raw, errors="backslashreplace", write_through=True)
        setattr(sys, name, text)


def print_line(line: str) -> None:
    """Write a line to standard output, for whoever started the daemon there.

    A full disk, or a reader that is gone, is no reason to end.
    """
    with suppress(OSError):
        print(line)
