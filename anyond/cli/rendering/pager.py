"""The pager, as git has it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO

_DEFAULT = "less"


def pager_command() -> list[str] | None:
    """The command of `ANYON_PAGER` or `PAGER`, else less; None if there is to be none."""
    for name in ("ANYON_PAGER", "PAGER"):
        text = os.environ.get(name)
        if text is not None:
            command = shlex.split(text)
            return command if command and command != ["cat"] else None
    return [_DEFAULT]


@contextmanager
def paged(is_terminal: bool) -> Iterator[IO[str]]:
    """A stream that a pager shows, while inside; stdout where there is none."""
    command = pager_command() if is_terminal else None
    if command is None:
        yield sys.stdout
        return
    # What fits on the screen is not paged, colours are shown, and long lines are not wrapped.
    environment = {"LESS": "FRX", "LV": "-c", **os.environ}
    try:
        program = subprocess.Popen(
            command, stdin=subprocess.PIPE, env=environment, text=True, errors="replace"
        )
    except OSError:
        yield sys.stdout
        return
    assert program.stdin is not None
    try:
        yield program.stdin
    except BrokenPipeError:
        pass  # the person has seen enough
    finally:
        _wait(program)


def print_lines(lines: Iterable[str], is_terminal: bool) -> None:
    """Print lines, through the pager on a terminal."""
    with paged(is_terminal) as out:
        for line in lines:
            out.write(f"{line}\n")


def _wait(program: subprocess.Popen[str]) -> None:
    assert program.stdin is not None
    while True:
        try:
            program.stdin.close()
            program.wait()
            return
        except BrokenPipeError:
            program.wait()
            return
        except KeyboardInterrupt:
            continue  # it is for the pager, which stays until the person leaves it
