"""Requests to the daemon from programs without an event loop, on the standard library."""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import NamedTuple
from urllib.parse import urlsplit

from anyond.client import messages
from anyond.client.address import Address
from anyond.client.errors import DaemonNotFound, DeadlinePassed, Unanswered

_PIECE = 1 << 16


class Answer(NamedTuple):
    """The status and the whole body of an answer."""

    status: int
    content: bytes


class BlockingConnection:
    """The way to one daemon; each request has a connection of its own.

    Args:
        locate: finds the daemon; asked again when it cannot be reached, since one that was
            restarted may be at another port.
        timeout_s: seconds until an answer is given up, unless a request has its own.
    """

    def __init__(self, locate: Callable[[], Address], timeout_s: float) -> None:
        self._locate = locate
        self._timeout_s = timeout_s
        self.address = locate()

    def send(
        self,
        request: messages.Request,
        timeout_s: float | None = None,
        file: tuple[str, str, bytes] | None = None,
    ) -> Answer:
        """The answer, with its whole body.

        Args:
            file: the part of a form, the name and the content of a file, in place of the content.

        Raises:
            Unanswered: there is none.
            DeadlinePassed: there is none yet.
        """
        seconds = self._timeout_s if timeout_s is None else timeout_s
        deadline = time.monotonic() + seconds
        if file is not None:
            request = _form(request, *file)
        used = self.address
        try:
            try:
                return self._exchanged(request, deadline)
            except ConnectionError as error:
                # Of one that is not there, nothing was sent.
                refused = isinstance(error, ConnectionRefusedError)
                if not refused or not self.relocate(used):
                    raise
            except FileNotFoundError:
                if not self.relocate(used):
                    raise
            return self._exchanged(request, deadline)
        except TimeoutError as error:
            raise DeadlinePassed(
                f"The daemon at {self._place} did not answer within {seconds:g} s."
            ) from error
        except (OSError, HTTPException) as error:
            raise self.unanswered(error) from error

    def open(self, target: str, headers: dict[str, str], quiet_s: float) -> HTTPResponse:
        """An answer whose body comes little by little; its reading ends after a silence.

        Raises:
            OSError, HTTPException: there is none.
        """
        http = self._http(quiet_s)
        http.request("GET", target, headers=messages.headers(self.address.token, headers))
        return http.getresponse()

    def post(
        self, target: str, headers: dict[str, str], content: bytes, quiet_s: float
    ) -> tuple[HTTPConnection, HTTPResponse]:
        """An answer to what is sent, as `open`; whoever closes the connection leaves it.

        Raises:
            OSError, HTTPException: there is none.
        """
        http = self._http(quiet_s)
        try:
            more = messages.headers(self.address.token, headers)
            http.request("POST", target, body=content, headers=more)
            return http, http.getresponse()
        except BaseException:  # whatever it is, it is raised again without a socket left open
            http.close()
            raise

    def relocate(self, failed: Address) -> bool:
        """Find the daemon again; returns whether it is elsewhere than at `failed`."""
        try:
            self.address = self._locate()
        except DaemonNotFound:
            return False
        return self.address != failed

    def unanswered(self, reason: Exception | None) -> Unanswered:
        """The error of a daemon that did not answer, for that reason."""
        why = "it closed" if reason is None else str(reason) or type(reason).__name__
        return Unanswered(f"The daemon at {self._place} did not answer: {why}.")

    @property
    def _place(self) -> object:
        return self.address.socket or self.address.url

    def _exchanged(self, request: messages.Request, deadline: float) -> Answer:
        http = self._http(_left(deadline))
        try:
            http.request(
                request.method,
                request.target,
                body=request.content or None,
                headers=messages.headers(self.address.token, request.headers),
            )
            response = http.getresponse()
            pieces = []
            while piece := response.read1(_PIECE):
                pieces.append(piece)
                if http.sock is not None:
                    http.sock.settimeout(_left(deadline))
            return Answer(response.status, b"".join(pieces))
        finally:
            http.close()

    def _http(self, timeout_s: float) -> HTTPConnection:
        url = urlsplit(self.address.url)
        made: HTTPConnection
        if url.scheme == "https":
            made = HTTPSConnection(url.netloc, timeout=timeout_s)
        else:
            made = HTTPConnection(url.netloc, timeout=timeout_s)
        if self.address.socket is not None:
            made.sock = connect(self.address, timeout_s)
        return made


def connect(address: Address, timeout_s: float | None) -> socket.socket:
    """A connected socket, without TLS. Raises `OSError`."""
    if address.socket is None:
        url = urlsplit(address.url)
        made = socket.create_connection((url.hostname or "", url.port or 80), timeout_s)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made
    made = socket.socket(socket.AF_UNIX)
    try:
        made.settimeout(timeout_s)
        made.connect(str(address.socket))
    except BaseException:  # whatever it is, it is raised again without a socket left open
        made.close()
        raise
    return made


def _left(deadline: float) -> float:
    """Seconds until `deadline`. Raises `TimeoutError`."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _form(request: messages.Request, field: str, name: str, content: bytes) -> messages.Request:
    """The request with a form that holds a file."""
    boundary = uuid.uuid4().hex
    # As browsers write names that have quotes or line ends in them.
    written = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="{field}"; filename="{written}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    kind = f"multipart/form-data; boundary={boundary}"
    return request._replace(headers={**request.headers, "Content-Type": kind}, content=body)
