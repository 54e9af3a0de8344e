"""The speed at which the machine of each agent reads its agent's output."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence

from anyond.model.records import Stream
from benchmarks.figures import Figure
from benchmarks.lab import Lab
from tests.support.dialogues.recordings import Recording, Records, recordings

SECONDS = 0.5
ROUNDS = 3
LEAST = 100_000


def measure(_: Lab) -> Iterator[Figure]:
    """Every recording of an agent again and again, each time by a fresh machine."""
    recorded: dict[str, list[Recording]] = defaultdict(list)
    for recording in recordings():
        recorded[recording.executor.value].append(recording)
    for name, mine in sorted(recorded.items()):
        speed = max(_speed(mine) for _ in range(ROUNDS))
        what = f"lines of a dialogue read a second, {name}"
        yield Figure(what, f"{speed:,.0f}", promise=f"≥ {LEAST:,}", holds=speed >= LEAST)


def _speed(mine: Sequence[Recording]) -> float:
    """Lines a second of this processor: others at work must not count."""
    blocks = [(recording, _gathered(recording.records)) for recording in mine]
    lines = sum(len(recording.records) for recording in mine)
    read, took = 0, 0.0
    while took < SECONDS:
        fresh = [(recording.fresh(), records) for recording, records in blocks]
        began = time.process_time()
        for dialogue, records in fresh:
            for stream, data in records:
                dialogue.receive(stream, data)
            dialogue.finish()
        took += time.process_time() - began
        read += lines
    return read / took


def _gathered(records: Sequence[tuple[Stream, bytes]]) -> Records:
    """Read at once what one side writes without an answer of the other, as in a daemon."""
    blocks: Records = []
    for stream, line in records:
        if blocks and blocks[-1][0] is stream:
            blocks[-1] = (stream, blocks[-1][1] + line)
        else:
            blocks.append((stream, line))
    return blocks
