"""Sockets and connections: listening, letting in, reading, writing, and the end."""

import sys
from types import ModuleType


def _leave_out_http2() -> None:
    """Without HTTP/2, which Hypercorn loads with its protocols, and which we do not speak.

    That would be a fiftieth of the daemon's start and 1 MB of its memory.
    """
    name = "hypercorn.protocol.h2"
    if name not in sys.modules:
        placeholder = ModuleType(name)
        vars(placeholder)["H2Protocol"] = None  # imported, and never asked for anything
        sys.modules[name] = placeholder


_leave_out_http2()
