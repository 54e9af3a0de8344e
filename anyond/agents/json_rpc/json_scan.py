"""A scan of JSON text outside of its strings: depth of brackets, and number of values.

A text is read as a whole by a decoder that gives way to nobody, and what that takes is decided by
the number of its values: sixteen megabytes of a file are one value, and read in a moment; as many
of `{}` are five millions, and take a second. This finds the number piece by piece, in advance.
"""

from __future__ import annotations

VALUES_MOST = 100_000
"""So many values, and names of values, a text has that is decoded; some ten milliseconds."""


class JsonScan:
    """Feed a JSON text in pieces, cut anywhere. Of what is no JSON it tells nothing of use.

    Attributes:
        values: about how many values and names have begun.
        depth: how many brackets are open.
        within: whether the text ends within a string.
    """

    def __init__(self) -> None:
        self.values = 0
        self.depth = 0
        self.within = False
        self._escape = b""

    def feed(self, piece: bytes) -> None:
        """The text goes on."""
        # Backslashes come in pairs, or hide what is after them; they are only where strings are.
        bare = (self._escape + piece).replace(b"\\\\", b"").replace(b'\\"', b"")
        self._escape = b"\\" if bare.endswith(b"\\") else b""
        parts = bare.split(b'"')
        outside = b"".join(parts[self.within :: 2])
        self.within ^= len(parts) % 2 == 0
        opened = outside.count(b"{") + outside.count(b"[")
        self.depth += opened - outside.count(b"}") - outside.count(b"]")
        self.values += opened + outside.count(b",") + outside.count(b":")
