"""A client in a process of its own, which follows raw logs: `python -m benchmarks.follower`.

It is told what to do by one line of JSON: `urls`, and `lines` (how many lines are awaited of all of
them together) or `stamps` (whether each line is the time at which it was printed). It says `joined`
when it is connected to all, and at the end one line of JSON.
"""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from benchmarks.root import ROOT
from benchmarks.websocket import WebSocket

Json = dict[str, Any]


class Value(msgspec.Struct):
    content: str


class Operation(msgspec.Struct):
    value: Value


_batch = msgspec.json.Decoder(list[Operation])


def start(urls: list[str], **what: object) -> subprocess.Popen[bytes]:
    """A follower that is connected."""
    argv = [sys.executable, "-m", "benchmarks.follower"]
    process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps({"urls": urls, **what}).encode() + b"\n")
    process.stdin.flush()
    if process.stdout.readline() != b"joined\n":
        raise RuntimeError("the follower did not join")
    return process


def result(process: subprocess.Popen[bytes]) -> Json:
    """Return what a follower has received, when it is through."""
    out, _ = process.communicate(timeout=300)
    return json.loads(out)  # type: ignore[no-any-return]


def main() -> None:
    task = json.loads(sys.stdin.readline())
    selector = selectors.DefaultSelector()
    for url in task["urls"]:
        selector.register(WebSocket(url), selectors.EVENT_READ)
    print("joined", flush=True)
    print(json.dumps(_delays(selector) if task.get("stamps") else _count(selector, task["lines"])))


def _count(selector: selectors.BaseSelector, awaited: int) -> Json:
    lines = messages = 0
    while lines < awaited and selector.get_map():
        for arrived in _arrivals(selector):
            messages += 1
            lines += sum(operation.value.content.count("\n") for operation in arrived)
    return {"at": time.monotonic_ns(), "lines": lines, "messages": messages}


def _delays(selector: selectors.BaseSelector) -> Json:
    delays: list[float] = []
    messages = 0
    while selector.get_map():
        for arrived in _arrivals(selector):
            at = time.monotonic_ns()
            messages += 1
            for operation in arrived:
                delays += [(at - int(line)) / 1e6 for line in operation.value.content.split()]
    return {"delays_ms": delays, "messages": messages}


def _arrivals(selector: selectors.BaseSelector) -> Iterator[list[Operation]]:
    """Yield the content of each message that has arrived; a stream that has ended is forgotten."""
    for key, _ in selector.select():
        stream: Any = key.fileobj
        for message in stream.read():
            if message.startswith(b"["):  # else it is the word that all has been said
                yield _batch.decode(message)
        if stream.over:
            selector.unregister(stream)


if __name__ == "__main__":
    main()
