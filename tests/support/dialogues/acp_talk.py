"""A made-up agent of the Agent Client Protocol that talks with our dialogue."""

from __future__ import annotations

import json
from typing import Any

from anyond.agents.acp.agent import Acp
from anyond.agents.acp.dialogue import AcpDialogue
from anyond.agents.common.core import (
    AgentEvent,
    Turn,
)
from anyond.model.records import Stream
from tests.support.dialogues.acp_driver import methods

ONCE = {"optionId": "o", "kind": "allow_once"}

REJECT = {"optionId": "r", "kind": "reject_once"}


class Talk:
    """Plays the agent and the pipe: what the dialogue says is echoed before it is answered."""

    agent = Acp(command=("agent",))

    def __init__(self, session: str | None = None, **options: Any) -> None:
        turn = Turn(prompt="do it", cwd="/w", session_id=session, options=options)
        self.dialogue: AcpDialogue = self.agent.dialogue(turn)
        self.events: list[AgentEvent] = []
        self.printed: list[dict[str, Any]] = []
        self.pump()

    def pump(self) -> list[str]:
        """Write what is queued; returns what it was about."""
        subject = []
        while lines := self.dialogue.outgoing():
            subject += methods(lines)
            self.printed += map(json.loads, lines)
            for line in lines:
                self.events += self.dialogue.receive(Stream.STDIN, line)
        return subject

    def hear(self, **message: Any) -> list[str]:
        """The agent says `message`; returns what the dialogue says to that."""
        line = json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"
        self.events += self.dialogue.receive(Stream.STDOUT, line)
        return self.pump()

    def reply(self, result: Any = None, **fault: Any) -> list[str]:
        """The agent answers the newest request."""
        number = [
            message["id"] for message in self.printed if "method" in message and "id" in message
        ][-1]
        if fault:
            return self.hear(id=number, error=fault)
        return self.hear(id=number, result={} if result is None else result)

    def update(self, update: str, /, **fields: Any) -> None:
        self.hear(method="session/update", params={"update": {"sessionUpdate": update, **fields}})

    def ask(self, id: Any, options: list[Any], **tool: Any) -> list[str]:
        params = {"toolCall": {"toolCallId": "t", **tool}, "options": options}
        return self.hear(id=id, method="session/request_permission", params=params)

    def only(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def working(**options: Any) -> Talk:
    """A talk in the middle of its turn."""
    talk = Talk(**options)
    assert talk.reply({"protocolVersion": 1}) == ["session/new"]
    assert talk.reply({"sessionId": "s"})[-1:] == ["session/prompt"]
    return talk


def printed(talk: Talk, text: str) -> None:
    talk.update("agent_message_chunk", content={"type": "text", "text": text})
