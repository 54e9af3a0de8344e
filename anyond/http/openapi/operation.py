"""What is declared of one endpoint: all that readers, and generators of clients, must know."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

WEBSOCKET = "WEBSOCKET"
"""Stands in the place of the method of a stream through a WebSocket."""


class Problem(NamedTuple):
    """One way in which a request can be refused.

    Args:
        type: the `type` of `error_data`, which programs match on.
        text: when it happens, for people.
        fields: what else `error_data` holds, and the types of that.
        said: a `message` as it may come with it, where `text` is too general for one.
    """

    status: int
    type: str
    text: str
    fields: tuple[tuple[str, Any], ...] = ()
    said: str = ""


class Parameter(NamedTuple):
    """A part of the path or of the query string, or a header."""

    name: str
    type: Any
    text: str
    example: Any = None
    required: bool = False
    place: str = "query"


class Download(NamedTuple):
    """An answer that is a file and not JSON."""

    media_types: tuple[str, ...]
    text: str


class Stream(NamedTuple):
    """What comes through a WebSocket or as Server-Sent Events.

    Args:
        name: how the union of the frames is called.
        frames: the types of all frames.
        examples: one frame of each sort, at least.
        end: when and how the stream ends.
        batch: whether many frames come in one message if the client wants that.
        events: for Server-Sent Events, the type of `data` by the name of the event.
    """

    name: str
    frames: tuple[Any, ...]
    examples: Sequence[Any]
    end: str
    batch: bool = False
    events: Mapping[str, Any] = {}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one path.

    Args:
        path: the parts in braces are ids, or else described by `key`.
        summary: a few words; `text` has the rest.
        key: the part of the path that is not fixed.
        body: the type that the request is decoded as; None if nothing is read.
        optional: whether the body may be left out.
        upload: the name of the part of a form that is a file, instead of a body.
        send: an example of a body.
        answer: the type of `data` in the answer; None if that is null.
        example: a value of that type.
        status: of a success.
        bare: whether the answer comes without the envelope.
        beside: what stands in the envelope besides the usual, with the type of that.
        cached: whether it has an ETag, and is not sent to who holds it already.
        download: the answer is a file.
        stream: the answer has no end.
        problems: the refusals that only some endpoints have.
    """

    method: str
    path: str
    summary: str
    text: str = ""
    key: Parameter | None = None
    query: tuple[Parameter, ...] = ()
    body: Any = None
    optional: bool = False
    upload: str | None = None
    send: Any = None
    answer: Any = None
    example: Any = None
    status: int = 200
    bare: bool = False
    beside: tuple[tuple[str, Any], ...] = ()
    cached: bool = False
    download: Download | None = None
    stream: Stream | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def id(self) -> str:
        """A name for functions of generated clients."""
        words: list[str] = re.findall(r"[A-Za-z]+", self.summary)
        return words[0].lower() + "".join(word.capitalize() for word in words[1:])

    @property
    def verb(self) -> str:
        """The method as it goes over the wire, in lower case."""
        return "get" if self.method == WEBSOCKET else self.method.lower()


@dataclass(frozen=True)
class Chapter:
    """Endpoints that belong together."""

    name: str
    text: str
    operations: tuple[Operation, ...] = field(default=())


def key(name: str, what: str, example: str) -> Parameter:
    """The id of something in a path."""
    return Parameter(name, str, f"The id of the {what}.", example, True, "path")


def needed(name: str, type: Any, text: str, example: Any) -> Parameter:
    """A parameter of the query string that must be there."""
    return Parameter(name, type, text, example, True)


def possible(name: str, type: Any, text: str, example: Any = None) -> Parameter:
    """A parameter of the query string that may be left out."""
    return Parameter(name, type, text, example)


AFTER = possible("after", int, "Go on after this position instead of beginning with a snapshot.")
FORMAT = possible("format", str, "The name of another form that this server can write it in.")
BATCH = possible("batch", bool, "Send lists of frames, for clients that take many at once.")
