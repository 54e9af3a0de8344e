"""Recorded dialogues of real agents give the same conversation, however they are cut or stopped."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyond.agents.common.core import AgentEvent, EntryPut, Noise
from anyond.model.entries import (
    CommandRun,
    CommandRunResult,
    ExitCode,
    FileChangeWrite,
    FileEdit,
    NormalizedEntry,
    ToolUse,
    WebFetch,
)
from anyond.model.records import Stream
from tests.support.dialogues.acp_driver import (
    NAMES,
    RECORDINGS,
    Records,
    entries,
    fold,
    fresh,
    methods,
    recording,
    reported,
)
from tests.support.dialogues.shown import expect, tool_of


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_gives_the_expected_conversation(name: str) -> None:
    records = recording(name)
    golden = (RECORDINGS / f"{name}.golden").read_text(encoding="utf-8")
    assert reported(fold(fresh(records), records)) == golden.splitlines()


def test_every_recording_has_an_expectation() -> None:
    assert len(NAMES) == len(list(RECORDINGS.glob("*.golden"))) == 39


@pytest.mark.thorough
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_cuts_at_any_byte_change_nothing(data: st.DataObject) -> None:
    records = recording(data.draw(st.sampled_from(NAMES)))
    cut: Records = []
    for stream, line in records:
        paths = sorted(data.draw(st.sets(st.integers(1, len(line) - 1), max_size=3)))
        ends = [*paths, len(line)]
        cut += [(stream, line[start:end]) for start, end in zip([0, *paths], ends, strict=True)]
    whole = fold(fresh(records), records)
    pieces = fold(fresh(records), cut)
    assert entries(pieces) == entries(whole)
    assert reported(pieces) == reported(whole)


def _blocks(records: Records) -> Records:
    blocks: Records = []
    for stream, line in records:
        if blocks and blocks[-1][0] is stream:
            blocks[-1] = (stream, blocks[-1][1] + line)
        else:
            blocks.append((stream, line))
    return blocks


@pytest.mark.parametrize("name", NAMES)
def test_one_record_puts_an_entry_at_most_once(name: str) -> None:
    records = recording(name)
    dialogue = fresh(records)
    seen: dict[str, NormalizedEntry] = {}
    for stream, data in _blocks(records):
        puts = [e for e in dialogue.receive(stream, data) if isinstance(e, EntryPut)]
        assert len({put.key for put in puts}) == len(puts)
        seen |= entries(puts)
    seen |= entries(dialogue.finish())
    assert seen == entries(fold(fresh(records), records))


def _owed(prefix: Records, opening: str) -> set[str]:
    """What a client has still to say by itself after `prefix`, worked out from the protocol."""
    printed: dict[Stream, list[dict[str, Any]]] = {
        Stream.STDIN: [],
        Stream.STDOUT: [],
        Stream.STDERR: [],
    }
    for stream, line in prefix:
        printed[stream].append({} if stream is Stream.STDERR else json.loads(line))
    asked = {message.get("method"): message.get("id") for message in printed[Stream.STDIN]}
    replied = {message["id"] for message in printed[Stream.STDOUT] if "method" not in message}
    replies = {message["id"] for message in printed[Stream.STDIN] if "method" not in message}
    owed = set()
    for message in printed[Stream.STDOUT]:
        if "id" in message and "method" in message and message["id"] not in replies:
            hopeless = "session/cancel" in asked and asked["session/prompt"] not in replied
            if hopeless or message["method"] != "session/request_permission":
                owed.add(f"answer {message['id']}")
    steps = ["initialize", opening, "session/prompt"]
    for before, step in zip([None, *steps], steps, strict=False):
        if step not in asked and (before is None or asked.get(before, 0) in replied):
            owed.add(step)
    return owed


@pytest.mark.parametrize("name", NAMES)
def test_a_restart_after_any_record_says_exactly_what_is_still_owed(name: str) -> None:
    records = recording(name)
    for end in range(len(records) + 1):
        dialogue = fresh(records)
        for stream, line in records[:end]:
            dialogue.receive(stream, line)
        queued = methods(dialogue.outgoing())
        assert set(queued) == _owed(
            records[:end], "session/load" if "load" in name else "session/new"
        )
        assert len(queued) == len(set(queued))


@pytest.mark.parametrize("name", NAMES)
def test_whether_messages_are_taken_does_not_change_the_conversation(name: str) -> None:
    records = recording(name)
    taken = fresh(records)
    events: list[AgentEvent] = []
    for stream, line in records:
        taken.outgoing()
        events += taken.receive(stream, line)
    assert [*events, *taken.finish()] == fold(fresh(records), records)


def test_diffs_outputs_and_exit_codes_are_kept() -> None:
    records = recording("opencode_basic_approved")
    tools = [
        entry.entry_type.action_type
        for entry in entries(fold(fresh(records), records)).values()
        if isinstance(entry.entry_type, ToolUse)
    ]
    edit, command = tools
    assert isinstance(edit, FileEdit)
    assert edit.path == "hello.txt"
    assert expect(FileChangeWrite, edit.changes[0]).content == "hello from agent\nsecond line\n"
    assert isinstance(command, CommandRun)
    result = expect(CommandRunResult, command.result)
    assert result.output == "hello from agent\nsecond line\n2 hello.txt\n"
    assert result.exit_status == ExitCode(code=0)


# ---------------------------------------------------------------- hostile input

_words = st.sampled_from(
    [
        "jsonrpc",
        "id",
        "method",
        "params",
        "result",
        "error",
        "code",
        "message",
        "data",
        "update",
        "session/update",
        "plan",
        "tool_call",
        "session/request_permission",
        "sessionUpdate",
        "agent_message_chunk",
        "content",
        "text",
        "type",
        "diff",
        "path",
        "oldText",
        "newText",
        "toolCallId",
        "toolCall",
        "kind",
        "edit",
        "execute",
        "read",
        "status",
        "locations",
        "rawInput",
        "rawOutput",
        "options",
        "entries",
        "usage",
        "_meta",
        "stopReason",
        "sessionId",
        "agentCapabilities",
        "sessionCapabilities",
        "agentInfo",
        "modes",
        "configOptions",
        "cost",
    ]
)
_leaves = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | _words
_values = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_words, inner, max_size=5),
    max_leaves=25,
)
_updates = st.builds(
    lambda kind, fields: {
        "method": "session/update",
        "params": {"update": {**fields, "sessionUpdate": kind}},
    },
    st.sampled_from(["tool_call", "tool_call_update", "plan", "agent_message_chunk"])
    | st.just("usage_update"),
    st.dictionaries(_words, _values, max_size=8),
)
_asks = st.builds(
    lambda id, params: {"id": id, "method": "session/request_permission", "params": params},
    st.integers(0, 3) | st.text(max_size=3),
    st.dictionaries(_words, _values, max_size=5),
)
_replies = st.builds(
    lambda id, key, value: {"id": id, key: value},
    st.integers(0, 6),
    st.sampled_from(["result", "error"]),
    _values,
)
_messages = _updates | _asks | _replies | st.dictionaries(_words, _values, max_size=6)


@pytest.mark.thorough
@pytest.mark.thorough
@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([Stream.STDIN, Stream.STDOUT]), _messages), max_size=8))
def test_no_message_of_whatever_shape_is_a_surprise(printed: Records) -> None:
    dialogue = fresh()
    echo = [
        {"id": 1, "method": "initialize"},
        {"id": 2, "method": "session/new"},
        {"id": 3, "method": "session/prompt"},
    ]
    for sent in echo:
        dialogue.receive(Stream.STDIN, json.dumps(sent).encode() + b"\n")
    for stream, message in printed:
        line = json.dumps(message).encode()
        # Below the guard that turns a surprise into noise: there must be none.
        (dialogue._sent_line if stream is Stream.STDIN else dialogue._received_line)(line)
        dialogue.receive(stream, b"\n")
        dialogue.outgoing()
    dialogue.finish()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(Stream)), st.binary(max_size=60)), max_size=10))
def test_no_bytes_raise(printed: Records) -> None:
    fold(fresh(), printed)


def test_a_line_that_is_no_message_is_noise() -> None:
    lines = [b"Welcome!", b"[1,2]", b"42", b'{"id":7}', b'{"id":99,"result":{}}', b"[" * 100_000]
    events = fold(fresh(), [(Stream.STDOUT, line + b"\n") for line in lines])
    noise = [event.line for event in events if isinstance(event, Noise)]
    assert noise == [line.decode() for line in lines]


def test_half_a_character_does_not_hide_a_message() -> None:
    update = (
        rb'{"method":"session/update","params":{"update":{"sessionUpdate":"tool_call",'
        rb'"toolCallId":"t","kind":"fetch","rawInput":{"url":"http://x/\ud83d"}}}}'
    )
    [put] = fresh().receive(Stream.STDOUT, update + b"\n")
    assert isinstance(put, EntryPut)
    assert tool_of(put.entry).action_type == WebFetch(url="http://x/?")
