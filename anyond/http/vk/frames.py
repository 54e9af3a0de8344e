"""Operations of JSON Patch (RFC 6902), and the frames that carry them.

A value that is encoded already goes in as `msgspec.Raw`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from msgspec import Struct, field

from anyond.http.answer.envelope import encode

T = TypeVar("T")


class Add(Struct, Generic[T], frozen=True, gc=False, tag="add", tag_field="op"):
    """The operation that puts `value` at `path`; in a list, what follows moves on."""

    path: str
    value: T


class Replace(Struct, Generic[T], frozen=True, gc=False, tag="replace", tag_field="op"):
    """The operation that puts `value` in the place of what is at `path`, if there is anything."""

    path: str
    value: T


class Remove(Struct, frozen=True, gc=False, tag="remove", tag_field="op"):
    """The operation after which nothing is at `path` any more."""

    path: str


Operation = Add[Any] | Replace[Any] | Remove


class JsonPatch(Struct, Generic[T], frozen=True):
    """One message of a stream."""

    operations: list[Add[T] | Replace[T] | Remove] = field(name="JsonPatch", default_factory=list)


class Content(Struct, frozen=True, gc=False):
    """An element of a list or a map, and of which type it is."""

    type: str
    content: Any


_EMPTY = encode(JsonPatch([]))
_HEAD, _TAIL = _EMPTY[:-2], _EMPTY[-2:]


def pointer(name: str) -> str:
    """`name` as one part of a path (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def text(operation: Operation) -> bytes:
    """`operation` as JSON."""
    return encode(operation)


def frame(operations: Iterable[Operation]) -> bytes:
    """One message of a stream."""
    return encode(JsonPatch(list(operations)))


def frame_of_texts(operations: Iterable[bytes]) -> bytes:
    """One message of a stream, of operations that are JSON already."""
    return _HEAD + b",".join(operations) + _TAIL
