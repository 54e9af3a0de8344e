"""Parsing git's output: at once, or in a thread if there is much of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

import trio

R = TypeVar("R")

GITLINK = "160000"
"""The mode of a path that stands for a commit of another repository."""

_AT_ONCE = 1 << 17
"""Bytes that take a millisecond or two. The paths of a large repository are many megabytes."""


async def parsed(out: bytes, parse: Callable[[bytes], R]) -> R:
    """`parse(out)`, in a thread if everybody else would have to wait for it.

    If the caller is cancelled meanwhile, it leaves when the thread is done.
    """
    if len(out) < _AT_ONCE:
        return parse(out)
    return await trio.to_thread.run_sync(parse, out)


def gitlinks(staged: bytes) -> list[str]:
    """The paths in the output of `git ls-files --stage -z` that are repositories themselves."""
    mode = f"{GITLINK} ".encode()
    lines = (line for line in staged.split(b"\0") if line.startswith(mode))
    return [os.fsdecode(line.partition(b"\t")[2]) for line in lines]
