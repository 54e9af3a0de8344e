"""The command on a pseudo-terminal, as a person has it: keys in, all that is printed out."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

LIMIT_S = 60.0
"""Seconds after which something that has not happened will not happen, on a very busy machine."""
_CONTROLLED = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    " os.execv(sys.executable, [sys.executable, '-m', 'anyond', *sys.argv[1:]])"
)
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class PseudoTerminal:
    """`anyon` with these arguments and a terminal of 100 columns, while inside.

    Args:
        through: a program with arguments that becomes the command by exec.
    """

    def __init__(
        self,
        *arguments: str,
        environment: Mapping[str, str],
        cwd: Path,
        through: Sequence[str] = (),
    ) -> None:
        self._controller, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        self._program = subprocess.Popen(
            [*through, sys.executable, "-c", _CONTROLLED, *arguments],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env={"TERM": "xterm-256color", "PAGER": "cat", **environment},
            cwd=cwd,
            start_new_session=True,
        )
        os.close(terminal)
        self._raw = b""
        self._seen = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._program.poll() is None:
            self._program.send_signal(signal.SIGKILL)
        self._program.wait()
        os.close(self._controller)

    @property
    def raw(self) -> str:
        """All that was printed so far."""
        return self._raw.decode(errors="replace").replace("\r\n", "\n")

    @property
    def text(self) -> str:
        """The same without colours and movements."""
        return _ESCAPES.sub("", self.raw)

    def expect(self, part: str) -> str:
        """Wait until `part` is printed, after what was expected before; all until then."""
        deadline = time.monotonic() + LIMIT_S
        while (at := self.text.find(part, self._seen)) < 0:
            left = deadline - time.monotonic()
            assert left > 0, f"no {part!r} in:\n{self.text[self._seen :]}"
            assert self._read(left), f"ended without {part!r}:\n{self.text[self._seen :]}"
        found = self.text[self._seen : at + len(part)]
        self._seen = at + len(part)
        return found

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._controller, keys.encode())

    def end(self) -> int:
        """Wait for the end of the command; its exit code."""
        deadline = time.monotonic() + LIMIT_S
        while self._read(max(0.0, deadline - time.monotonic())):
            assert time.monotonic() < deadline, f"it does not end:\n{self.text}"
        return self._program.wait(max(0.1, deadline - time.monotonic()))

    def _read(self, timeout_s: float) -> bool:
        """Whether there may be more."""
        ready, _, _ = select.select([self._controller], [], [], timeout_s)
        if not ready:
            return True
        data = b""
        with suppress(OSError):  # the other end is closed
            data = os.read(self._controller, 1 << 16)
        self._raw += data
        return bool(data)
