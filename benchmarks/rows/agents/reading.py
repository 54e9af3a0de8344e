"""The cost of understanding the output of each agent, beside `json.loads` of the same lines."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress

from anyond.model.records import Stream
from benchmarks.figures import Figure, ratio
from benchmarks.lab import Lab
from benchmarks.pairs import in_turns
from tests.support.dialogues.recordings import Recording, Records, recordings

SECONDS = 0.3
ROUNDS = 7


def measure(lab: Lab) -> Iterator[Figure]:
    """Every recording of an agent again and again, each time by a fresh machine."""
    recorded: dict[str, list[Recording]] = defaultdict(list)
    for recording in recordings():
        recorded[recording.executor.value].append(recording)
    for name, mine in sorted(recorded.items()):
        pairs = in_turns(
            lambda mine=mine: _parsed(mine),  # type: ignore[misc]
            lambda mine=mine: _understood(mine),  # type: ignore[misc]
            lab.rounds(ROUNDS),
        )
        what = f"a line of a dialogue understood, {name}"
        yield ratio(what, pairs, name="`json.loads` of it", at_most=4)


def _parsed(mine: Sequence[Recording]) -> float:
    """Seconds of this processor for a line that is only parsed; others at work must not count."""
    lines = [line for recording in mine for _, line in recording.records]
    read, took = 0, 0.0
    while took < SECONDS:
        began = time.process_time()
        for line in lines:
            with suppress(ValueError):
                json.loads(line)
        took += time.process_time() - began
        read += len(lines)
    return took / read


def _understood(mine: Sequence[Recording]) -> float:
    """The same for a line that becomes entries, questions and an outcome."""
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
    return took / read


def _gathered(records: Sequence[tuple[Stream, bytes]]) -> Records:
    """Read at once what one side writes without an answer of the other, as in a daemon."""
    blocks: Records = []
    for stream, line in records:
        if blocks and blocks[-1][0] is stream:
            blocks[-1] = (stream, blocks[-1][1] + line)
        else:
            blocks.append((stream, line))
    return blocks
