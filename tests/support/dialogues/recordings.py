"""The recorded dialogues of all agents: which agent each belongs to, and how it is replayed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyond.agents.acp.agent import Acp
from anyond.agents.common.core import AgentEvent, Dialogue, Turn
from anyond.agents.roster import AGENTS
from anyond.model.configuration.settings import Executor
from anyond.model.records import Stream
from tests.support.paths import TRANSCRIPTS

FOLDER = TRANSCRIPTS
TREE = "/home/me/tree"
_STREAMS = {"in": Stream.STDIN, "out": Stream.STDOUT, "err": Stream.STDERR}
_RESUMING = {
    "session/load": "sessionId",
    "session/resume": "sessionId",
    "thread/resume": "threadId",
}

Records = list[tuple[Stream, bytes]]


@dataclass(frozen=True)
class Recording:
    """One recorded run.

    Args:
        executor: the agent that reads it.
        turn: what the run was about, as far as the recording tells.
    """

    path: Path
    executor: Executor
    records: tuple[tuple[Stream, bytes], ...]
    turn: Turn

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.stem}"

    def fresh(self) -> Dialogue:
        """A dialogue that has read nothing yet."""
        return AGENTS[self.executor].dialogue(self.turn)


def recordings(folder: Path = FOLDER) -> list[Recording]:
    """All recordings of the agents of the roster."""
    return [load(path) for path in sorted(folder.glob("*/*.jsonl"))]


def load(path: Path) -> Recording:
    """One recording; a row of the direction `meta` tells fields of its turn."""
    rows = [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines()]
    records = tuple(
        (_STREAMS[row["dir"]], row["line"].encode() + b"\n")
        for row in rows
        if row["dir"] in _STREAMS
    )
    told: dict[str, Any] = {"prompt": "do it", "cwd": TREE, "session_id": _resumed(records)}
    for row in rows:
        if row["dir"] == "meta":
            told |= _object(row["line"])
    fields = Turn.__struct_fields__
    turn = Turn(**{name: value for name, value in told.items() if name in fields})
    return Recording(path, _executor(path), records, turn)


def _executor(path: Path) -> Executor:
    """The agent whose name begins the folder's, or for `acp` the recording's."""
    names = {executor.split("_")[0].lower(): executor for executor in AGENTS}
    folder = path.parent.name
    if folder == "acp":
        found = names.get(path.stem.split("_")[0], Executor.ACP)
        return found if isinstance(AGENTS[found], Acp) else Executor.ACP
    return names[folder.split("_")[0].split("-")[0]]


def _resumed(records: Iterable[tuple[Stream, bytes]]) -> str | None:
    for stream, line in records:
        told = _object(line) if stream is Stream.STDIN else {}
        key = _RESUMING.get(str(told.get("method")))
        if key is not None:
            params = told.get("params")
            found = params.get(key) if isinstance(params, dict) else None
            return None if found is None else str(found)
    return None


def _object(text: str | bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}  # a prompt in plain words
    return found if isinstance(found, dict) else {}


def fold(dialogue: Dialogue, records: Iterable[tuple[Stream, bytes]]) -> list[AgentEvent]:
    """All events of `records`, to the end."""
    events: list[AgentEvent] = []
    for stream, data in records:
        events += dialogue.receive(stream, data)
    return [*events, *dialogue.finish()]
