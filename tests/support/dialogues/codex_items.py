"""Messages of Codex about turns and their items."""

from __future__ import annotations

from typing import Any

from anyond.agents.common.core import (
    Dialogue,
    TurnEnded,
)
from tests.support.dialogues.codex_driver import hear


def completed(dialogue: Dialogue, turn: str = "t1", thread: str = "main", **more: Any) -> list[Any]:
    params = {"threadId": thread, "turn": {"id": turn, "status": "completed", **more}}
    return hear(dialogue, method="turn/completed", params=params)


def item(dialogue: Dialogue, when: str = "started", thread: str = "main", **item: Any) -> list[Any]:
    params = {"threadId": thread, "item": item}
    return hear(dialogue, method=f"item/{when}", params=params)


def error(dialogue: Dialogue, retry: bool, message: str = "broken", **more: Any) -> list[Any]:
    reported = {"message": message, **more}
    return hear(dialogue, method="error", params={"error": reported, "willRetry": retry})


def ends(events: list[Any]) -> list[TurnEnded]:
    return [event for event in events if isinstance(event, TurnEnded)]
