"""Clients in one process that ask for the same thing again and again, each as soon as it can."""

from __future__ import annotations

import json
import selectors
import socket
import subprocess
import sys
import time
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks.root import ROOT


class Asked(NamedTuple):
    """Answers a second, and the milliseconds that each of them took."""

    rate: float
    answers: list[float]


def ask(url: str, clients: int, each: int, body: str = "") -> Asked:
    """Let so many clients ask `each` times, in a process of their own.

    Args:
        body: is sent by PUT, with a number that differs each time for `{}`; GET if there is none.
    """
    argv = [sys.executable, "-m", "benchmarks.askers", url, str(clients), str(each), body]
    out = subprocess.run(argv, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    return Asked(*json.loads(out))


class Asker:
    """One connection, one request at a time."""

    def __init__(self, url: str, times: int, body: str) -> None:
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        where = f"{parts.path}?{parts.query}" if parts.query else parts.path
        self._head = f"{'PUT' if body else 'GET'} {where} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        self._body = body
        self._left = times
        self._began = 0.0
        self._held = b""
        self._missing: int | None = None

    def ask(self) -> bool:
        """Send the next request; False if there is none left."""
        if not self._left:
            return False
        self._left -= 1
        self._held, self._missing = b"", None
        request = f"{self._head}\r\n"
        if self._body:
            body = self._body.replace("{}", f"{self._left:06}")
            length = f"Content-Length: {len(body)}\r\n"
            request = f"{self._head}Content-Type: application/json\r\n{length}\r\n{body}"
        self._began = time.perf_counter()
        self.socket.sendall(request.encode())
        return True

    def answered(self) -> float | None:
        """The milliseconds that the answer took, if it is complete now."""
        data = self.socket.recv(1 << 20)
        if not data:
            raise ConnectionError("the server closed the connection")
        if self._missing is None:
            self._held += data
            head, end, body = self._held.partition(b"\r\n\r\n")
            if not end:
                return None
            if not head.startswith(b"HTTP/1.1 200 "):
                raise ConnectionError(head.decode(errors="replace"))
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
            self._missing = int(fields[b"content-length"]) - len(body)
        else:
            self._missing -= len(data)
        return None if self._missing else (time.perf_counter() - self._began) * 1000


def main(url: str, clients: int, each: int, body: str) -> None:
    """Print what `Asked` holds, as JSON."""
    askers = [Asker(url, each, body) for _ in range(clients)]
    selector = selectors.DefaultSelector()
    for asker in askers:
        selector.register(asker.socket, selectors.EVENT_READ, asker)
    took: list[float] = []
    began = time.perf_counter()
    for asker in askers:
        asker.ask()
    while selector.get_map():
        for key, _ in selector.select():
            answer = key.data.answered()
            if answer is not None:
                took.append(answer)
                if not key.data.ask():
                    selector.unregister(key.fileobj)
    print(json.dumps([clients * each / (time.perf_counter() - began), took]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
