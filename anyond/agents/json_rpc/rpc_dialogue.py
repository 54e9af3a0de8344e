"""Lines of JSON-RPC in and out of a dialogue, whichever agent speaks them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from anyond.agents.common.core import AgentEvent, Noise
from anyond.agents.json_rpc.json_lines import JsonLines
from anyond.agents.json_rpc.jsonrpc import Link
from anyond.agents.json_rpc.lines import Lines
from anyond.model.records import Stream


class Entries(Protocol):
    """The receiver of the events of a dialogue."""

    def emit(self, event: AgentEvent) -> None:
        """An event, after all that was put before it."""
        ...

    def stderr(self, line: bytes) -> None:
        """A line that is no message."""
        ...

    def drain(self) -> list[AgentEvent]:
        """Everything since the last time; an entry that changed often is there once."""
        ...


class RpcDialogue(ABC):
    """The base of dialogues that are fed with lines of JSON-RPC; subclasses interpret these.

    Args:
        link: where messages wait to be sent.
    """

    def __init__(self, link: Link, entries: Entries) -> None:
        self._sending = link
        self._drained = entries
        self._lines = {stream: Lines() for stream in Stream}
        self._lines[Stream.STDIN] = Lines(most=None)
        self._pieces = JsonLines()

    def receive(self, stream: Stream, data: bytes, at: int = 0) -> Sequence[AgentEvent]:
        """Feed one record; never raises. Each entry is put at most once a call."""
        if (take := _TAKERS.get(stream)) is not None:
            for line in self._lines[stream].feed(data):
                if line and not line.isspace():
                    take(self, line)
        return self._drained.drain()

    def finish(self) -> Sequence[AgentEvent]:
        """All output has been read: nothing is at work or asked any more."""
        for stream in (Stream.STDOUT, Stream.STDERR):
            line = self._lines[stream].rest()
            if line and not line.isspace():
                _TAKERS[stream](self, line)
        for line in self._pieces.rest():
            self._noise(line)
        self._settle()
        return self._drained.drain()

    def outgoing(self) -> list[bytes]:
        """Take the queued messages."""
        return self._sending.take()

    def _take_sent(self, line: bytes) -> None:
        try:
            known = self._sent_line(line)
        except Exception:  # an odd line must not end the run: it is shown raw
            known = False
        if not known:
            self._noise(line)

    def _take_received(self, line: bytes) -> None:
        if self._is_known(line):
            for noise in self._pieces.rest() if self._pieces else ():
                self._noise(noise)
            return
        whole, noises = self._pieces.add(line)
        if whole is not None and (whole == line or not self._is_known(whole)):
            noises = whole.split(b"\n")
        for noise in noises:
            self._noise(noise)

    def _is_known(self, line: bytes) -> bool:
        try:
            return self._received_line(line)
        except Exception:  # nor one of a shape that nobody thought of
            return False

    def _take_stderr(self, line: bytes) -> None:
        self._drained.stderr(line)

    def _noise(self, line: bytes) -> None:
        self._drained.emit(Noise(line.decode(errors="replace")))

    @abstractmethod
    def _sent_line(self, line: bytes) -> bool:
        """The agent was told this; whether it is a message."""

    @abstractmethod
    def _received_line(self, line: bytes) -> bool:
        """The agent says this; whether it is a message."""

    @abstractmethod
    def _settle(self) -> None:
        """Nothing more comes."""


# Looked up once for all the lines of a record, not for each of them.
_TAKERS: Mapping[Stream, Callable[[RpcDialogue, bytes], None]] = {
    Stream.STDIN: RpcDialogue._take_sent,
    Stream.STDOUT: RpcDialogue._take_received,
    Stream.STDERR: RpcDialogue._take_stderr,
}
