"""Operations of JSON Patch (RFC 6902), and the frames that carry them."""

from __future__ import annotations

from collections.abc import Iterable

from anyond.http.envelope import encode


def pointer(name: str) -> str:
    """`name` as one part of a path (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def add(path: str, value: str) -> str:
    """`value`, which is JSON, is at `path` from now on; in a list, what follows moves on."""
    return f'{{"op":"add","path":{_text(path)},"value":{value}}}'


def replace(path: str, value: str) -> str:
    """Write `value`, which is JSON, in the place of what is at `path`; nothing happens if nothing
    is there.
    """
    return f'{{"op":"replace","path":{_text(path)},"value":{value}}}'


def remove(path: str) -> str:
    """Nothing is at `path` any more."""
    return f'{{"op":"remove","path":{_text(path)}}}'


def frame(operations: Iterable[str]) -> str:
    """One message of a stream."""
    return f'{{"JsonPatch":[{",".join(operations)}]}}'


def _text(path: str) -> str:
    return encode(path).decode()
