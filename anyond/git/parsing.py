"""Where what git prints is understood: at once, or in a thread if there is much of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import trio

R = TypeVar("R")

_AT_ONCE = 1 << 17
"""Bytes that take a millisecond or two. The paths of a large repository are many megabytes."""


async def parsed(out: bytes, parse: Callable[[bytes], R]) -> R:
    """`parse(out)`, in a thread if everybody else would have to wait for it.

    If the caller is cancelled meanwhile, it leaves when the thread is done.
    """
    if len(out) < _AT_ONCE:
        return parse(out)
    return await trio.to_thread.run_sync(parse, out)
