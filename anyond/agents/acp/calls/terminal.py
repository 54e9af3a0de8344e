"""Output of an agent's own terminal, which only clients that know the extension read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anyond.agents.json_rpc.jsonrpc import as_dict, as_text


class Terminal:
    """The output of the terminal of one tool call.

    Attributes:
        exit_code: of the command in it, once it is told.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self.exit_code: int | None = None

    def merge(self, meta: Mapping[str, Any]) -> None:
        """Take in what the `_meta` of an update tells of it."""
        for name in ("terminal_output", "terminal_output_delta"):
            if text := as_text(as_dict(meta.get(name)).get("data")):
                self._pieces.append(text)
        code = as_dict(meta.get("terminal_exit")).get("exit_code")
        if isinstance(code, int) and not isinstance(code, bool):
            self.exit_code = code

    @property
    def output(self) -> str | None:
        """All that it has shown; None if it is not told."""
        if len(self._pieces) > 1:
            # Joined once: it may be asked for after each piece.
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else None
