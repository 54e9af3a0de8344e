"""One daemon under hostile requests from several clients at once, and what is counted meanwhile."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from pathlib import Path
from random import Random

import psutil

from campaigns.hostile.requests import Maker, Request
from campaigns.hostile.routes import Route, routes
from campaigns.hostile.wire import Silent, exchange
from tests.support.hostile.fuzz_target import FuzzTarget

WARM = 0.2
"""The share of the requests after which memory is what it is compared with at the end."""

WARM_REQUESTS = 5_000
"""Or so many, if that is less."""

SETTLE_S = 60.0
SPARE = 48 * 1024**2
"""Bytes that memory may have grown by: caches that fill, and an allocator that keeps some."""

SERVER_ERROR = 500
_WRONG_MOST = 20


class Trial:
    """Sends requests and counts answers.

    Attributes:
        statuses: how often each status came; 0 is a connection that was closed.
        wrong: what must not have happened, a line each.
    """

    def __init__(
        self, target: FuzzTarget, seed: int, requests: int, clients: int, seconds: float
    ) -> None:
        self._target = target
        self._seed = seed
        self._goal = requests
        self._clients = clients
        self._lock = threading.Lock()
        self._routes = routes()
        self._places = trials(target.daemon.root)
        self._process = psutil.Process(target.daemon.pid)
        self.statuses: Counter[int] = Counter()
        self.tried: Counter[str] = Counter()
        self.sent = 0
        self.wrong: list[str] = []
        self.memory: list[int] = []
        self.seconds = 0.0
        self._limit = seconds
        self._began = time.monotonic()

    def run(self) -> None:
        """Until all are sent; then memory gets time to come back."""
        self._began = time.monotonic()
        workers = [
            threading.Thread(target=self._client, args=(number,)) for number in range(self._clients)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.seconds = time.monotonic() - self._began
        self._look_at_memory()
        log = self._target.daemon.log()
        for word in ("Traceback", "request failed", "connection failed"):
            if (times := log.count(word)) > 0:
                self.wrong.append(f"{times} x {word!r} in the log")
        untried = [route.path for route in self._routes if not self.tried[_name(route)]]
        if untried and self._goal >= 20 * len(self._routes):
            self.wrong.append(f"never tried: {', '.join(untried)}")

    def figures(self) -> str:
        """The line that tells it all."""
        families = Counter(f"{status // 100}xx" for status in self.statuses.elements() if status)
        counts = ", ".join(f"{families[name]:,} {name}" for name in sorted(families))
        before, after = (f"{size / 1024**2:.0f}" for size in (self.memory or [0, 0])[:2])
        return (
            f"hostile: {self.sent:,} requests, {len(self._routes)} routes, {self.seconds:.0f} s, "
            f"seed {self._seed}: {counts}, {self.statuses[0]:,} closed; "
            f"memory {before} -> {after} MiB; {len(self.wrong)} wrong"
        )

    def _client(self, number: int) -> None:
        try:
            self._work(number)
        except Exception as error:
            self.wrong.append(f"client {number} failed: {error!r}")

    def _work(self, number: int) -> None:
        dice = Random(f"{self._seed}:{number}")
        maker = Maker(dice, self._routes, self._target.names, self._places)
        while self._next():
            request = maker.make()
            self.tried[_name(request.route)] += 1
            try:
                status = exchange("127.0.0.1", self._target.port, request)
            except (Silent, OSError, ValueError) as error:
                self._note(request, f"{type(error).__name__}: {error}")
                if not self._process.is_running():
                    return
                continue
            with self._lock:
                self.statuses[status] += 1
            # Where somebody outside has a part, that he is not there is the truth.
            if status >= SERVER_ERROR and not (request.route.outside and status != SERVER_ERROR):
                self._note(request, str(status))

    def _next(self) -> bool:
        with self._lock:
            late = time.monotonic() - self._began > self._limit
            if self.sent == min(WARM_REQUESTS, int(self._goal * WARM)):
                self.memory.append(self._process.memory_info().rss)
            self.sent += 1
            done = late or self.sent > self._goal or len(self.wrong) >= _WRONG_MOST
            self.sent -= done
            return not done

    def _note(self, request: Request, what: str) -> None:
        head = request.head("host")[:300]
        with self._lock:
            self.wrong.append(f"{what}: {head!r} {request.body[:300]!r} ({request.manner})")

    def _look_at_memory(self) -> None:
        if not self.memory or not self._process.is_running():
            return
        deadline = time.monotonic() + SETTLE_S
        while True:
            now = self._process.memory_info().rss
            if now <= self.memory[0] + SPARE or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        self.memory.append(now)
        if now > self.memory[0] + SPARE:
            self.wrong.append("memory did not come back")


def _name(route: Route) -> str:
    return f"{route.method} {route.path} {route.upgraded}"


def trials(root: Path) -> list[str]:
    """Paths that try whoever reads them: all below `root`, or where nothing can be made."""
    place = root / "trials"
    place.mkdir()
    (place / "loop").symlink_to("loop")
    (place / "away").symlink_to("/proc/1/root")
    (place / "up").symlink_to("../..")
    os.mkfifo(place / "pipe")
    (place / "file").write_text("a file\n")
    (place / "directory").mkdir()
    found = [str(path) for path in sorted(place.iterdir())]
    found += [f"{path}/x" for path in found] + [f"{path}/../y" for path in found]
    found += [
        "away/x",
        "../../etc/passwd",
        ".git/config",
        ".GIT/HEAD",
        "a/../../b",
        "./.git",
        "loop",
    ]
    # Of any Linux: what is no file of anybody's, and answers oddly when it is looked at.
    found += ["/proc/1/root", "/proc/1/root/..", "/proc/self/fd/999", "/dev/null", "/dev/null/x"]
    found += ["/" + "n" * 300, "/n" * 3000, "~nobody/x", "~/x\0", "//", "/proc/self/mem"]
    return found
