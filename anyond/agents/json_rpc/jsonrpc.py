"""JSON-RPC 2.0 over lines, and the requests of either side that wait for an answer.

Theory of operation. A `Link` is a fold of both directions of one connection: `note_sent` and
`note_received` are
fed with what the log holds, and only they move it on. Messages of our own wait in a queue until
someone takes them. A request gets its number when it is taken, so numbers rise in the order of the
log; a replay learns them from the echoes. An automatic message whose echo is read before it was
taken has been sent in an earlier life, and leaves the queue.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from typing import Any

import msgspec
from msgspec import UNSET, Struct

Id = int | str

_IDS = (int, str)

METHOD_NOT_FOUND = -32601

TAKEN_AT_ONCE = 256
"""So many queued messages are made into lines at once: an agent may have asked very many things."""

LOOSE_MOST = 4 * 1024**2
"""Bytes of a message that is read although it is not quite JSON; that takes five times as long."""

_ENDS = frozenset({"}", "]", '"', b"}", b"]", b'"'})


class Fault(Struct, frozen=True, gc=False):
    """The error member of a response."""

    code: int
    message: str
    data: Any = None


class Request(Struct, frozen=True, gc=False):
    id: Id
    method: str
    params: dict[str, Any]


class Notification(Struct, frozen=True, gc=False):
    method: str
    params: dict[str, Any]


class Response(Struct, frozen=True, gc=False):
    """An answer: `fault` is None if it is a good one."""

    id: Id
    result: Any = None
    fault: Fault | None = None


Message = Request | Notification | Response


class _Envelope(Struct, gc=False):
    """The members that any message may have; what they hold is looked at afterwards."""

    id: Any = None
    method: Any = None
    params: Any = None
    result: Any = UNSET
    error: Any = None


_decoder = msgspec.json.Decoder()
_envelope = msgspec.json.Decoder(_Envelope).decode
_encoder = msgspec.json.Encoder()


def as_text(value: object) -> str:
    """`value` if it is a string, else the empty one."""
    return value if isinstance(value, str) else ""


def as_dict(value: object) -> dict[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """`value` if it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def as_int(value: object) -> int:
    """`value` if it is a whole number, else 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def loads(text: bytes | str) -> Any:
    """The JSON value in `text`, or None if there is none; never raises."""
    try:
        return _decoder.decode(text)
    except RecursionError:
        return None
    except (msgspec.MsgspecError, ValueError):
        if len(text) > LOOSE_MOST or text[-16:].rstrip()[-1:] not in _ENDS:
            return None
    # Programs cut texts in the middle of a character, and then write half of a surrogate pair. A
    # question of the agent must not be lost for that.
    try:
        loose = json.loads(text)
        return _decoder.decode(json.dumps(loose, ensure_ascii=False).encode(errors="replace"))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def decode(line: bytes) -> Message | None:
    """The message in one line, or None if it holds none. A missing `jsonrpc` is forgiven."""
    try:
        raw = _envelope(line)
    except RecursionError:
        return None
    except (msgspec.MsgspecError, ValueError):
        loose = loads(line)
        if not isinstance(loose, dict):
            return None
        raw = msgspec.convert(loose, _Envelope)
    method, number = raw.method, raw.id
    if number is None and method.__class__ is str:  # nearly all lines
        return Notification(method, as_dict(raw.params))
    if not isinstance(number, _IDS) or isinstance(number, bool):
        return Notification(method, as_dict(raw.params)) if isinstance(method, str) else None
    if isinstance(method, str):
        return Request(number, method, as_dict(raw.params))
    if raw.error is not None:
        fields = as_dict(raw.error)
        message = as_text(fields.get("message")) or as_text(raw.error)
        fault = Fault(as_int(fields.get("code")), message, fields.get("data"))
        return Response(number, fault=fault)
    return None if raw.result is UNSET else Response(number, raw.result)


class _Ask(Struct, frozen=True, gc=False):
    """A request that nobody took yet; it gets its number when someone does."""

    method: str
    params: Mapping[str, Any]
    automatic: bool


class _Notify(Struct, frozen=True, gc=False):
    method: str
    params: Mapping[str, Any]


class _Reply(Struct, frozen=True, gc=False):
    id: Id
    members: dict[str, Any]


class Link:
    """The queue and the unanswered requests of both sides of one connection."""

    def __init__(self) -> None:
        # By rising numbers, so that any of them can leave at no cost.
        self._queue: dict[int, _Ask | _Notify | _Reply] = {}
        self._queued = 0
        self._next = 1
        self._taken: set[Id] = set()
        self._ours: dict[Id, str] = {}
        self._theirs: dict[Id, Request] = {}
        self._answering: dict[Id, int] = {}

    # ------------------------------------------------------------ what we want to say

    def request(self, method: str, params: Mapping[str, Any], automatic: bool = True) -> None:
        """Queue a request; `automatic` if a replay queues it again by itself."""
        self._put(_Ask(method, params, automatic))

    def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Queue a notification. It is never automatic: no echo takes it back."""
        self._put(_Notify(method, params))

    def answer(self, id: Id, result: Any) -> None:
        """Queue the answer to a request of theirs, unless one is on its way."""
        self._reply(id, {"result": result})

    def refuse(self, id: Id, code: int, message: str) -> None:
        """Queue an error as the answer to a request of theirs, unless one is on its way."""
        self._reply(id, {"error": {"code": code, "message": message}})

    def _reply(self, id: Id, members: dict[str, Any]) -> None:
        if id in self._theirs and id not in self._answering:
            self._answering[id] = self._put(_Reply(id, members))

    def _put(self, waiting: _Ask | _Notify | _Reply) -> int:
        self._queued += 1
        self._queue[self._queued] = waiting
        return self._queued

    def take(self) -> list[bytes]:
        """The oldest queued messages as whole lines, in order; they leave the queue.

        At most `TAKEN_AT_ONCE`; none if the queue is empty.
        """
        lines = []
        for number in list(islice(self._queue, TAKEN_AT_ONCE)):
            waiting = self._queue.pop(number)
            members: dict[str, Any] = {"jsonrpc": "2.0"}
            match waiting:
                case _Ask(method, params):
                    self._taken.add(self._next)
                    members |= {"id": self._next, "method": method, "params": params}
                    self._next += 1
                case _Notify(method, params):
                    members |= {"method": method, "params": params}
                case _Reply(id, answer):
                    members |= {"id": id, **answer}
            lines.append(_encoder.encode(members) + b"\n")
        return lines

    # ------------------------------------------------------------ what the log says

    def note_sent(self, message: Message) -> Request | None:
        """Note what they were told; if it was an answer, this is the request that it closes."""
        if isinstance(message, Request):
            id = message.id
            if isinstance(id, int):
                self._next = max(self._next, id + 1)
            self._ours[id] = message.method
            if id in self._taken:
                self._taken.remove(id)
            else:
                self._drop_ask(message.method)
        elif isinstance(message, Response):
            id = message.id
            if (number := self._answering.pop(id, None)) is not None:
                self._queue.pop(number, None)  # it may have been taken
            return self._theirs.pop(id, None)
        return None

    def _drop_ask(self, method: str) -> None:
        for number, waiting in self._queue.items():
            if isinstance(waiting, _Ask) and waiting.automatic and waiting.method == method:
                del self._queue[number]
                return

    def note_received(self, message: Message) -> str | None:
        """Note what they said; if it was an answer, this is the method that it answers."""
        if isinstance(message, Request):
            self._theirs[message.id] = message
        elif isinstance(message, Response):
            return self._ours.pop(message.id, None)
        return None

    def waiting(self, *methods: str) -> bool:
        """Return whether they were asked one of `methods` and have not answered."""
        return any(method in methods for method in self._ours.values())
