"""Drafts of tool calls: what an agent reports while the model still writes the call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anyond.agents.json_rpc.jsonrpc import as_dict, as_text


class Drafts:
    """The calls that are half made, by their ids: none of them is shown."""

    def __init__(self) -> None:
        self._open: dict[str, Mapping[str, Any]] = {}

    def add(self, update: Mapping[str, Any]) -> bool:
        """Return whether this update of a call is a draft of it; then it is kept."""
        if as_dict(update.get("_meta")).get("phase") != "preparing":
            return False
        self._open[as_text(update.get("toolCallId"))] = update
        return True

    def completed(self, update: Mapping[str, Any]) -> Mapping[str, Any]:
        """The first update that is shown of a call, with all that its draft has told."""
        if not self._open:
            return update
        return {**self._open.pop(as_text(update.get("toolCallId")), {}), **update}
