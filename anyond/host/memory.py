"""Memory that the process holds and does not use."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Give free memory back to the system, where the C library keeps it until it is told.

    Takes up to some hundredths of a second and holds no lock of the interpreter: call it in a
    thread. On systems whose C library gives memory back by itself nothing happens.
    """
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
