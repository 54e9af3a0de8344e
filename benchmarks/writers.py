"""Many clients in one process, each of which changes a task again and again over HTTP."""

from __future__ import annotations

import selectors
import socket
import sys
import time
from urllib.parse import urlsplit


class Writer:
    """One connection, one task, one request at a time."""

    def __init__(self, url: str, id: str, times: int) -> None:
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=60)
        self._head = f"PUT /api/tasks/{id} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        self._left = times
        self._held = b""

    def ask(self) -> bool:
        """Send the next request; False if there is none left."""
        if not self._left:
            return False
        self._left -= 1
        body = f'{{"title":"Title {self._left}"}}'
        length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.socket.sendall(f"{self._head}{length}{body}".encode())
        return True

    def answered(self) -> bool:
        """Return whether the answer is complete now."""
        data = self.socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the daemon closed the connection")
        self._held += data
        head, end, body = self._held.partition(b"\r\n\r\n")
        if not end:
            return False
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if len(body) < int(fields[b"content-length"]):
            return False
        assert head.startswith(b"HTTP/1.1 200 "), self._held
        self._held = b""
        return True


def main(url: str, times: int, ids: list[str]) -> None:
    """Print how many requests were answered a second."""
    writers = [Writer(url, id, times) for id in ids]
    selector = selectors.DefaultSelector()
    for writer in writers:
        selector.register(writer.socket, selectors.EVENT_READ, writer)
    began = time.perf_counter()
    for writer in writers:
        writer.ask()
    while selector.get_map():
        for key, _ in selector.select():
            if key.data.answered() and not key.data.ask():
                selector.unregister(key.fileobj)
    print(times * len(ids) / (time.perf_counter() - began))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
