"""The format of an image, from its bytes, whatever name it has."""

from __future__ import annotations

from typing import NamedTuple
from xml.parsers import expat

HEAD = 64 * 1024
"""How many of the first bytes are looked at."""

_SVG = "http://www.w3.org/2000/svg"


class Sort(NamedTuple):
    mime_type: str
    suffix: str


PNG = Sort("image/png", "png")
JPEG = Sort("image/jpeg", "jpg")
GIF = Sort("image/gif", "gif")
WEBP = Sort("image/webp", "webp")
SVG = Sort("image/svg+xml", "svg")


def sniff(head: bytes) -> Sort | None:
    """The sort of picture that begins with `head` (its first `HEAD` bytes), or None."""
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
        return PNG
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    return SVG if _root(head) in {f"{_SVG} svg", "svg"} else None


class _Found(Exception):
    pass


def _root(head: bytes) -> str | None:
    """The first element of an XML text with its namespace; nothing behind it is looked at."""
    found: list[str] = []

    def element(name: str, attributes: dict[str, str]) -> None:
        found.append(name)
        raise _Found

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = element
    try:
        parser.Parse(head.lstrip(b" \t\r\n"), False)
    except _Found:
        pass
    except (expat.ExpatError, ValueError, LookupError):
        return None  # it is not XML, or of an encoding that nobody knows
    return found[0] if found else None
