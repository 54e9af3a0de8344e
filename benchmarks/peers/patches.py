"""Clients of JSON Patch streams in a process of their own: `python -m benchmarks.peers.patches`.

It is told what to do by one line of JSON: `urls`, and `lines` (how many lines of a raw log are
awaited) or `stamps` (how many titles that are times are awaited of each stream). It says `joined`
when it is connected to all, and at the end one line of JSON.
"""

from __future__ import annotations

import json
import re
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from benchmarks.root import ROOT
from benchmarks.websocket import WebSocket

_STAMP = re.compile(rb'"title":\s*"(\d{6,})"')


class Value(msgspec.Struct):
    content: str


class Operation(msgspec.Struct):
    value: Value


class Frame(msgspec.Struct):
    JsonPatch: list[Operation]


_frame = msgspec.json.Decoder(Frame)


def start(urls: list[str], **what: int) -> subprocess.Popen[bytes]:
    """Clients that are connected."""
    argv = [sys.executable, "-m", "benchmarks.peers.patches"]
    process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps({"urls": urls, **what}).encode() + b"\n")
    process.stdin.flush()
    if process.stdout.readline() != b"joined\n":
        raise RuntimeError("the clients did not join")
    return process


def result(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Return what they have received, when they are through."""
    out, _ = process.communicate(timeout=600)
    return json.loads(out)  # type: ignore[no-any-return]


def main() -> None:
    task = json.loads(sys.stdin.readline())
    selector = selectors.DefaultSelector()
    began = time.monotonic_ns()
    for url in task["urls"]:
        selector.register(WebSocket(url), selectors.EVENT_READ)
    print("joined", flush=True)
    if "lines" in task:
        print(json.dumps({"began": began, **_count(selector, task["lines"])}))
    else:
        print(json.dumps(_delays(selector, task["stamps"] * len(task["urls"]))))


def _count(selector: selectors.BaseSelector, awaited: int) -> dict[str, int]:
    lines, first = 0, 0
    while lines < awaited and selector.get_map():
        for _, message in _arrivals(selector):
            if message.startswith(b'{"JsonPatch"'):
                first = first or time.monotonic_ns()
                patch = _frame.decode(message).JsonPatch
                lines += sum(operation.value.content.count("\n") for operation in patch)
    return {"at": time.monotonic_ns(), "first": first, "lines": lines}


def _delays(selector: selectors.BaseSelector, awaited: int) -> dict[str, list[list[float]]]:
    """For each stamp, after how many milliseconds each stream had it."""
    delays: dict[int, list[float]] = {}
    began = time.monotonic_ns()
    seen: set[tuple[int, int]] = set()  # a change may be told more than once, or again at the start
    while awaited > 0 and selector.get_map():
        for stream, message in _arrivals(selector):
            at = time.monotonic_ns()
            for stamp in {int(found) for found in _STAMP.findall(message)}:
                if stamp > began and (stream, stamp) not in seen:
                    seen.add((stream, stamp))
                    delays.setdefault(stamp, []).append((at - stamp) / 1e6)
                    awaited -= 1
    return {"delays_ms": list(delays.values())}


def _arrivals(selector: selectors.BaseSelector) -> Iterator[tuple[int, bytes]]:
    """Yield each message that has arrived, after the number of its stream."""
    for key, _ in selector.select():
        stream: Any = key.fileobj
        for message in stream.read():
            yield key.fd, message
        if stream.over:
            selector.unregister(stream)


if __name__ == "__main__":
    main()
