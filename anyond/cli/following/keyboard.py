"""Single keys and whole lines from a terminal."""

from __future__ import annotations

import os
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def single_keys() -> Iterator[int]:
    """Have each key arrive at once and unseen, while inside; the descriptor of the keyboard.

    Ctrl+C stays an interrupt.
    """
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    try:
        tty.setcbreak(keyboard, termios.TCSADRAIN)
        yield keyboard
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


def read_key(keyboard: int) -> str:
    """The key that was pressed, in small letters; "" at the end of input."""
    return os.read(keyboard, 16).decode(errors="replace")[:1].lower()


def read_line(prompt: str) -> str:
    """A line that the person types; "" at the end of input."""
    sys.stderr.write(prompt)
    sys.stderr.flush()
    return sys.stdin.readline().strip()
