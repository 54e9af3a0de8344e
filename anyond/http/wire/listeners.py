"""Listeners for clients: TCP addresses, Unix sockets and sockets handed over."""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path

import trio

from anyond.model.errors import Unavailable
from anyond.model.refusals.requests import Invalid

_BACKLOG = 256
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""What stands for all addresses is none that one can go to."""


class Listener:
    """A socket that listens, and what has to be removed when it does no longer.

    Attributes:
        url: where clients on this machine find it, with the real port; `unix:<path>` for a Unix
            socket.
    """

    def __init__(self, sock: socket.socket, path: Path | None = None) -> None:
        sock.setblocking(False)
        sock.set_inheritable(False)
        self._sock = sock
        self._path = path
        self._inode = path.stat().st_ino if path else None
        self.url = _url(sock)
        self.accepting = trio.SocketListener(trio.socket.from_stdlib_socket(sock))

    def close(self) -> None:
        """Stop listening; the file of a Unix socket is removed if it is still this one.

        Also where Trio does not run, before the daemon serves or after it was refused.
        """
        if trio.lowlevel.in_trio_run():
            self.accepting.socket.close()  # whoever accepts there hears of it
        else:
            self._sock.close()
        if self._path is not None and _inode(self._path) == self._inode:
            self._path.unlink(missing_ok=True)


def listen(address: str) -> Listener:
    """Listen at `address`; clients may connect from now on, and wait until they are served.

    Args:
        address: `host:port` (port 0 is any free one), `unix:<path>` (made readable for its owner
            only; a file that a dead daemon left is replaced), or `fd://<n>` for a socket that
            listens already.

    Raises:
        Invalid: it is none of these.
        Unavailable: somebody else listens there, or the system does not allow it.
    """
    try:
        if address.startswith("unix:"):
            return _unix(Path(address.removeprefix("unix:")))
        if address.startswith("fd://"):
            return _handed_over(address.removeprefix("fd://"))
        return _tcp(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Unavailable(f"Somebody else listens at {address} already.") from error
        raise Unavailable(f"Cannot listen at {address}: {error.strerror or error}.") from error


def _tcp(address: str) -> Listener:
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) < 65536):
        raise Invalid("address", f"{address!r} is not host:port, unix:<path> or fd://<n>")
    found = socket.getaddrinfo(
        host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    # "localhost" can be both; clients that are told 127.0.0.1 or localhost reach the older one.
    family, kind, protocol, _, where = min(found, key=lambda info: info[0] != socket.AF_INET)
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(where)
        sock.listen(_BACKLOG)
        return Listener(sock)
    except BaseException:  # whatever stops it, nothing stays open
        sock.close()
        raise


def _unix(path: Path) -> Listener:
    _remove_stale(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # A chmod after bind would leave a moment in which anybody may connect.
    umask = os.umask(0o177)
    try:
        sock.bind(os.fspath(path))
        sock.listen(_BACKLOG)
        return Listener(sock, path)
    except BaseException:  # whatever stops it, nothing stays open
        sock.close()
        raise
    finally:
        os.umask(umask)


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise Unavailable(f"{path} is in the way: it is not a socket.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        else:
            raise Unavailable(f"Somebody else listens at {path} already.")


def _handed_over(number: str) -> Listener:
    if not (number.isascii() and number.isdigit()):
        raise Invalid("address", f"fd://{number} does not name a file descriptor")
    sock = socket.socket(fileno=int(number))
    try:
        if sock.type != socket.SOCK_STREAM:
            raise Unavailable(f"The socket fd://{number} is not one for streams.")
        sock.listen(_BACKLOG)  # harmless if it listens already, and macOS cannot be asked
        return Listener(sock)
    except BaseException:  # whatever stops it
        sock.detach()  # it is not ours to close
        raise


def _url(sock: socket.socket) -> str:
    where = sock.getsockname()
    if sock.family == socket.AF_UNIX:
        return f"unix:{where}"
    host = _EVERY_ADDRESS.get(where[0], where[0])
    displayed = f"[{host}]" if sock.family == socket.AF_INET6 else host
    return f"http://{displayed}:{where[1]}"


def _inode(path: Path) -> int | None:
    try:
        return path.lstat().st_ino
    except OSError:
        return None
