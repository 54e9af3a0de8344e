"""The delay of answers to others while an agent, or its clients, do the worst that they can."""

from __future__ import annotations

import shlex
import socket
import sys
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from anyond.model.rows import Project
from benchmarks.daemon import Daemon
from benchmarks.figures import Figure, percentile, ratio
from benchmarks.lab import Lab
from benchmarks.pairs import Pairs
from benchmarks.prober import probing

QUESTIONS = 20_000
PAGES = 1_000
IDLE_S = 5.0
TIMES = 30.0
"""So many times what the slowest of a hundred answers of an idle daemon takes."""

AGENT = """
import json, sys
out = sys.stdout.buffer
def say(**fields):
    out.write((json.dumps({"jsonrpc": "2.0", **fields}) + "\\n").encode())
refused, turn = 0, None
for line in sys.stdin:
    message = json.loads(line)
    number, method = message.get("id"), message.get("method")
    if method == "initialize":
        say(id=number, result={"protocolVersion": 1, "agentCapabilities": {}, "authMethods": []})
    elif method == "session/new":
        say(id=number, result={"sessionId": "s"})
    elif method == "session/prompt":
        turn = number
        flood()
    elif method is None and number >= 1000:
        refused += 1
        if refused == QUESTIONS - 64:
            say(id=turn, result={"stopReason": "end_turn"})
    out.flush()
"""
ASKING = f"""
QUESTIONS = {QUESTIONS}
def flood():
    for n in range(QUESTIONS):
        say(id=1000 + n, method="session/request_permission", params={{
            "sessionId": "s",
            "toolCall": {{"toolCallId": "t%d" % n, "title": "Run", "kind": "execute"}},
            "options": [{{"optionId": "a", "name": "Allow", "kind": "allow_once"}},
                        {{"optionId": "r", "name": "Reject", "kind": "reject_once"}}]}})
"""
DENSE = """
QUESTIONS = 0
def flood():
    out.write(b'{"jsonrpc":"2.0","method":"x","params":{"x":[')
    for _ in range(50):
        out.write(b"{}," * 100_000)
    out.write(b"0]}}\\n")
    out.write(b'{"a":"' + b"x" * 15_000_000 + b"\\n")
    say(id=turn, result={"stopReason": "end_turn"})
"""


def measure(lab: Lab) -> Iterator[Figure]:
    with lab.daemon() as daemon:
        project = daemon.project(lab.repository())
        with probing(daemon.url) as idle:
            time.sleep(IDLE_S)
        base = percentile(idle.answers, 0.99)
        for what, work in (
            (f"others wait, while an agent asks {QUESTIONS:,} questions", _agent(lab, ASKING)),
            ("… while it writes long lines that are no messages", _agent(lab, DENSE)),
            (f"… while {PAGES:,} pages are left at once", _leave),
        ):
            with probing(daemon.url) as probes:
                work(daemon, project)
            # When the machine itself was late, it is not the daemon that was.
            worst = max(a - max(0.0, d) for a, d in zip(*probes, strict=True))
            pairs = Pairs([worst / 1000], [base / 1000])
            yield ratio(what, pairs, name="an idle daemon, slowest of 100", at_most=TIMES)


def _agent(lab: Lab, flood: str) -> Callable[[Daemon, Project], None]:
    def work(daemon: Daemon, project: Project) -> None:
        script = lab.path("agent")
        head, _, loop = AGENT.partition("refused,")
        script.write_text(f"{head}{flood}refused,{loop}")
        program = f"exec {shlex.quote(sys.executable)} {shlex.quote(str(script))}"
        daemon.use_agent(lab.program(program))
        daemon.over(daemon.attempt(project))

    return work


def _leave(daemon: Daemon, project: Project) -> None:
    place = urlsplit(daemon.url)
    request = (
        f"GET /api/tasks/stream/ws?project_id={project.id} HTTP/1.1\r\nHost: {place.netloc}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    pages = []
    for _ in range(PAGES):
        page = socket.create_connection((place.hostname, place.port), timeout=60)
        page.sendall(request.encode())
        page.recv(1 << 12)
        pages.append(page)
    for page in pages:
        page.sendall(b"\x88\x82\0\0\0\0\x03\xe8")  # a close frame with the code 1000
    for page in pages:
        while page.recv(1 << 16):
            pass
        page.close()
