"""How recorded dialogues of Codex are played back in tests."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from anyond.agents.codex.agent import Codex
from anyond.agents.common.core import Dialogue, Turn
from anyond.model.records import Stream
from tests.support.dialogues.acp_driver import Records
from tests.support.paths import TRANSCRIPTS

RECORDINGS = TRANSCRIPTS / "codex"
NAMES = sorted(file.stem for file in RECORDINGS.glob("*.jsonl"))
ASKING = {"sandbox": "workspace-write", "ask_for_approval": "unless-trusted"}
_STREAMS = {"in": Stream.STDIN, "out": Stream.STDOUT, "err": Stream.STDERR}


def recording(name: str) -> Records:
    """The lines of one recorded dialogue, what the agent was told included."""
    lines = (RECORDINGS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        (_STREAMS[record["dir"]], record["line"].encode() + b"\n")
        for record in map(json.loads, lines)
    ]


def fresh(records: Iterable[tuple[Stream, bytes]] = ()) -> Dialogue:
    """A dialogue of `/w` with the options and the former session of the recording."""
    session, plan = None, False
    for stream, line in records:
        if stream is Stream.STDIN:
            params = output(line).get("params", {})
            session = params.get("threadId") if "excludeTurns" in params else session
            plan = plan or params.get("collaborationMode", {}).get("mode") == "plan"
    options = {**ASKING, "plan": plan}
    past = "It was about tea." if session else ""
    turn = Turn(prompt="do it", cwd="/w", session_id=session, options=options, past=past)
    return Codex().dialogue(turn)


def output(line: bytes) -> dict[str, Any]:
    """The message in a line; nothing if it is none."""
    try:
        return dict(json.loads(line))
    except ValueError:
        return {}


def opened(**options: Any) -> Dialogue:
    """A dialogue whose first turn, `t1` of the thread `main`, has begun."""
    turn = Turn(prompt="do it", cwd="/w", options={**ASKING, **options})
    dialogue = Codex().dialogue(turn)
    tell(dialogue, id=1, method="initialize")
    hear(dialogue, id=1, result={})
    tell(dialogue, id=2, method="thread/start")
    hear(dialogue, id=2, result={"thread": {"id": "main"}, "model": "m"})
    begin = {"threadId": "main", "input": [{"type": "text", "text": "do it"}]}
    tell(dialogue, id=3, method="turn/start", params=begin)
    hear(dialogue, id=3, result={"turn": {"id": "t1"}})
    dialogue.outgoing()
    return dialogue


def tell(dialogue: Dialogue, **message: Any) -> list[Any]:
    """Let the log show that the agent was told this."""
    return list(dialogue.receive(Stream.STDIN, json.dumps(message).encode() + b"\n"))


def hear(dialogue: Dialogue, **message: Any) -> list[Any]:
    """Let the agent say this."""
    return list(dialogue.receive(Stream.STDOUT, json.dumps(message).encode() + b"\n"))


def echo(dialogue: Dialogue) -> list[dict[str, Any]]:
    """Take what is queued and let the log show it; the messages."""
    lines = dialogue.outgoing()
    for line in lines:
        dialogue.receive(Stream.STDIN, line)
    return [output(line) for line in lines]
