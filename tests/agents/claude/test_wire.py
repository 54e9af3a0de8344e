"""Lines of Claude Code, however they are cut, tampered with or odd, and restarts between them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyond.agents.common.core import (
    EntryPut,
    Noise,
    Outcome,
    TurnEnded,
)
from anyond.model.records import Stream
from tests.support.dialogues.claude_driver import (
    ALL,
    Records,
    Story,
    fresh,
    output,
    recorded,
    replay,
    sent,
)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(ALL), st.lists(st.integers(1, 4000), max_size=12), st.integers(1, 300))
def test_where_the_bytes_are_cut_does_not_matter(name: str, cuts: list[int], least: int) -> None:
    whole = replay(recorded(name))
    story, dialogue = Story(), fresh()
    for stream, data in merged(recorded(name)):
        start = 0
        for length in [*cuts, *[least] * (len(data) // least + 1)]:
            events = dialogue.receive(stream, data[start : start + length])
            puts = [event.key for event in events if isinstance(event, EntryPut)]
            assert len(puts) == len(set(puts))
            story.add(events)
            start += length
    story.add(dialogue.finish())
    assert list(story.entries.items()) == list(whole.entries.items())
    assert story.others == whole.others


def merged(records: Records) -> Records:
    """Neighbours of the same stream become one stretch of bytes."""
    joined: Records = []
    for stream, data in records:
        if joined and joined[-1][0] is stream:
            joined[-1] = (stream, joined[-1][1] + data)
        else:
            joined.append((stream, data))
    return joined


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("options", [{"approvals": True}, {"dangerously_skip_permissions": True}])
def test_after_a_restart_exactly_the_unsent_messages_are_queued(
    name: str, options: dict[str, Any]
) -> None:
    records = recorded(name)
    automatic = "dangerously_skip_permissions" in options
    live, story = fresh(**options), Story()
    for stream, data in records:
        live.outgoing()
        story.add(live.receive(stream, data))
    for end in range(len(records) + 1):
        restarted = fresh(**options)
        replayed = Story()
        for stream, data in records[:end]:
            replayed.add(restarted.receive(stream, data))
        assert [name_of(one) for one in sent(restarted)] == unsent(records[:end], automatic)
        for stream, data in records[end:]:
            replayed.add(restarted.receive(stream, data))
            restarted.outgoing()
        assert (replayed.entries, replayed.others) == (story.entries, story.others)


def unsent(records: Records, automatic: bool) -> list[str]:
    """What the dialogue has to say by itself and the log does not show as said."""
    due = ["anyon-1", "user"]
    for stream, data in records:
        message = json.loads(data) if data.startswith(b"{") else {}
        kind, name = message.get("type"), name_of(message)
        if stream is Stream.STDIN and name in due:
            due.remove(name)
        elif stream is Stream.STDOUT and kind == "control_request":
            request = message["request"]
            tool = request.get("tool_name")
            if request["subtype"] == "hook_callback" or (automatic and tool != "AskUserQuestion"):
                due.append(name)
    return due


def name_of(message: Any) -> str:
    if message.get("type") == "control_response":
        return str(message["response"]["request_id"])
    return str(message.get("request_id") or message.get("type"))


def test_stderr_is_one_entry_without_colors() -> None:
    records = [(Stream.STDERR, b"\x1b[31mfirst\x1b[0m\nsec"), (Stream.STDERR, b"ond\n\nlast")]
    assert replay(records).lines() == ["ErrorMessage: first\nsecond\nlast"]


def test_a_line_that_cannot_be_read_is_shown_raw() -> None:
    story = replay([(Stream.STDOUT, b"Segmentation fault\n"), (Stream.STDOUT, b'{"type": 1}')])
    assert story.others == [Noise("Segmentation fault"), Noise('{"type": 1}')]


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ({"type": "new"}, []),
        ({"type": "new", "message": " Hot water! "}, ["SystemMessage: Hot water!"]),
        ({"type": "new", "message": {"deep": 1}, "text": "Tea"}, ["SystemMessage: Tea"]),
        ({"type": "new", "attempt": "no number", "message": "Tea"}, ["SystemMessage: Tea"]),
    ],
)
def test_a_line_of_a_later_version_shows_its_words_or_nothing(
    line: dict[str, Any], lines: list[str]
) -> None:
    story = replay([(Stream.STDOUT, json.dumps(line).encode() + b"\n")])
    assert (story.lines(), story.others) == (lines, [])


def test_nesting_without_end_is_noise_and_its_request_is_refused() -> None:
    deep = b'{"a":' * 400 + b"1" + b"}" * 400
    dialogue = fresh()
    dialogue.outgoing()
    request = (
        b'{"type":"control_request","request_id":"r1","request":{"subtype":"can_use_tool",'
        b'"tool_name":"Bash","tool_use_id":"t","input":' + deep + b"}}\n"
    )
    endless = b'{"type":"assistant","x":' + b"[" * 100_000 + b"\n"
    story = replay([(Stream.STDOUT, request), (Stream.STDOUT, endless)], dialogue)
    assert [type(event) for event in story.others] == [Noise, Noise]
    assert story.entries == {}
    assert [one["response"]["subtype"] for one in sent(dialogue)] == ["error"]


@pytest.mark.parametrize(("digits", "ends"), [(30, TurnEnded), (5000, Noise)])
def test_a_number_that_not_every_client_can_hold_is_not_shown(digits: int, ends: type) -> None:
    usage = b'"usage":{"input_tokens":' + b"9" * digits + b"}"
    result = b'{"type":"result","subtype":"success",' + usage + b"}\n"
    story = replay([(Stream.STDOUT, result)])
    assert ([type(event) for event in story.others], story.entries) == ([ends], {})


@pytest.mark.parametrize(
    ("odd", "outcome"),
    [
        ({"modelUsage": None, "usage": {"input_tokens": None}}, Outcome.COMPLETED),
        ({"modelUsage": {"m": {"inputTokens": "many"}}, "total_cost_usd": "1"}, Outcome.COMPLETED),
        ({"usage": [], "errors": None}, Outcome.COMPLETED),
        ({"usage": [], "is_error": "true"}, Outcome.FAILED),
        ({"api_error_status": "401"}, Outcome.FAILED),
    ],
)
def test_a_turn_is_over_whatever_its_numbers_look_like(
    odd: dict[str, Any], outcome: Outcome
) -> None:
    story = replay(output({"type": "result", "subtype": "success", "num_turns": 1, **odd}))
    assert [end.outcome for end in story.ends()] == [outcome]
    assert (len(story.others), "usage" in story.entries) == (1, False)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(list(Stream)), st.binary(max_size=200))))
def test_bytes_of_any_kind_do_no_harm(records: Records) -> None:
    replay(records)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "id", "name", "input", "content", "text", "todos", "task"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(ALL), st.integers(0, 100), st.integers(0, 400), VALUES)
def test_recorded_lines_that_were_tampered_with_do_no_harm(
    name: str, number: int, place: int, value: Any
) -> None:
    records = recorded(name)
    stream, data = records[number % len(records)]
    if data.startswith(b"{"):
        message = json.loads(data)
        spots = list(spots_in(message))
        holder, key = spots[place % len(spots)]
        holder[key] = value
        data = json.dumps(message).encode() + b"\n"
    records[number % len(records)] = (stream, data)
    story = replay(records)
    assert story.entries


def spots_in(value: Any) -> Iterable[tuple[Any, Any]]:
    """Every place in a JSON value where something could stand instead."""
    inside = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in inside:
        yield value, key
        yield from spots_in(inner)


def test_a_long_text_is_joined_once_per_record() -> None:
    start = {"type": "message_start", "message": {"id": "m"}}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}}
    piece = {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "x" * 10},
    }
    opening, text = (
        b"".join(
            data for _, data in output(*[{"type": "stream_event", "event": e} for e in events])
        )
        for events in ([start, block], [piece])
    )
    dialogue = fresh()
    dialogue.receive(Stream.STDOUT, opening)
    [put] = dialogue.receive(Stream.STDOUT, text * 50_000)
    assert isinstance(put, EntryPut)
    assert put.entry.content == "x" * 500_000
