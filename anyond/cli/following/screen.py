"""Lines as they are printed while something runs: whole ones, growing ones, and one at the foot."""

from __future__ import annotations

import shutil
from typing import IO

from anyond.cli.rendering.colors import Painter, Style
from anyond.cli.rendering.harmless import harmless, in_one_line
from anyond.cli.rendering.tables import cut


class Screen:
    """A terminal, or a pipe.

    Args:
        out: where it prints.
        live: whether texts grow in place and there is a line at the foot; else lines are whole.
    """

    def __init__(self, out: IO[str], painter: Painter, *, live: bool) -> None:
        self._out = out
        self._paint = painter
        self._live = live
        self._foot = ""
        self._open: object = None
        self._pending = ""
        self._indent = ""

    def line(self, text: str = "", style: Style | None = None, indent: str = "") -> None:
        """Print text of one or more lines."""
        self.close()
        self._wipe()
        for one in harmless(text).split("\n"):
            self._out.write(f"{indent}{self._paint(one, style)}".rstrip() + "\n")
        self._out.flush()

    def grow(self, key: object, text: str, indent: str = "") -> None:
        """Print more of a text; other output in between ends its line."""
        if self._open != key:
            self.close()
            self._open, self._pending, self._indent = key, "", indent
            if self._live:
                self._wipe()
                self._out.write(indent)
        text = harmless(text)
        if self._live:
            self._out.write(text.replace("\n", f"\n{indent}"))
        else:
            *whole, self._pending = (self._pending + text).split("\n")
            for one in whole:
                self._out.write(f"{indent}{one}\n")
        self._out.flush()

    def close(self) -> None:
        """End the line of a text that grows."""
        if self._open is None:
            return
        self._open = None
        if self._live or self._pending:
            self._out.write("\n" if self._live else f"{self._indent}{self._pending}\n")
            self._pending = ""
            self._out.flush()

    def foot(self, text: str) -> None:
        """Show one line below all others, in place of the last one; "" for none."""
        if not self._live or self._open is not None:
            return
        line = cut(in_one_line(text), shutil.get_terminal_size().columns - 1)
        if line != self._foot:
            self._wipe()
            self._foot = line
            self._out.write(self._paint(line, Style.DIM))
            self._out.flush()

    def end(self) -> None:
        """Leave the cursor on a line of its own."""
        self.close()
        self._wipe()
        self._out.flush()

    def _wipe(self) -> None:
        if self._foot:
            self._foot = ""
            self._out.write("\r\x1b[2K")
