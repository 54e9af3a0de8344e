"""A WebSocket to the daemon for programs without an event loop."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

import wsproto
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.utilities import ProtocolError

from anyond.client import messages
from anyond.client.address import Address
from anyond.client.blocking_connection import connect
from anyond.client.waits import QUIET_S

_PIECE = 1 << 16
CONNECT_S = 60.0
"""How long the beginning may take."""


class Rejected(Exception):
    """The daemon answered with something else than a WebSocket."""

    def __init__(self, status: int, content: bytes) -> None:
        super().__init__(f"it answered {status}")
        self.status = status
        self.content = content


class Closed(Exception):
    """The stream is over; `code` is None if nothing was said."""

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__("it closed")
        self.code = code
        self.reason = reason


class WebSocket:
    """One connection, made as this is.

    Raises:
        Rejected: the daemon refuses.
        OSError: there is no daemon.
    """

    def __init__(self, address: Address, target: str) -> None:
        self._socket = connect(address, CONNECT_S)
        try:
            url = urlsplit(address.url)
            if url.scheme == "https":
                context = ssl.create_default_context()
                self._socket = context.wrap_socket(self._socket, server_hostname=url.hostname)
            self._begin(url.netloc, target, messages.headers(address.token))
            self._socket.settimeout(QUIET_S)
        except BaseException:  # whatever it is, it is raised again without a socket left open
            self.close()
            raise

    def read(self) -> str | bytes:
        """The next message; waits for it.

        Raises:
            Closed: there is none.
            OSError: the connection broke, or nothing came for longer than a daemon is silent.
        """
        text: list[str] = []
        content: list[bytes] = []
        while True:
            for event in self._protocol.events():
                match event:
                    case TextMessage():
                        text.append(event.data)
                        if event.message_finished:
                            return "".join(text)
                    case BytesMessage():
                        content.append(bytes(event.data))
                        if event.message_finished:
                            return b"".join(content)
                    case Ping():
                        self._socket.sendall(self._protocol.send(event.response()))
                    case CloseConnection():
                        raise Closed(event.code, event.reason or "")
            self._receive()

    def close(self) -> None:
        """Close the connection, without a farewell: nobody has to wait for one."""
        self._socket.close()

    def _begin(self, host: str, target: str, headers: dict[str, str]) -> None:
        more = [(name.encode(), value.encode()) for name, value in headers.items()]
        self._protocol = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
        asked = Request(host=host, target=target, extra_headers=more)
        self._socket.sendall(self._protocol.send(asked))
        status, content = 0, b""
        while True:
            for event in self._protocol.events():
                match event:
                    case AcceptConnection():
                        return
                    case RejectConnection():
                        status = event.status_code
                        if not event.has_body:
                            raise Rejected(status, b"")
                    case RejectData():
                        content += event.data
                        if event.body_finished:
                            raise Rejected(status, content)
            self._receive()

    def _receive(self) -> None:
        data = self._socket.recv(_PIECE)
        if not data:
            raise ConnectionResetError("it closed")
        try:
            self._protocol.receive_data(data)
        except ProtocolError as error:
            raise ConnectionAbortedError(str(error)) from error
