"""How recorded and live dialogues of the Agent Client Protocol are driven in tests."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections.abc import Callable, Iterable
from typing import Any, Self

from anyond.agents.acp.agent import Acp
from anyond.agents.acp.dialogue import AcpDialogue
from anyond.agents.common.core import (
    Agent,
    AgentEvent,
    ApprovalAnswered,
    ApprovalAsked,
    ApprovalWithdrawn,
    Dialogue,
    EntryPut,
    Noise,
    SessionStarted,
    Turn,
    TurnEnded,
)
from anyond.model.entries import (
    CommandRun,
    ErrorMessage,
    FileEdit,
    NormalizedEntry,
    TokenUsage,
    ToolUse,
)
from anyond.model.records import Stream
from tests.support.paths import TRANSCRIPTS

RECORDINGS = TRANSCRIPTS / "acp"
NAMES = sorted(file.stem for file in RECORDINGS.glob("*.jsonl"))
DEADLINE = 20.0
_STREAMS = {"in": Stream.STDIN, "out": Stream.STDOUT, "err": Stream.STDERR}

Records = list[tuple[Stream, bytes]]


def recording(name: str) -> Records:
    """The lines of one recorded dialogue, what the agent was told included."""
    lines = (RECORDINGS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        (_STREAMS[record["dir"]], record["line"].encode() + b"\n")
        for record in map(json.loads, lines)
    ]


def fresh(records: Records = [], **options: Any) -> AcpDialogue:  # noqa: B006
    """A dialogue of `/w` that resumes the session which the recording loads, if it does."""
    session = None
    for stream, line in records:
        if stream is Stream.STDIN and json.loads(line).get("method") == "session/load":
            session = json.loads(line)["params"]["sessionId"]
    turn = Turn(prompt="do it", cwd="/w", session_id=session, options=options)
    return Acp(command=("agent",)).dialogue(turn)


def fold(dialogue: Dialogue, records: Iterable[tuple[Stream, bytes]]) -> list[AgentEvent]:
    """All events of `records`, to the end."""
    events: list[AgentEvent] = []
    for stream, data in records:
        events += dialogue.receive(stream, data)
    return [*events, *dialogue.finish()]


def entries(events: Iterable[AgentEvent]) -> dict[str, NormalizedEntry]:
    """The last state of every entry, in the order of their first appearance."""
    return {event.key: event.entry for event in events if isinstance(event, EntryPut)}


def methods(lines: Iterable[bytes]) -> list[str]:
    """What queued messages are about: a method, or `answer <id>`."""
    found = map(json.loads, lines)
    return [line.get("method") or f"answer {line['id']}" for line in found]


def reported(events: Iterable[AgentEvent]) -> list[str]:
    """The entries and the other events as short lines; golden results are made of them."""
    events = list(events)
    lines = [_line(entry) for entry in entries(events).values()]
    for event in events:
        match event:
            case SessionStarted():
                lines.append("> session")
            case ApprovalAsked(_, tool_name):
                lines.append(f"> asked: {tool_name[:40]}")
            case ApprovalAnswered():
                lines.append("> answered")
            case ApprovalWithdrawn():
                lines.append("> withdrawn")
            case TurnEnded(outcome, error):
                lines.append(f"> {outcome}: {error[:60]}" if error else f"> {outcome}")
            case Noise(line):
                lines.append(f"> noise: {line[:40]}")
    return lines


def _line(entry: NormalizedEntry) -> str:
    kind = entry.entry_type
    text = entry.content[:60].replace("\n", "|")
    match kind:
        case ToolUse(action_type=action):
            name = type(action).__struct_config__.tag
            line = f"{name} {type(kind.status).__struct_config__.tag}: {text}"
            if isinstance(action, FileEdit):
                tags = [type(change).__struct_config__.tag for change in action.changes]
                line += f" {tags}"
            if isinstance(action, CommandRun) and action.result is not None:
                ended = action.result.exit_status
                code = getattr(ended, "code", getattr(ended, "success", None))
                line += f" [{code}] {(action.result.output or '')[:30]!r}"
            return line
        case TokenUsage():
            return f"usage: {kind.input_tokens} + {kind.output_tokens}"
        case ErrorMessage():
            return f"error: {text}"
    return f"{str(type(kind).__struct_config__.tag).removesuffix('_message')}: {text}"


class Live:
    """A real agent program over pipes, with its dialogue; what is said both ways is recorded.

    Use it in a `with` block: at its end standard input is closed, and the program is reaped.
    """

    def __init__(self, agent: Agent, turn: Turn, env: dict[str, str]) -> None:
        self.turn = turn
        launch = agent.launch(turn)
        self.dialogue = agent.dialogue(turn)
        self.records: Records = []
        self.events: list[AgentEvent] = []
        self._seen = 0
        self.program = subprocess.Popen(
            launch.argv,
            cwd=launch.cwd,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        stdin, stdout = self.program.stdin, self.program.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.close()
        try:
            self.program.wait(DEADLINE)
        finally:
            self.program.kill()
            self.program.wait()
            stdout.close()

    def flush(self) -> None:
        """Say what is queued, and what that makes the dialogue say."""
        stdin = self.program.stdin
        assert stdin is not None
        while lines := self.dialogue.outgoing():
            for line in lines:
                self._take(Stream.STDIN, line)
                stdin.write(line)
            stdin.flush()

    def until(self, expected: Callable[[AgentEvent], bool]) -> AgentEvent:
        """Talk until an event of that kind comes; fails at the end of output or the deadline."""
        stdout = self.program.stdout
        assert stdout is not None
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            self.flush()
            while self._seen < len(self.events):
                self._seen += 1
                if expected(self.events[self._seen - 1]):
                    return self.events[self._seen - 1]
            if select.select([stdout], [], [], 0.2)[0]:
                data = os.read(stdout.fileno(), 1 << 16)
                assert data, f"the agent ended: {reported(self.events)}"
                self._take(Stream.STDOUT, data)
        raise AssertionError(f"no such event in time: {reported(self.events)}")

    def ended(self) -> TurnEnded:
        """Talk until the turn is over."""
        event = self.until(lambda event: isinstance(event, TurnEnded))
        assert isinstance(event, TurnEnded)
        return event

    def asked(self) -> ApprovalAsked:
        """Talk until the agent asks."""
        event = self.until(lambda event: isinstance(event, ApprovalAsked))
        assert isinstance(event, ApprovalAsked)
        return event

    def _take(self, stream: Stream, data: bytes) -> None:
        self.records.append((stream, data))
        self.events += self.dialogue.receive(stream, data)
