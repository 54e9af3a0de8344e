"""The time until a client of vibe-kanban has a long conversation, compared with one of ours."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from benchmarks.daemon import Daemon
from benchmarks.figures import Figure, ratio
from benchmarks.lab import Lab
from benchmarks.pairs import in_turns
from benchmarks.websocket import WebSocket

Json = dict[str, Any]

ENTRIES = 10_000
ROUNDS = 9

_AGENT = f"""
import json, sys

def send(**message):
    print(json.dumps({{"jsonrpc": "2.0", **message}}))

for line in sys.stdin:
    asked = json.loads(line)
    if asked.get("method") == "initialize":
        send(id=asked["id"], result={{"protocolVersion": 1, "agentCapabilities": {{}}}})
    elif asked.get("method") == "session/new":
        send(id=asked["id"], result={{"sessionId": "s"}})
    elif asked.get("method") == "session/prompt":
        for n in range({ENTRIES}):
            call = {{"sessionUpdate": "tool_call", "toolCallId": str(n), "title": f"Step {{n}}",
                    "kind": "other", "status": "completed", "rawInput": {{"text": "words " * 20}}}}
            send(method="session/update", params={{"sessionId": "s", "update": call}})
        send(id=asked["id"], result={{"stopReason": "end_turn"}})
    sys.stdout.flush()
"""


def measure(lab: Lab) -> Iterator[Figure]:
    """Rounds of both, one after the other, of a run that is over."""
    script = lab.path("agent")
    script.write_text(_AGENT)
    with lab.daemon() as daemon:
        daemon.use_agent(lab.program(f"exec {sys.executable} {script}"))
        attempt = daemon.attempt(daemon.project(lab.repository()))
        daemon.over(attempt)
        process = daemon.process(attempt)
        path = f"/api/execution-processes/{process.id}/normalized-logs/ws"
        pairs = in_turns(
            lambda: _replay(daemon, path, _plain),
            lambda: _replay(daemon, f"/vk{path}", _patched),
            lab.rounds(ROUNDS),
        )
    what = f"{ENTRIES:,} entries replayed as JSON Patch"
    yield ratio(what, pairs, name="plain", at_most=1.5)


def _replay(daemon: Daemon, path: str, count: Callable[[Json], int]) -> float:
    began = time.perf_counter()
    client = WebSocket(daemon.socket(path))
    messages: list[bytes] = []
    while not client.over:
        messages += client.wait()
    elapsed = time.perf_counter() - began
    client.close()
    assert messages.pop() == b'{"finished":true}'
    found = sum(count(msgspec.json.decode(message)) for message in messages)
    assert found >= ENTRIES, found
    return elapsed


def _plain(_: Json) -> int:
    return 1


def _patched(frame: Json) -> int:
    return len(frame["JsonPatch"])
