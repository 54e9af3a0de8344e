"""What an agent's JSON costs to be decoded is known before, however it is cut."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyond.agents.common.core import EntryPut, Noise, Turn
from anyond.agents.json_rpc.json_lines import JsonLines
from anyond.agents.json_rpc.json_scan import VALUES_MOST, JsonScan
from anyond.agents.json_rpc.lines import SCANNED, Lines
from anyond.agents.roster import AGENTS
from anyond.model.configuration.settings import Executor
from anyond.model.records import Stream

texts = st.text(alphabet='ab"\\{}[],:\n\u00e4', max_size=6)
values = st.recursive(
    st.none() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def _weight(value: Any) -> int:
    """Brackets that open, and what separates values."""
    if isinstance(value, list):
        return 1 + max(0, len(value) - 1) + sum(map(_weight, value))
    if isinstance(value, dict):
        return 1 + max(0, 2 * len(value) - 1) + sum(map(_weight, value.values()))
    return 0


@given(values, st.lists(st.integers(0, 400)))
def test_values_are_counted_outside_of_strings_however_the_text_is_cut(
    value: Any, cuts: list[int]
) -> None:
    text = json.dumps(value).encode()
    scan = JsonScan()
    ends = sorted({*(cut for cut in cuts if cut < len(text)), 0, len(text)})
    for start, end in pairwise(ends):
        scan.feed(text[start:end])
    assert (scan.depth, scan.within, scan.values) == (0, False, _weight(value))
    scan.feed(b'["open ')
    assert (scan.depth, scan.within) == (1, True)


def _fed(text: bytes, size: int = 4096) -> bytes:
    lines = Lines()
    found = [line for at in range(0, len(text), size) for line in lines.feed(text[at : at + size])]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("size", [4096, 1 << 30])
@pytest.mark.parametrize("value", [b"{}", b"0", b'"\\""', b"[[]]"])
def test_a_line_of_very_many_values_is_not_read(value: bytes, size: int) -> None:
    many = b"[%s]" % b",".join([value] * (4 * VALUES_MOST))
    assert b"it has more than 100,000 values" in _fed(many + b"\n", size)


@pytest.mark.parametrize("size", [4096, 1 << 30])
@pytest.mark.parametrize("text", ['{"a":[{},0]}' * 40_000, '\\"{,' * 100_000, "x" * 8_000_000])
def test_a_large_text_is_one_value_whatever_is_in_it(text: str, size: int) -> None:
    line = json.dumps({"text": text}).encode()
    assert len(line) > SCANNED
    assert _fed(line + b"\n", size) == line


@pytest.mark.parametrize("name", list(AGENTS))
def test_no_agent_reads_a_line_of_too_many_values(name: str) -> None:
    dialogue = AGENTS[Executor(name)].dialogue(Turn(prompt="p", cwd="/w"))
    line = b'{"jsonrpc":"2.0","id":1,"result":{"x":[%s0]}}\n' % (b"{}," * 4 * VALUES_MOST)
    events = [
        event
        for at in range(0, len(line), 4096)
        for event in dialogue.receive(Stream.STDOUT, line[at : at + 4096])
    ]
    displayed = [e.line for e in events if isinstance(e, Noise)]
    displayed += [e.entry.content for e in events if isinstance(e, EntryPut)]
    assert any("it has more than 100,000 values" in text for text in displayed)


def test_a_message_in_several_lines_may_have_quotes_in_its_texts() -> None:
    message = json.dumps({"text": 'say "{" and \\', "more": ['"']}, indent=1).encode()
    pieces = JsonLines()
    results = [pieces.add(line) for line in message.split(b"\n")]
    assert results == [(None, [])] * (len(results) - 1) + [(message, [])]


@pytest.mark.parametrize(
    "line",
    [
        b'{"a":"' + b"x" * 1_000_000,
        b'{"a":[' + b'"",' * 200_000,
        b'{"a":[' + b"0," * 200_000,
        b'{"a":"' + b"x" * 5_000_000 + b'",',
    ],
    ids=["no end of a text", "very many texts", "very many values", "too long"],
)
def test_a_line_that_is_not_worth_waiting_for_comes_back_at_once(line: bytes) -> None:
    pieces = JsonLines()
    assert pieces.add(line) == (None, [line])
    assert not pieces


def test_very_many_lines_are_no_message() -> None:
    pieces = JsonLines()
    given_back = next(n for n in range(100_000) if pieces.add(b'{"a":')[1])
    assert given_back < 60_000
