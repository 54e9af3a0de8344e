"""Lines are found however the bytes are cut, and one without end costs no memory."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyond.agents.common.core import AgentEvent, EntryPut, Noise, Turn
from anyond.agents.common.entry import TEXT_MOST, Words
from anyond.agents.json_rpc.lines import BEGINNING_MOST, LINE_MOST, Lines
from anyond.agents.roster import AGENTS
from anyond.model.configuration.settings import Executor
from anyond.model.records import Stream

PIECE = 1 << 18


@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"\n", b"a\nb", b"\n\n"])))
def test_lines_are_the_same_however_the_bytes_are_cut(pieces: list[bytes]) -> None:
    lines = Lines()
    found = [line for piece in pieces for line in lines.feed(piece)]
    assert [*found, lines.rest()] == b"".join(pieces).split(b"\n")
    assert lines.rest() == b""


@given(st.lists(st.integers(0, 60), max_size=8), st.integers(1, 50))
def test_a_line_that_is_too_long_is_told_and_its_neighbours_stay(
    sizes: list[int], step: int
) -> None:
    whole = b"\n".join(b"x" * size for size in sizes) + b"\n"
    lines = Lines(most=30)
    found = [
        line for at in range(0, len(whole), step) for line in lines.feed(whole[at : at + step])
    ]
    assert len(found) == max(1, len(sizes))
    for line, size in zip(found, sizes, strict=False):
        if size <= 30:
            assert line == b"x" * size
        else:
            assert line.startswith(f"[anyon] A line of {size} bytes was not read".encode())


def test_a_line_without_end_costs_no_memory() -> None:
    lines, piece = Lines(), b"{" + b"y" * PIECE
    tracemalloc.start()
    for _ in range(400):
        assert lines.feed(piece) == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * LINE_MOST
    [reported] = lines.feed(b"\n")
    assert len(reported) < BEGINNING_MOST + 200


@pytest.mark.parametrize("name", list(AGENTS))
def test_no_agent_reads_a_line_that_is_too_long(name: str) -> None:
    dialogue = AGENTS[Executor(name)].dialogue(Turn(prompt="p", cwd="/w"))
    dialogue.receive(Stream.STDOUT, b'{"jsonrpc":"2.0","id":1,"result":{"x":"')
    events: list[AgentEvent] = []
    for _ in range(LINE_MOST // PIECE + 1):
        events += dialogue.receive(Stream.STDOUT, b"y" * PIECE)
    events += dialogue.receive(Stream.STDOUT, b'"}}\n')
    displayed = [e.line for e in events if isinstance(e, Noise)]
    displayed += [e.entry.content for e in events if isinstance(e, EntryPut)]
    assert any("was not read: it is longer than 16 MiB" in text for text in displayed)


def test_a_text_that_grows_for_ever_is_cut() -> None:
    words = Words("k", thinking=False, parent=None)
    for _ in range(20):
        words.add("z" * (TEXT_MOST // 10))
        assert len(words.entry().content) < TEXT_MOST + 100
    assert words.text.endswith("only in the raw log.")
