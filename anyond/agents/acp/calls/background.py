"""Sub-agents of a run that still work when the turn that has started them is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anyond.agents.json_rpc.jsonrpc import as_dict, as_text

_ANSWER = "background_notification_response"
_NEWS = "background_task_completed"
_NOTE = "background_notification"


class Background:
    """The sub-agents in the background, by the ids of the calls that started them.

    The agent hears of the end of each in the turn that still goes on, or else in one that nobody
    has asked for; when that turn is over, nothing more comes of it.
    """

    def __init__(self) -> None:
        self._at_work: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._at_work)

    def started(self, update: Mapping[str, Any]) -> bool:
        """Return whether this update of a call tells that it goes on in the background."""
        output = as_dict(update.get("rawOutput"))
        if output.get("executionMode") != "background" or output.get("status") != "background":
            return False
        self._at_work.add(as_text(update.get("toolCallId")))
        return True

    def ended(self, update: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the end of a call as an update of it, if this piece of a text reports that."""
        meta = as_dict(update.get("_meta"))
        task = as_dict(meta.get("backgroundTask"))
        call, status = as_text(task.get("toolUseId")), as_text(task.get("status"))
        if call not in self._at_work:
            return None
        source = meta.get("source")
        is_note = source == _NOTE and "backgroundTurn" not in meta
        if is_note or (source == _ANSWER and task.get("turnComplete") is True):
            self._at_work.discard(call)
        elif source != _NEWS:
            return None
        return {"toolCallId": call, "status": "completed" if status == "completed" else "failed"}

    @staticmethod
    def is_notice(update: Mapping[str, Any]) -> bool:
        """Return whether the piece of a text only tells of such an end, which the call shows as
        well.
        """
        source = as_text(as_dict(update.get("_meta")).get("source"))
        return source in (_NEWS, _NOTE)
