"""Conversion of git's bytes to text and back, whatever names people gave their files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def split(data: bytes) -> list[str]:
    """The fields of a `-z` output; bytes that are not UTF-8 survive as surrogates."""
    return [os.fsdecode(field) for field in data.split(b"\0") if field]


def join(fields: Iterable[str]) -> bytes:
    """`fields` as a `-z` input; the inverse of `split`."""
    return b"".join(os.fsencode(field) + b"\0" for field in fields)


def as_utf8(name: str) -> str:
    """`name` as it can be sent to a client: what is not UTF-8 becomes U+FFFD."""
    return os.fsencode(name).decode("utf-8", "replace")


def quoted_element(path: Path) -> str:
    """`path` as an element of a list that is separated by colons, as git reads those."""
    text = os.fspath(path)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"' if ":" in text or text.startswith('"') else text
