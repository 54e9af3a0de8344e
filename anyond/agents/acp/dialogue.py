"""The dialogue with an agent of the Agent Client Protocol, from the handshake to the outcome.

Theory of operation. First the handshake; when it is done the prompt is queued; what the agent says
until it answers the prompt becomes entries; the answer ends the turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from anyond.agents.acp.conversation.entries import AcpEntries
from anyond.agents.acp.conversation.notices import Notices
from anyond.agents.acp.conversation.updates import Updates
from anyond.agents.acp.handshake import Handshake
from anyond.agents.acp.outbox import Outbox
from anyond.agents.acp.permission.permissions import Permissions
from anyond.agents.acp.permission.questions import PERMISSION
from anyond.agents.acp.session.options import AcpOptions
from anyond.agents.acp.turns import Turns
from anyond.agents.common.carried import Carried
from anyond.agents.common.core import (
    AgentCommand,
    AgentEvent,
    Decide,
    Decision,
    Interrupt,
    Prompt,
    Turn,
)
from anyond.agents.common.recap import recap, remark
from anyond.agents.json_rpc.jsonrpc import (
    METHOD_NOT_FOUND,
    Link,
    Notification,
    Request,
    Response,
    as_dict,
    decode,
)
from anyond.agents.json_rpc.rpc_dialogue import RpcDialogue

_WORDS_MOST = 50
_WORD_BYTES = 1000
"""What a program writes beside the protocol before it has a session, as far as it is looked at."""


class AcpDialogue(RpcDialogue):
    """One run of one agent.

    Args:
        options: those of `turn`, decoded.
        login: how a person logs in, where that is known; "" if not.
    """

    def __init__(self, turn: Turn, options: AcpOptions, login: str = "") -> None:
        self._turn = turn
        self._recap = recap(turn)
        self._options = options
        self._link = Link()
        self._entries = AcpEntries(turn.cwd, turn.carried, options.known_as)
        # Some agents never tell which model they use.
        self._entries.usage.model = options.model if options.model != "default" else None
        self._words: list[str] = []
        super().__init__(self._link, self._entries)
        self._handshake = Handshake(turn, options, self._link, self._entries)
        voice = Notices(self._entries)
        self._updates = Updates(self._entries, voice)
        self._permissions = Permissions(options, self._link, self._entries, self._updates.drafts)
        self._outbox = Outbox(self._link, self._handshake)
        self._turns = Turns(
            self._handshake,
            self._entries,
            voice=voice,
            updates=self._updates,
            permissions=self._permissions,
            outbox=self._outbox,
            recap_text=self._recap,
            login=login,
        )

    # ------------------------------------------------------------ in and out

    def send(self, command: AgentCommand) -> None:
        """Queue what a command asks for; its effect comes with its echo."""
        match command:
            case Prompt(text):
                self._outbox.add(text)
            case Decide(call, decision, reason):
                self._permissions.decide(call, decision is Decision.APPROVED, reason)
            case Interrupt():
                self._outbox.cancel()

    @property
    def left(self) -> Carried:
        """The facts that this run leaves for later ones of its attempt."""
        return self._entries.left

    @property
    def opening(self) -> int | None:
        """The number of answers that have come while the handshake lasts; None when it is over."""
        over = self._outbox.opened or self._turns.over
        return None if over else self._handshake.answers + self._handshake.repeated

    @property
    def handshake_timeout_s(self) -> float:
        """Seconds in which each answer of the handshake must come."""
        return self._options.handshake_deadline_s

    def finish(self) -> Sequence[AgentEvent]:
        """All output has been read: nothing is at work or asked any more."""
        if not self._turns.over:
            self._entries.show_chatter()
        return super().finish()

    # ------------------------------------------------------------ what the agent was told

    def _sent_line(self, line: bytes) -> bool:
        message = decode(line)
        if message is None:
            return False
        closed = self._link.note_sent(message)
        if isinstance(message, Request):
            if message.method == "session/prompt":
                self._turns.prompt_sent(message.params)
            else:
                self._handshake.sent(message.method)
        elif isinstance(message, Notification):
            if message.method == "session/cancel":
                self._turns.cancel_sent()
        elif closed is not None:
            self._permissions.answered(closed.id, as_dict(message.result), self._turns.cancelling)
        return True

    # ------------------------------------------------------------ what the agent said

    def _received_line(self, line: bytes) -> bool:
        message = decode(line)
        # Almost all lines are updates, and classes are told apart faster so than by patterns.
        if isinstance(message, Notification):
            if message.method == "session/update":
                self._updated(as_dict(message.params.get("update")))
            return True
        if message is None:
            return False
        method = self._link.note_received(message)
        if isinstance(message, Request):
            self._updates.no_history()
            self._requested(message)
            return True
        if method is not None:
            self._answered(method, message)
        return method is not None

    def _updated(self, update: Mapping[str, Any]) -> None:
        if self._handshake.replaying:
            self._handshake.repeated += 1
            return
        self._updates.receive(update)
        self._turns.updated()

    def _requested(self, request: Request) -> None:
        if request.method == PERMISSION:
            self._permissions.requested(request, self._turns.cancelling)
        else:
            refusal = f"Anyon does not offer {request.method}"
            self._link.refuse(request.id, METHOD_NOT_FOUND, refusal)

    def _answered(self, method: str, response: Response) -> None:
        handshake = self._handshake
        if method == "session/prompt":
            self._updates.no_history()
            self._turns.prompt_answered(response)
        elif (fault := handshake.answered(method, response)) is not None:
            self._turns.fail(fault)
            return
        if handshake.logged_in:
            self._turns.logged_in()
        # Known since the first answer; some speak before the last.
        self._entries.quirks = handshake.quirks
        if method == "session/load" and handshake.loaded and handshake.quirks.late_history:
            self._updates.history_follows()
        if handshake.done and not self._outbox.opened:
            self._begin()

    def _begin(self) -> None:
        text = self._turn.prompt + (self._options.append_prompt or "")
        anew = self._turn.session_id is None and bool(self._turn.past)
        unknown = self._handshake.forgotten or anew
        if anew:
            self._entries.system(remark(self._recap))
        note = [self._recap] if unknown else []
        self._outbox.open([*note, text])

    def _noise(self, line: bytes) -> None:
        super()._noise(line)
        if not self._outbox.opened and len(self._words) < _WORDS_MOST:
            self._words.append(line[:_WORD_BYTES].decode(errors="replace"))

    def _settle(self) -> None:
        if not self._turns.over:
            self._turns.exited([*self._words, *self._entries.stderr_lines])
        self._turns.settle()
