"""The dialogue with Claude Code: what each line of a run means.

Theory of operation. Nothing but the log moves this on: `send` and `outgoing` touch only the outbox.
Lines of one type are read here; those of which there are many kinds are read by the objects whose
state they change: `SystemLines`, `ControlRequests`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from anyond.agents.claude import wire
from anyond.agents.claude.calls.tool_calls import ToolCalls
from anyond.agents.claude.complaints import Complaints
from anyond.agents.claude.consent import Consent
from anyond.agents.claude.control_requests import ControlRequests
from anyond.agents.claude.outbox import Outbox
from anyond.agents.claude.pending_messages import PendingMessages
from anyond.agents.claude.questions import Questions
from anyond.agents.claude.result import Accounts, turn_outcome
from anyond.agents.claude.system_lines import HARMLESS_NOTICES, HARMLESS_TYPES, SystemLines
from anyond.agents.claude.text import Messages
from anyond.agents.common.carried import NOTHING_CARRIED, Carried
from anyond.agents.common.core import (
    AgentCommand,
    AgentEvent,
    Decide,
    Interrupt,
    Noise,
    Outcome,
    Prompt,
    SessionLost,
    TurnEnded,
)
from anyond.agents.common.disguised_errors import refuses_key
from anyond.agents.common.entry import BROKE_OFF, Note
from anyond.agents.common.paths import Paths
from anyond.agents.common.pending_events import PendingEvents
from anyond.agents.common.recap import remark
from anyond.agents.json_rpc.lines import Lines
from anyond.model.entries import (
    ErrorMessage,
    SystemMessage,
    UserMessage,
)
from anyond.model.records import Stream

_CALLS = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
_LOCAL_OUTPUT = re.compile(r"<local-command-(?:stdout|stderr)>(.*)</local-command-\w+>", re.DOTALL)
_BROKEN_OFF = "The connection to the model's server broke off in the middle of an answer."
_LOST = "No conversation found"
_NOTHING = "(no content)"
"""What stands for the text of an answer that has none, as that to `/clear`."""
_LOGINS = frozenset(
    {
        *("authentication_failed", "authentication_error", "oauth_org_not_allowed"),
        *("invalid_api_key", "unauthorized", "unauthenticated", "token_expired"),
    }
)
_UNAUTHORIZED = 401
_FIRST = "message"


class ClaudeDialogue:
    """One run of Claude Code, or of a program that speaks as it does.

    Args:
        prompt: the first message, complete.
        cwd: the worktree, absolute.
        consent: who decides about tools.
        recap_text: what to say before the prompt, if the agent does not remember the conversation.
        carried: what earlier runs of the attempt have left for this one.

    Attributes:
        login: what a person can do whom the model's server does not let in; the program itself
            speaks of `/login`, which nobody can type here.
    """

    login = "Log in with `claude auth login`, or check the key that the agent is given."

    def __init__(
        self,
        *,
        prompt: str,
        cwd: str,
        consent: Consent,
        recap_text: str | None = None,
        carried: Carried = NOTHING_CARRIED,
    ) -> None:
        self._cwd = cwd
        self._paths = Paths(cwd)
        self._stdin, self._stdout, self._stderr = Lines(most=None), Lines(), Lines()
        self._events = PendingEvents()
        self._outbox = Outbox()
        self._messages = Messages()
        self._calls = ToolCalls(self._paths)
        self._requests = ControlRequests(
            self._events, self._calls, Questions(consent, self._outbox)
        )
        self._system_lines = SystemLines(
            self._events,
            self._messages,
            self._calls,
            self._paths,
            cwd=cwd,
            known=carried.notices,
        )
        self._complaints = Complaints(self._events, self.login)
        self._accounts = Accounts(carried.used)
        self._recap = recap_text
        self._messages_sent = 0
        self._pending_messages = PendingMessages()
        self._turn_open = False
        self._interrupted = False
        self._greet()
        self._outbox.put(_FIRST, wire.user_message(*([recap_text] if recap_text else []), prompt))

    # ------------------------------------------------------------ the contract

    def receive(self, stream: Stream, data: bytes, at: int = 0) -> Sequence[AgentEvent]:
        """Feed one record; never raises, whatever the bytes are."""
        if stream is Stream.STDOUT:
            for line in self._stdout.feed(data):
                self._received_line(line)
        elif stream is Stream.STDERR:
            for line in self._stderr.feed(data):
                self._add_plain_output(line)
        elif stream is Stream.STDIN:
            for line in self._stdin.feed(data):
                self._sent_data(line)
        return self._events.take()

    def finish(self) -> Sequence[AgentEvent]:
        """All output has been read: an unfinished last line is a line."""
        self._received_line(self._stdout.rest())
        if line := self._stderr.rest():
            self._add_plain_output(line)
        return self._events.take()

    def send(self, command: AgentCommand) -> None:
        """Queue the bytes of a command; its effect comes with its echo on STDIN."""
        match command:
            case Prompt(text):
                self._outbox.put(f"{_FIRST} {text}", wire.user_message(text))
            case Interrupt():
                self._ask("interrupt")
            case Decide():
                self._requests.decide(command)

    def outgoing(self) -> list[bytes]:
        """Take the queued messages, whole lines, in order."""
        return self._outbox.take()

    @property
    def left(self) -> Carried:
        """The facts that this run leaves for later ones of its attempt."""
        return Carried(used=self._accounts.totals, notices=self._system_lines.notices.displayed)

    def _greet(self) -> None:
        """Queue what comes before the first message."""
        # Unasked, it tells the tools of a sub-agent and keeps what the sub-agent says to itself.
        self._ask("initialize", forwardSubagentText=True)

    def _ask(self, subtype: str, **more: Any) -> None:
        request_id = self._outbox.fresh_id()
        self._outbox.put(f"request {request_id}", wire.ask(request_id, subtype, **more))

    # ------------------------------------------------------------ what it says

    def _received_line(self, line: bytes) -> None:
        if not line or line.isspace():
            return
        try:
            head = wire.head(line)
            if head.type == "stream_event":
                if head.event is not None:
                    self._events.put(self._messages.stream(head.event, _parent(head)))
            elif head.type in _LINES:
                _LINES[head.type](self, head, line)
            elif head.type not in HARMLESS_TYPES:
                self._unknown(line)
        except (ValueError, RecursionError):
            # Not JSON, not UTF-8, too deep, or of other types than the protocol's. All of that
            # is found by decoding, which each handler does before it changes anything.
            self._events.emit(Noise(line.decode(errors="replace")))

    def _unknown(self, line: bytes) -> None:
        """A line of a later version of the program: its words are shown, never its JSON."""
        with suppress(ValueError):
            self._system_lines.notify(wire.system(line))

    def _assistant(self, head: wire.Head, line: bytes) -> None:
        self._model_message(wire.assistant(line), _parent(head))

    def _model_message(self, line: wire.AssistantLine, parent: str | None) -> None:
        for block in line.message.blocks:
            if line.error is not None and block.type == "text":
                self._failing(line.message.id, block.text, parent, line.error in _LOGINS)
                continue
            text = block.thinking if block.type == "thinking" else block.text
            text = "" if text == _NOTHING else text
            self._events.put(self._messages.finished(line.message.id, block.type, text, parent))
            if block.type in _CALLS:
                self._went_on(parent)
                self._events.put(self._calls.begin(block.id, block.name, block.input, parent))
            elif block.type.endswith("_tool_result"):
                self._events.put(self._calls.end(block, None))
        if line.error is None and parent is None:
            self._complaints.overcome()

    def _went_on(self, parent: str | None) -> None:
        for words in self._messages.given_up(parent):
            self._events.put(Note(words.key, SystemMessage(), BROKE_OFF, parent))

    def _failing(self, message_id: str, text: str, parent: str | None, login: bool) -> None:
        if parent is None:
            self._complaints.add(self._complaints.with_advice(text, login), login)
        else:
            self._events.put(Note(f"error:{message_id}", ErrorMessage(), text, parent))

    def _user(self, head: wire.Head, line: bytes) -> None:
        message = wire.user(line)
        blocks = message.message.blocks
        results = [block for block in blocks if block.type == "tool_result"]
        for block in results:
            data = self._data(block, message.tool_use_result if len(results) == 1 else None)
            self._events.put(self._calls.end(block, data))
        if head.parent_tool_use_id is not None:
            return
        for text in (block.text for block in blocks if block.type == "text"):
            if message.is_replay and self._pending_messages.take_up(text):
                continue
            if text.startswith("[Request interrupted by user"):
                self._events.note("interrupted", "The agent was interrupted.")
            elif output := _LOCAL_OUTPUT.fullmatch(text):
                self._events.note("output", output.group(1))

    def _data(self, block: wire.Block, fallback: Any) -> Any:
        """A result as data, if there are any; the line told `totals` as such."""
        return fallback

    def _system(self, head: wire.Head, line: bytes) -> None:
        if head.subtype not in HARMLESS_NOTICES:
            self._system_lines.receive(head.subtype, wire.system(line), _parent(head))

    def _result(self, head: wire.Head, line: bytes) -> None:
        self._over(wire.result(line), head.subtype)

    def _over(self, result: wire.ResultLine, subtype: str | None) -> None:
        complaints = self._complaints
        complaint = complaints.current
        if complaint is None and self._messages.broken_off:
            # The program takes it for the whole answer, and that for a success.
            complaint = _BROKEN_OFF
        outcome, error = turn_outcome(result, subtype, self._interrupted, complaint)
        if outcome is Outcome.COMPLETED:
            self._went_on(None)
        if error is not None:
            login = result.api_error_status == _UNAUTHORIZED or refuses_key(error)
            advised = not login or complaints.has_advice()
            if complaint is not None and complaint.startswith(error) and advised:
                error = complaint
            else:
                error = complaints.with_advice(error, login)
            complaints.add(error, login)
        if self._accounts.add(result, self._system_lines.model):
            self._events.put(self._accounts)
        if error is not None and error.startswith(_LOST):
            self._events.emit(SessionLost())
        if not self._pending_messages.left_by_a_result() or outcome is Outcome.INTERRUPTED:
            self._events.emit(TurnEnded(outcome, error))
            self._turn_open = False
        self._interrupted = False
        complaints.turn_over()
        self._system_lines.turn_over()

    def _add_plain_output(self, line: bytes) -> None:
        self._complaints.add_plain_output(line)

    # ------------------------------------------------------------ what it asks

    def _request(self, head: wire.Head, line: bytes) -> None:
        self._requests.receive(line)

    def _cancelled(self, head: wire.Head, line: bytes) -> None:
        self._requests.cancel(line)

    def _reply(self, head: wire.Head, line: bytes) -> None:
        if wire.reply(line).response.subtype != "success":
            self._events.emit(Noise(line.decode(errors="replace")))

    # ------------------------------------------------------------ what it was told

    def _sent_data(self, line: bytes) -> None:
        try:
            head = wire.head(line)
            if head.type == "user":
                self._was_asked([block.text for block in wire.user(line).message.blocks])
            elif head.type == "control_request":
                sent = wire.request(line)
                self._outbox.used(sent.request_id)
                self._outbox.echoed(f"request {sent.request_id}")
                if wire.request_head(sent.request).subtype == "interrupt":
                    self._interrupted = True
            elif head.type == "control_response":
                answer = wire.response(line).response
                self._requests.answered(answer.request_id, answer.response or wire.Answer())
        except (ValueError, RecursionError):
            return  # it is what somebody wrote to the agent, and not a word of this protocol

    def _was_asked(self, texts: list[str]) -> None:
        text = "\n".join(one for one in texts if one != self._recap)
        self._messages_sent += 1
        self._pending_messages.add(texts)
        self._outbox.echoed(_FIRST if self._messages_sent == 1 else f"{_FIRST} {text}")
        if not self._turn_open:
            self._turn_open, self._interrupted = True, False
        self._events.put(Note(f"user:{self._messages_sent}", UserMessage(), text))
        if self._messages_sent == 1 and self._recap is not None and self._recap in texts:
            self._events.note("retold", remark(self._recap))


def _parent(head: wire.Head) -> str | None:
    return None if head.parent_tool_use_id is None else f"tool:{head.parent_tool_use_id}"


# Not of the object: it would hold itself, and all that it has read for as long as nobody looks.
_LINES: dict[str, Callable[[ClaudeDialogue, wire.Head, bytes], None]] = {
    "assistant": ClaudeDialogue._assistant,
    "user": ClaudeDialogue._user,
    "system": ClaudeDialogue._system,
    "result": ClaudeDialogue._result,
    "control_request": ClaudeDialogue._request,
    "control_cancel_request": ClaudeDialogue._cancelled,
    "control_response": ClaudeDialogue._reply,
}
