"""Many clients in one process that listen to events: `python -m benchmarks.listeners URL N EVENTS`.

Says `joined` when all are connected. When its standard input is closed, and all have seen so many
stamps (a title that is the time at which it was sent), it prints a JSON list with one list for each
stamp: after how many milliseconds each client saw it.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

from benchmarks.root import ROOT

_STAMP = re.compile(rb'"title":"(\d{6,})"')


_LIMIT_S = 60.0


def start(url: str, clients: int, events: int = 0) -> subprocess.Popen[bytes]:
    """Listeners that are connected, and wait for so many stamps each."""
    argv = [sys.executable, "-m", "benchmarks.listeners", url, str(clients), str(events)]
    process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    if process.stdout.readline() != b"joined\n":
        raise RuntimeError("the listeners did not join")
    return process


def result(process: subprocess.Popen[bytes]) -> list[list[float]]:
    """Return the delays that they have measured."""
    out, _ = process.communicate(timeout=2 * _LIMIT_S)
    return json.loads(out)  # type: ignore[no-any-return]


class Listener:
    """One connection."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=60)
        self.socket.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        self._held = b""
        while b"retry: " not in self._held:
            self._held += self.socket.recv(1 << 16)

    def stamps(self) -> list[int]:
        """The stamps of the events that have arrived now."""
        data = self.socket.recv(1 << 18)
        if not data:
            raise ConnectionError("the daemon closed the connection")
        events, _, self._held = (self._held + data).rpartition(b"\n\n")
        return [int(stamp) for stamp in _STAMP.findall(events)]


def main(url: str, clients: int, events: int) -> None:
    listeners = [Listener(url) for _ in range(clients)]
    selector = selectors.DefaultSelector()
    for listener in listeners:
        selector.register(listener.socket, selectors.EVENT_READ, listener)
    selector.register(sys.stdin, selectors.EVENT_READ)
    print("joined", flush=True)
    delays: dict[int, list[float]] = {}
    missing, end = clients * events, float("inf")
    while end == float("inf") or (missing > 0 and time.monotonic() < end):
        for key, _ in selector.select(1):
            if key.data is None:
                selector.unregister(sys.stdin)
                end = time.monotonic() + _LIMIT_S
                continue
            stamps = key.data.stamps()
            at = time.monotonic_ns()
            for stamp in stamps:
                delays.setdefault(stamp, []).append((at - stamp) / 1e6)
            missing -= len(stamps)
    print(json.dumps(list(delays.values())))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
