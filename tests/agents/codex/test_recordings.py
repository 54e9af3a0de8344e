"""Recorded dialogues of Codex give the same conversation, however they are cut or stopped."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyond.agents.codex.dialogue import CodexDialogue
from anyond.agents.common.core import AgentEvent, EntryPut, Noise
from anyond.model.entries import Created, NormalizedEntry, ToolUse
from anyond.model.records import Stream
from tests.support.dialogues.acp_driver import Records, entries, fold, methods, reported
from tests.support.dialogues.codex_driver import NAMES, RECORDINGS, fresh, opened, output, recording
from tests.support.dialogues.shown import expect


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_gives_the_expected_conversation(name: str) -> None:
    records = recording(name)
    golden = (RECORDINGS / f"{name}.golden").read_text(encoding="utf-8")
    assert reported(fold(fresh(records), records)) == golden.splitlines()


def test_every_recording_has_an_expectation() -> None:
    assert len(NAMES) == len(list(RECORDINGS.glob("*.golden"))) == 25


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


@pytest.mark.parametrize("name", NAMES)
def test_one_record_puts_an_entry_at_most_once(name: str) -> None:
    records = recording(name)
    dialogue = fresh(records)
    blocks: Records = []
    for stream, line in records:
        if blocks and blocks[-1][0] is stream:
            blocks[-1] = (stream, blocks[-1][1] + line)
        else:
            blocks.append((stream, line))
    seen: dict[str, NormalizedEntry] = {}
    for stream, data in blocks:
        puts = [e for e in dialogue.receive(stream, data) if isinstance(e, EntryPut)]
        assert len({put.key for put in puts}) == len(puts)
        seen |= entries(puts)
    seen |= entries(dialogue.finish())
    assert seen == entries(fold(fresh(records), records))


@pytest.mark.parametrize("name", NAMES)
def test_no_tool_is_at_work_when_a_run_is_over_wherever_it_breaks_off(name: str) -> None:
    records = recording(name)
    for end in range(0, len(records), 5):
        for entry in entries(fold(fresh(records), records[:end])).values():
            if isinstance(entry.entry_type, ToolUse):
                assert not isinstance(entry.entry_type.status, Created)


def _owed(prefix: Records, steps: list[str]) -> list[str]:
    """What a client has still to say by itself after `prefix`: the next of the first steps."""
    reported = [output(line) for stream, line in prefix if stream is Stream.STDIN]
    asked = [message for message in reported if "method" in message and "id" in message]
    replied = {output(line).get("id") for stream, line in prefix if stream is Stream.STDOUT}
    begun = [message["method"] for message in asked if message["method"] in steps]
    if len(begun) >= len(steps):
        return []
    if begun and asked[-1]["id"] not in replied:
        return []
    return [steps[len(begun)]]


@pytest.mark.parametrize("name", NAMES)
def test_a_restart_after_any_record_says_exactly_what_is_still_owed(name: str) -> None:
    records = recording(name)
    opening = {"fork": ["thread/fork"], "fork_unknown": ["thread/fork", "thread/start"]}
    steps = ["initialize", *opening.get(name, ["thread/start"]), "turn/start"]
    for end in range(len(records) + 1):
        dialogue = fresh(records)
        for stream, line in records[:end]:
            dialogue.receive(stream, line)
        assert methods(dialogue.outgoing()) == _owed(records[:end], steps)


@pytest.mark.parametrize("name", NAMES)
def test_whether_messages_are_taken_does_not_change_the_conversation(name: str) -> None:
    records = recording(name)
    taken = fresh(records)
    events: list[AgentEvent] = []
    for stream, line in records:
        taken.outgoing()
        events += taken.receive(stream, line)
    assert [*events, *taken.finish()] == fold(fresh(records), records)


@pytest.mark.cost
def test_a_hundred_thousand_lines_take_less_than_a_second_of_the_processor() -> None:
    delta = {"threadId": "main", "turnId": "t1", "itemId": "i", "delta": "word "}
    line = json.dumps({"method": "item/agentMessage/delta", "params": delta}).encode() + b"\n"
    block = line * 1000
    rates = []
    for _ in range(3):
        dialogue = opened()
        began = time.process_time()
        for _ in range(30):
            dialogue.receive(Stream.STDOUT, block)
        rates.append(30_000 / (time.process_time() - began))
    assert max(rates) > 100_000


# ---------------------------------------------------------------- hostile input

_WORDS = """
main other t1 0 1 item id type text delta itemId threadId turnId turn status error
message willRetry codexErrorInfo changes path kind diff add update move_path command
aggregatedOutput exitCode completed failed declined interrupted inProgress server
tool arguments result content receiverThreadIds spawnAgent prompt closeAgent
agentsStates plan step tokenUsage total last inputTokens questions question answers
_meta codex_approval_kind mcp_tool_call tool_name serverName requestId decision
accept decline action clientUserMessageId anyon-plan:1 anyon-denial:0 input items
summary agentThreadId permissions thread model httpStatusCode
"""
_TYPES = """
agentMessage reasoning commandExecution fileChange mcpToolCall plan
collabAgentToolCall subAgentActivity webSearch imageView imageGeneration
dynamicToolCall contextCompaction exitedReviewMode question sleep new
"""
_NEWS = """
item/started item/completed turn/started turn/completed turn/plan/updated
item/agentMessage/delta item/commandExecution/outputDelta item/plan/delta
item/reasoning/summaryTextDelta item/reasoning/summaryPartAdded error
thread/tokenUsage/updated thread/closed serverRequest/resolved warning configWarning
mcpServer/startupStatus/updated model/rerouted
"""
_ASKS = """
item/commandExecution/requestApproval item/fileChange/requestApproval
item/permissions/requestApproval mcpServer/elicitation/request
item/tool/requestUserInput item/tool/call turn/start turn/interrupt
thread/inject_items thread/start thread/fork initialize
"""

_words = st.sampled_from(_WORDS.split())
_types = st.sampled_from(_TYPES.split())
_leaves = st.none() | st.booleans() | st.integers(-3, 500) | st.floats(allow_nan=False) | _words
_values = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_words, inner, max_size=4),
    max_leaves=10,
)
_fields = st.dictionaries(_words, _values, max_size=6)
_items = st.builds(lambda kind, fields: {**fields, "type": kind}, _types, _fields)
_news = st.builds(
    lambda method, fields, item: {"method": method, "params": {**fields, "item": item}},
    st.sampled_from(_NEWS.split()),
    _fields,
    _items,
)
_asks = st.builds(
    lambda id, method, params: {"id": id, "method": method, "params": params},
    st.integers(0, 6) | st.text(max_size=3),
    st.sampled_from(_ASKS.split()),
    _fields,
)
_replies = st.builds(
    lambda id, key, value: {"id": id, key: value},
    st.integers(0, 6),
    st.sampled_from(["result", "error"]),
    _values,
)
_messages = _news | _asks | _replies | st.dictionaries(_words, _values, max_size=6)
_streams = st.sampled_from([Stream.STDIN, Stream.STDOUT, Stream.STDOUT])


@pytest.mark.thorough
@pytest.mark.thorough
@settings(max_examples=80, deadline=None)
@given(st.booleans(), st.lists(st.tuples(_streams, _messages), max_size=6))
def test_no_message_of_whatever_shape_is_a_surprise(
    plan: bool, messages: list[tuple[Stream, object]]
) -> None:
    dialogue = expect(CodexDialogue, opened(plan=plan))
    for stream, message in messages:
        line = json.dumps(message).encode()
        # Below the guard that turns a surprise into noise: there must be none.
        (dialogue._sent_line if stream is Stream.STDIN else dialogue._received_line)(line)
        dialogue.receive(stream, b"\n")
        dialogue.outgoing()
    dialogue.finish()


@pytest.mark.thorough
@settings(max_examples=100, deadline=None)
@given(st.data())
def test_truncated_and_mixed_up_lines_raise_nothing(data: st.DataObject) -> None:
    records = recording(data.draw(st.sampled_from(NAMES)))
    order = data.draw(st.lists(st.sampled_from(records), max_size=20))
    broken = [(s, line[: data.draw(st.integers(0, len(line)))] + b"\n") for s, line in order]
    fold(fresh(records), [*records[:8], *broken, *records])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(Stream)), st.binary(max_size=60)), max_size=10))
def test_no_bytes_raise(records: Records) -> None:
    fold(opened(), records)


def test_a_line_that_is_no_message_is_noise() -> None:
    lines = [b"Welcome!", b"[1,2]", b"42", b'{"id":7}', b'{"id":99,"result":{}}', b"[" * 100_000]
    events = fold(fresh(), [(Stream.STDOUT, line + b"\n") for line in lines])
    noise = [event.line for event in events if isinstance(event, Noise)]
    assert noise == [line.decode() for line in lines]
