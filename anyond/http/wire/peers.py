"""The user of this machine who is at the other end of a connection.

Whoever reaches a loopback port need not be the person who started the daemon. Linux tells whose
socket it is: of a Unix socket directly (SO_PEERCRED), of TCP by `sock_diag`, or where that is not
to be had by the tables in /proc/net. macOS tells it of Unix sockets only.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from contextlib import suppress
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import structlog

from anyond.procs.connection_owner import (
    UNKNOWN,
    execution_of_connection,
    execution_of_process,
)
from anyond.shim.processes.peers import peer_pid

NOBODY = -1
"""In the place of a user: the other end is gone, or belongs to somebody who has no number here."""

_LINUX = sys.platform.startswith("linux")

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST = 1
_ALL = 0xFFFFFFFF
_REQUEST = struct.Struct("=IHHII BBBBI")
_ID = struct.Struct("!HH16s16s")
_INTERFACE_AND_COOKIE = struct.Struct("=III")
_SIZE = _REQUEST.size + _ID.size + _INTERFACE_AND_COOKIE.size
_HEADER = struct.Struct("=IHHII")
_USER_AT = _HEADER.size + 64
_USER_AND_INODE = struct.Struct("=II")

_LOCAL_PEERCRED = 0x001  # macOS: struct xucred, whose second word is the user

log = structlog.get_logger("anyond.http")


class Means(StrEnum):
    """The means to find out the owner of a TCP connection."""

    SOCK_DIAG = "sock_diag"
    TABLES = "/proc/net"
    NONE = "none"


class Accepted(Protocol):
    """The used part of an accepted socket's interface; those of Trio have it, too."""

    @property
    def family(self) -> int: ...

    def getpeername(self) -> Any: ...

    def getsockname(self) -> Any: ...

    def getsockopt(self, level: int, option: int, size: int, /) -> bytes: ...


class _Ends(NamedTuple):
    """A connection as its client has it."""

    family: int
    client: tuple[str, int]
    server: tuple[str, int]


class _Owner(NamedTuple):
    """The user whose socket it is, and the number of that socket; 0 if nobody has it open."""

    user: int
    inode: int


_GONE = _Owner(NOBODY, 0)


class Peers:
    """Looks up owners; one for a daemon.

    Attributes:
        means: what this machine has; it is tried once, on a connection of our own.
    """

    def __init__(self) -> None:
        self._netlink: socket.socket | None = None
        self.means = self._tried() if _LINUX else Means.NONE
        self._overflow = _overflow_user() if _LINUX else None
        if self.means is Means.NONE:
            log.warning("users unknown", why="this system does not tell whose connection it is")

    def close(self) -> None:
        if self._netlink is not None:
            self._netlink.close()
            self._netlink = None

    def user(self, accepted: Accepted) -> int | None:
        """Return the user at the other end of `accepted`. Does not wait; some 20 µs by sock_diag,
        and by the tables as many as there are connections on this machine.

        Returns:
            The id of the user as this process sees it; `NOBODY`; or None if this system cannot
            tell, or the other end is on another machine.
        """
        try:
            if accepted.family == socket.AF_UNIX:
                return self._known(_unix_user(accepted))
            ends = _ends(accepted)
            if self.means is Means.NONE or ends is None:
                return None
            look = self._by_sock_diag if self.means is Means.SOCK_DIAG else _by_tables
            return self._known(look(ends).user)
        except OSError:
            return NOBODY  # it was gone before we could look

    def execution(self, accepted: Accepted, root: str) -> str | None:
        """Return the execution that the other end of `accepted` belongs to. Blocks: some ms.

        Args:
            root: the directory of the spools, as the system calls it (no links).

        Returns:
            Its id; `UNKNOWN` if it may belong to one that cannot be named, as when it is gone; None
            if it belongs to none, or the other end is on another machine.
        """
        try:
            if accepted.family == socket.AF_UNIX:
                pid = peer_pid(accepted)
                return None if pid is None else execution_of_process(pid, root)
            ends = _ends(accepted)
            if ends is None or (_LINUX and self.means is Means.NONE):
                return None
            inode = None
            if _LINUX:
                # A socket of its own, since this runs in a thread.
                inode = (_by_tables(ends) if self.means is Means.TABLES else _diag(ends)).inode
                if not inode:
                    return UNKNOWN
            return execution_of_connection(inode, (ends.client, ends.server), root)
        except OSError:
            return UNKNOWN  # it was gone before we could look

    def _known(self, user: int | None) -> int | None:
        """In a user namespace, all users without a number of their own here have the same one."""
        return NOBODY if user is not None and user == self._overflow else user

    def _tried(self) -> Means:
        """Return the means that finds out that a connection of our own is ours."""
        try:
            with (
                socket.create_server(("127.0.0.1", 0)) as server,
                socket.create_connection(server.getsockname(), 2),
                server.accept()[0] as accepted,
            ):
                ends = _ends(accepted)
                assert ends is not None
                for means, look in (
                    (Means.SOCK_DIAG, self._by_sock_diag),
                    (Means.TABLES, _by_tables),
                ):
                    with suppress(OSError):
                        if look(ends).user == os.geteuid():
                            return means
        except OSError as error:
            log.warning("users unknown", why=str(error))
        return Means.NONE

    def _by_sock_diag(self, ends: _Ends) -> _Owner:
        if self._netlink is None:
            self._netlink = _open_netlink()
        return _ask(self._netlink, ends)


def _open_netlink() -> socket.socket:
    kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    return socket.socket(socket.AF_NETLINK, kind, _NETLINK_SOCK_DIAG)  # type: ignore[attr-defined,unused-ignore]


def _diag(ends: _Ends) -> _Owner:
    with _open_netlink() as netlink:
        return _ask(netlink, ends)


def _ask(netlink: socket.socket, ends: _Ends) -> _Owner:
    pack = socket.inet_pton
    request = (
        _REQUEST.pack(
            _SIZE, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 0, 0,
            ends.family, socket.IPPROTO_TCP, 0, 0, _ALL,
        )
        + _ID.pack(
            ends.client[1], ends.server[1],
            pack(ends.family, ends.client[0]), pack(ends.family, ends.server[0]),
        )
        + _INTERFACE_AND_COOKIE.pack(0, _ALL, _ALL)
    )  # fmt: skip
    netlink.sendto(request, (0, 0))
    # The kernel has answered when `sendto` returns.
    answer = netlink.recv(4096)
    if _HEADER.unpack_from(answer)[1] != _SOCK_DIAG_BY_FAMILY:
        return _GONE
    user, inode = _USER_AND_INODE.unpack_from(answer, _USER_AT)
    # What no program has open any more belongs to root, as the kernel tells it.
    return _Owner(int(user), int(inode)) if inode else _GONE


def _ends(accepted: Accepted) -> _Ends | None:
    """None if the other end is not on this machine."""
    client, server = accepted.getpeername()[:2], accepted.getsockname()[:2]
    here, there = _address(client[0]), _address(server[0])
    if not here.is_loopback and here != there:
        return None
    family = socket.AF_INET if here.version == 4 else socket.AF_INET6
    return _Ends(family, (str(here), client[1]), (str(there), server[1]))


def _address(text: str) -> IPv4Address | IPv6Address:
    """Return an address of IPv4 that is written as one of IPv6 in its own form, as the kernel lists
    it.
    """
    found = ip_address(text.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _unix_user(accepted: Accepted) -> int | None:
    if _LINUX:
        size = struct.calcsize("3i")
        credentials = accepted.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        return int(struct.unpack("3i", credentials)[1])
    if sys.platform == "darwin":
        return int(struct.unpack_from("=II", accepted.getsockopt(0, _LOCAL_PEERCRED, 76))[1])
    return None


def _by_tables(ends: _Ends) -> _Owner:
    """The fallback: a line for each connection of this machine is read.

    Raises:
        OSError: the tables cannot be read.
    """
    client, server = _spelled(ends.client), _spelled(ends.server)
    families = {"tcp": (client, server), "tcp6": (_mapped(client), _mapped(server))}
    if ends.family == socket.AF_INET6:
        families = {"tcp6": (client, server)}
    for name, (local, remote) in families.items():
        table = Path("/proc/net") / name
        if name == "tcp6" and not table.exists():
            continue  # a kernel without IPv6
        with table.open("rb") as lines:
            for line in lines:
                words = line.split()
                if words[1:3] == [local, remote]:
                    inode = int(words[9])
                    return _Owner(int(words[7]), inode) if inode else _GONE
    return _GONE


def _spelled(end: tuple[str, int]) -> bytes:
    """Spell an address as the tables do: words in the order of this machine, in hexadecimal."""
    packed = ip_address(end[0]).packed
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return "".join(f"{word:08X}" for word in words).encode() + b":%04X" % end[1]


def _mapped(end: bytes) -> bytes:
    """An IPv4 address in the table of IPv6, for clients that spell it so."""
    return b"0" * 16 + b"%08X" % struct.unpack("=I", b"\0\0\xff\xff")[0] + end


def _overflow_user() -> int | None:
    """The number that stands for all users that have none here; None if everybody has one."""
    try:
        start, outside, length = map(int, Path("/proc/self/uid_map").read_text().split()[:3])
        if (start, outside) == (0, 0) and length >= 2**32 - 1:
            return None
        return int(Path("/proc/sys/kernel/overflowuid").read_text())
    except (OSError, ValueError):
        return None
