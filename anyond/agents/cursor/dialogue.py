"""The dialogue with the Cursor agent: what each line of a run means.

Theory of operation. It gets the prompt and the end of its input, works, and tells what it does in
lines of JSON; nothing can be said later. The prompt is plain text, so whatever it was told is the
prompt. It resumes a chat that it does not know by beginning another one without a word: that is
seen by the id alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from anyond.agents.claude.wire import check_depth
from anyond.agents.common import disguised_errors
from anyond.agents.common.core import (
    AgentCommand,
    AgentEvent,
    Noise,
    Outcome,
    SessionLost,
    SessionStarted,
    TurnEnded,
)
from anyond.agents.common.entry import Note, OutputBlocks
from anyond.agents.common.notices import NoticesOnce, without_escapes, words_of
from anyond.agents.common.paths import Paths
from anyond.agents.common.pending_events import PendingEvents
from anyond.agents.common.recap import remark
from anyond.agents.cursor.text import Segments
from anyond.agents.cursor.todos import NAMES, CursorTodos
from anyond.agents.cursor.tools import CursorCall
from anyond.agents.cursor.usage import CursorUsage
from anyond.agents.json_rpc.jsonrpc import as_dict, as_list, as_text, loads
from anyond.agents.json_rpc.lines import Lines
from anyond.model.entries import ErrorMessage, SetupRequired, SystemMessage, UserMessage
from anyond.model.records import Stream

_SESSION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_SUFFIX = "ToolCall"
_HARMLESS = frozenset({"user", "interaction_query", "status", "ping", "keep_alive"})
_FORGOTTEN = (
    "The former chat could not be resumed. This is another one, which does not know what was said."
)
_LOGIN = "Log in with `cursor-agent login`, or check the key that the agent is given."
_FAILED = "The agent reported an error."


class CursorDialogue:
    """One run of the Cursor agent.

    Args:
        prompt: the message, complete.
        cwd: the worktree, absolute.
        session_id: the chat that is resumed.
        recap: what it is told before the prompt in a conversation that it has forgotten.
    """

    def __init__(self, *, prompt: str, cwd: str, session_id: str | None, recap: str = "") -> None:
        self._cwd = cwd
        self._resumed = session_id
        self._recap = f"{recap}\n\n" if recap else ""
        self._queue = [f"{self._recap}{prompt}\n".encode(errors="replace")]
        self._sent_bytes: list[bytes] = []
        self._stdout, self._stderr = Lines(), Lines()
        self._events = PendingEvents()
        self._paths = Paths(cwd)
        self._answers = Segments("text", thinking=False)
        self._thoughts = Segments("thought", thinking=True)
        self._calls: dict[str, CursorCall] = {}
        self._used_tools = False
        self._todos = CursorTodos()
        self._listing: set[str] = set()
        self._usage = CursorUsage()
        self._plain = OutputBlocks(ErrorMessage())
        self._session_id: str | None = None
        self._lost = False
        self._complaint: str | None = None
        self._notices = NoticesOnce(())

    # ------------------------------------------------------------ the contract

    @property
    def confirms_at_once(self) -> bool:
        return True

    def receive(self, stream: Stream, data: bytes, at: int = 0) -> Sequence[AgentEvent]:
        """Feed one record; never raises, whatever the bytes are."""
        if stream is Stream.STDOUT:
            for line in self._stdout.feed(data):
                self._received_line(line)
        elif stream is Stream.STDERR:
            for line in self._stderr.feed(data):
                self._add_plain_output(line)
        elif stream is Stream.STDIN and data:
            self._sent_data(data)
        return self._events.take()

    def finish(self) -> Sequence[AgentEvent]:
        """All output has been read: an unfinished last line is a line."""
        self._received_line(self._stdout.rest())
        self._add_plain_output(self._stderr.rest())
        return self._events.take()

    def send(self, command: AgentCommand) -> None:
        """Nothing can be said once the prompt is said; SIGINT interrupts."""

    def outgoing(self) -> list[bytes]:
        """Take the prompt."""
        lines, self._queue = self._queue, []
        return lines

    def _sent_data(self, data: bytes) -> None:
        self._queue = []
        self._sent_bytes.append(data)
        text = b"".join(self._sent_bytes).decode(errors="replace").removeprefix(self._recap)
        self._events.put(Note("user:1", UserMessage(), text.removesuffix("\n")))
        if self._recap:
            self._events.put(Note("retold", SystemMessage(), remark(self._recap)))

    # ------------------------------------------------------------ what it says

    def _received_line(self, line: bytes) -> None:
        if not line or line.isspace():
            return
        message = loads(line) if line.lstrip().startswith(b"{") else None
        try:
            check_depth(message)
        except ValueError:
            message = None
        kind = as_text(as_dict(message).get("type"))
        handle = _LINES.get(kind)
        if handle is not None:
            handle(self, as_dict(message))
        elif not isinstance(message, dict) and self._session_id is None:
            self._add_plain_output(line)  # the reason why it cannot begin
        elif kind and isinstance(message, dict):
            if kind not in _HARMLESS:
                self._unknown(message)
        else:
            self._events.emit(Noise(line.decode(errors="replace")))

    def _unknown(self, message: Mapping[str, Any]) -> None:
        """A line of a later version of the program: its words are shown, never its JSON."""
        if self._notices.is_new(text := words_of(message)):
            self._events.note("notice", text)

    def _system(self, message: Mapping[str, Any]) -> None:
        if message.get("subtype") != "init":
            return
        session_id = as_text(message.get("session_id"))
        if session_id != self._session_id and _SESSION_ID.fullmatch(session_id):
            self._session_id = session_id
            self._events.emit(SessionStarted(session_id))
            if self._resumed not in (None, session_id):
                self._events.put(Note("forgotten", SystemMessage(), _FORGOTTEN))
                self._lose()
        cwd = as_text(message.get("cwd"))
        if cwd.rsplit("/", 1)[-1] == self._cwd.rsplit("/", 1)[-1]:
            self._paths.learn(cwd)  # as the agent sees it, with symbolic links resolved
        if self._usage.learn_model(as_text(message.get("model"))):
            self._events.put(Note("model", SystemMessage(), f"Model: {self._usage.model}"))

    def _lose(self) -> None:
        if not self._lost:
            self._lost = True
            self._events.emit(SessionLost())

    def _assistant(self, message: Mapping[str, Any]) -> None:
        content = as_dict(message.get("message")).get("content")
        blocks = [as_dict(block) for block in as_list(content)]
        text = as_text(content) or "".join(as_text(block.get("text")) for block in blocks)
        self._thoughts.close()
        called = message.get("model_call_id") is not None
        if message.get("timestamp_ms") is not None and not called:
            self._events.put(self._answers.piece(text))
        else:
            self._events.put(self._answers.whole(text, last=not called))

    def _thinking(self, message: Mapping[str, Any]) -> None:
        self._answers.close()
        self._events.put(self._thoughts.piece(as_text(message.get("text"))))
        if message.get("subtype") == "completed":
            self._thoughts.close()

    def _tool(self, message: Mapping[str, Any]) -> None:
        self._answers.close()
        self._thoughts.close()
        self._used_tools = True
        call_id = as_text(message.get("call_id"))
        name, fields = _named(as_dict(message.get("tool_call")))
        args = fields if name == "function" else as_dict(fields.get("args"))
        done = message.get("subtype") == "completed"
        result = fields.get("result")
        if name in NAMES:
            if call_id not in self._listing:
                self._listing.add(call_id)
                self._todos.begin(call_id, name, args)
            if done:
                self._todos.end(result)
            self._events.put(self._todos)
            return
        call = self._calls.get(call_id)
        if call is None:
            call = CursorCall(f"tool:{call_id}", call_id, name, args, self._paths)
            self._calls[call_id] = call
        elif args:
            call.name, call.args = name, args
        if done:
            call.complete(result)
        self._events.put(call)

    def _error(self, message: Mapping[str, Any]) -> None:
        fault = as_dict(message.get("error"))
        words = (message.get("message"), message.get("error"), fault.get("message"))
        text = next((found for word in words if (found := as_text(word))), _FAILED)
        self._complain(text)

    def _complain(self, text: str, key: str | None = None) -> None:
        """Show why the turn fails, unless that is to be read already.

        Args:
            key: the entry that says it already, as if it were words of the model.
        """
        if text != self._complaint:
            self._complaint = text
            if key or not self._plain.mentions(text, within=True):
                setup = disguised_errors.refuses_key(text)
                kind = ErrorMessage(error_type=SetupRequired()) if setup else ErrorMessage()
                if setup and "log" not in text.lower():
                    text += f"\n{_LOGIN}"
                self._events.put(Note(key or "error", kind, text))

    def _result(self, message: Mapping[str, Any]) -> None:
        if self._usage.take(as_dict(message.get("usage")), message.get("total_cost_usd")):
            self._events.put(self._usage)
        wrong = message.get("is_error") is True or message.get("subtype") != "success"
        text = as_text(message.get("result"))
        if wrong:
            self._complain(text or as_text(message.get("error")) or self._complaint or _FAILED)
        elif not self._used_tools and len(self._answers) <= 1:
            alone = self._answers.first or text
            if disguised_errors.is_error(alone) or disguised_errors.is_demand(alone):
                self._complain(alone.strip(), self._answers.first_key)
                wrong = True
        if not wrong and text and not self._answers and not self._used_tools:
            self._events.put(self._answers.whole(text, last=True))
        outcome = Outcome.FAILED if wrong else Outcome.COMPLETED
        self._events.emit(TurnEnded(outcome, self._complaint if wrong else None))
        self._answers.close()
        self._thoughts.close()

    # ------------------------------------------------------------ what it says in plain words

    def _add_plain_output(self, line: bytes) -> None:
        text = without_escapes(line.decode(errors="replace")).strip()
        known = self._complaint is not None and text.endswith(self._complaint)
        if not text or known or _repeats(text):
            return
        block = self._plain.add(text)
        if disguised_errors.refuses_key(text):
            block.kind = ErrorMessage(error_type=SetupRequired())
        elif self._resumed and self._session_id is None and disguised_errors.lost_session(text):
            self._lose()
        self._events.put(block)


# Not of the object: it would hold itself, and all that it has read for as long as nobody looks.
_LINES: dict[str, Callable[[CursorDialogue, Mapping[str, Any]], None]] = {
    "system": CursorDialogue._system,
    "assistant": CursorDialogue._assistant,
    "thinking": CursorDialogue._thinking,
    "tool_call": CursorDialogue._tool,
    "result": CursorDialogue._result,
    "error": CursorDialogue._error,
}


def _repeats(text: str) -> bool:
    """Return whether a line of stderr is one of the protocol: some versions write all of it
    twice.
    """
    return text.startswith('{"type":') and isinstance(as_dict(loads(text)).get("type"), str)


def _named(call: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The name of a tool, and what is told of its use; the object has it as a key."""
    for key, value in call.items():
        if isinstance(value, dict) and (key.endswith(_SUFFIX) or key == "function"):
            return key.removesuffix(_SUFFIX), value
    return next(((key, v) for key, v in call.items() if isinstance(v, dict)), ("tool", {}))
