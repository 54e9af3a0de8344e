"""Listening sockets that a service manager opened before it started us."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import MutableMapping
from typing import Final

from msgspec import Struct

from anyond.model.refusals.requests import Invalid

_FIRST: Final = 3
_MOST: Final = 64


class Handed(Struct, frozen=True):
    """A listening stream socket.

    Args:
        fd: its descriptor, ours to close; what we start does not inherit it.
        name: what the manager calls it.
        family: AF_INET, AF_INET6 or AF_UNIX.
        host: the address that it is bound to; for AF_UNIX the path.
        port: None for AF_UNIX.
    """

    fd: int
    name: str
    family: socket.AddressFamily
    host: str
    port: int | None


def handed_sockets(environ: MutableMapping[str, str] | None = None) -> list[Handed]:
    """The sockets given to this very process, in order; none if it was started by hand.

    The variables are removed, so that nothing we start takes them for its own.

    Raises:
        Invalid: what was given is not a set of listening stream sockets.
    """
    environ = os.environ if environ is None else environ
    pid = environ.pop("LISTEN_PID", "")
    count = environ.pop("LISTEN_FDS", "")
    names = environ.pop("LISTEN_FDNAMES", "").split(":")
    if not count or pid != str(os.getpid()):
        return []
    if not count.isdecimal() or int(count) > _MOST:
        raise Invalid("LISTEN_FDS", f"must be a number up to {_MOST}, and is {count!r}")
    padded = names + [""] * int(count)
    return [_handed(_FIRST + n, padded[n] or "unknown") for n in range(int(count))]


def _handed(fd: int, name: str) -> Handed:
    try:
        os.set_inheritable(fd, False)
        is_socket = stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError as error:
        raise Invalid("LISTEN_FDS", f"descriptor {fd} is not open: {error.strerror}") from error
    if not is_socket:
        raise Invalid("LISTEN_FDS", f"descriptor {fd} ({name}) is not a socket")
    looked_at = socket.socket(fileno=fd)
    try:
        family = socket.AddressFamily(looked_at.family)
        listens = looked_at.type == socket.SOCK_STREAM and _accepts(looked_at)
        address = looked_at.getsockname()
    finally:
        looked_at.detach()  # whoever serves it wraps it again
    if not listens:
        raise Invalid("LISTEN_FDS", f"descriptor {fd} ({name}) is not a listening stream socket")
    if family in {socket.AF_INET, socket.AF_INET6}:
        return Handed(fd, name, family, address[0], address[1])
    if family == socket.AF_UNIX:
        return Handed(fd, name, family, os.fsdecode(address), None)
    raise Invalid("LISTEN_FDS", f"descriptor {fd} ({name}) is of an unknown family")


def _accepts(found: socket.socket) -> bool:
    try:
        return bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return True  # macOS cannot be asked this of every socket; accept() will tell
