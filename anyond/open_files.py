"""Limits of open files, sockets and pipes: high for the daemon; for what it starts, as high as it
was given itself.

A soft limit of 1,024 is what most systems give, since programs that use `select` break beyond it.
The daemon does not; agents and hooks may. So the limit is raised here and given back to children.
"""

from __future__ import annotations

import os
import resource
import sys
from contextlib import suppress

from anyond.model.refusals.programs import TooManyOpenFiles

LARGEST = 65_536
"""No more is asked for, whatever is allowed: that many connections are another problem."""

_LARGEST_ELSEWHERE = 10_240  # OPEN_MAX of macOS, which refuses more though it allows it
_RESERVED_SHARE = 4
_MOST_RESERVED = 256
_START_NEEDS = 32

_inherited: tuple[int, int] | None = None


def raise_limit() -> int:
    """Raise the soft limit as far as is allowed and sensible; returns what it is then."""
    global _inherited  # noqa: PLW0603  # a property of the process, like the limit itself
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if _inherited is None:
        _inherited = (soft, hard)
    for limit_asked in (LARGEST, _LARGEST_ELSEWHERE):
        higher = limit_asked if hard == resource.RLIM_INFINITY else min(limit_asked, hard)
        if soft == resource.RLIM_INFINITY or soft >= higher:
            break
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (higher, hard))
            break
    return limit()


def limit() -> int:
    """The number that no descriptor of this process reaches."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return LARGEST if soft == resource.RLIM_INFINITY else soft


def reserve() -> int:
    """Return the number of descriptors that connections leave to everything else: the database,
    spools, git.
    """
    return min(_MOST_RESERVED, limit() // _RESERVED_SHARE)


def inherited() -> tuple[int, int]:
    """The soft and the hard limit that this process was given."""
    return _inherited or resource.getrlimit(resource.RLIMIT_NOFILE)


def give_back(pid: int) -> None:
    """Let a program that was just started have the limits that this process was given.

    Only Linux can; elsewhere programs other than agents and scripts keep the higher limit. (Those
    get theirs from their shim, everywhere.)
    """
    if sys.platform == "linux" and _inherited is not None:
        with suppress(ProcessLookupError, PermissionError):  # it has ended; it is somebody else's
            resource.prlimit(pid, resource.RLIMIT_NOFILE, _inherited)


def demand_room() -> None:
    """Be sure that there is room for what the start of an agent needs.

    Raises:
        Unavailable: nearly all descriptors are in use.
    """
    most = limit()
    try:
        probe = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        probe = most
    else:
        os.close(probe)
    if probe >= most - min(_START_NEEDS, most // _RESERVED_SHARE):
        raise TooManyOpenFiles(most)
