"""Dialogues of Claude Code, recorded and made up, replayed and told."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from anyond.agents.claude.agent import Claude
from anyond.agents.common.carried import Carried
from anyond.agents.common.core import (
    AgentEvent,
    Carries,
    Dialogue,
    EntryPut,
    Turn,
    TurnEnded,
)
from anyond.model.entries import (
    NormalizedEntry,
    ToolUse,
)
from anyond.model.records import Stream
from tests.support.paths import TRANSCRIPTS

RECORDINGS = TRANSCRIPTS / "claude"

ALL = sorted(path.stem for path in RECORDINGS.glob("*.jsonl"))

STREAMS = {"in": Stream.STDIN, "out": Stream.STDOUT, "err": Stream.STDERR}

TREE = "/home/me/tree"

LOGIN = "Log in with `claude auth login`, or check the key that the agent is given."

Records = list[tuple[Stream, bytes]]


def recorded(name: str) -> Records:
    rows = (json.loads(row) for row in (RECORDINGS / f"{name}.jsonl").read_text().splitlines())
    return [(STREAMS[row["dir"]], row["line"].encode() + b"\n") for row in rows]


def fresh(prompt: str = "SCN=basic please", **options: Any) -> Dialogue:
    return Claude().dialogue(Turn(prompt=prompt, cwd=TREE, options=options))


@dataclass
class Story:
    """What a dialogue has said: the entries as they are in the end, and the other events."""

    entries: dict[str, NormalizedEntry] = field(default_factory=dict)
    others: list[AgentEvent] = field(default_factory=list)

    def add(self, events: Iterable[AgentEvent]) -> None:
        for event in events:
            if isinstance(event, EntryPut):
                self.entries[event.key] = event.entry
            else:
                self.others.append(event)

    def tool(self, number: int = 0) -> ToolUse:
        uses = [entry.entry_type for entry in self.entries.values()]
        return [use for use in uses if isinstance(use, ToolUse)][number]

    def lines(self) -> list[str]:
        return [line(entry) for entry in self.entries.values()]

    def ends(self) -> list[TurnEnded]:
        return [event for event in self.others if isinstance(event, TurnEnded)]


def line(entry: NormalizedEntry) -> str:
    """One entry for the eye."""
    kind = entry.entry_type
    if isinstance(kind, ToolUse):
        status = type(kind.status).__name__.lower()
        return f"{type(kind.action_type).__name__} {status}: {entry.content}"
    return f"{type(kind).__name__}: {entry.content}"


def replay(records: Iterable[tuple[Stream, bytes]], dialogue: Dialogue | None = None) -> Story:
    dialogue = dialogue or fresh()
    story = Story()
    for stream, data in records:
        story.add(dialogue.receive(stream, data))
    story.add(dialogue.finish())
    return story


def output(*objects: Any) -> list[tuple[Stream, bytes]]:
    """Lines of the agent."""
    return [(Stream.STDOUT, json.dumps(one).encode() + b"\n") for one in objects]


def use(name: str, given: Any, call_id: str = "t1", **more: Any) -> Any:
    block = {"type": "tool_use", "id": call_id, "name": name, "input": given}
    return {"type": "assistant", "message": {"id": "m", "content": [block]}, **more}


def came_back(content: Any, detail: Any = None, call_id: str = "t1", **more: Any) -> Any:
    block = {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}
    return {"type": "user", "message": {"content": [block]}, "tool_use_result": detail}


def permission(name: str, given: Any, request_id: str = "r1", call_id: str = "t1") -> Any:
    request = {
        "subtype": "can_use_tool",
        "tool_name": name,
        "input": given,
        "tool_use_id": call_id,
    }
    return {"type": "control_request", "request_id": request_id, "request": request}


def sent(dialogue: Dialogue) -> list[Any]:
    return [json.loads(one) for one in dialogue.outgoing()]


def left(dialogue: Dialogue, records: Records) -> Carried:
    replay(records, dialogue)
    assert isinstance(dialogue, Carries)
    return dialogue.left


def event(**fields: Any) -> Any:
    return {"type": "stream_event", "event": fields}
