"""What an agent does a hundred thousand times costs as much the last time as the first.

Measured is the processor time of few and of many; of what looks at all that is open each time, the
many take far more than their share.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from anyond.agents.common.core import (
    ApprovalAsked,
    Decide,
    Decision,
    Dialogue,
    EntryPut,
    Turn,
)
from anyond.agents.common.entry import AT_WORK_MOST, TEXT_MOST
from anyond.agents.roster import AGENTS
from anyond.model.configuration.settings import Executor
from anyond.model.entries import Created, ToolUse
from anyond.model.records import Stream
from tests.support.dialogues.codex_driver import opened

pytestmark = pytest.mark.thorough

FEW, TIMES = 1_500, 5
LEAST_S = 0.02
"""Less is not measured well."""
SHARE = 2
"""So many times their share the many may take; what is quadratic takes five times it."""
TRIES = 5
"""Who has not been quick enough for once may have been disturbed."""


def _line(**fields: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", **fields}).encode() + b"\n"


def _permission(number: int) -> bytes:
    call = {"toolCallId": f"t{number}", "title": "Run", "kind": "execute"}
    options = [
        {"optionId": "a", "kind": "allow_once"},
        {"optionId": "r", "kind": "reject_once"},
    ]
    params = {"sessionId": "s", "toolCall": call, "options": options}
    return _line(id=1000 + number, method="session/request_permission", params=params)


def _update(**update: Any) -> bytes:
    return _line(method="session/update", params={"sessionId": "s", "update": update})


def _tool(number: int, status: str = "pending") -> bytes:
    return _update(
        sessionUpdate="tool_call", toolCallId=f"t{number}", title="T", kind="execute", status=status
    )


def _chunk(text: str, message: str) -> bytes:
    content = {"type": "text", "text": text}
    return _update(sessionUpdate="agent_message_chunk", content=content, messageId=message)


def _acp(**options: Any) -> Dialogue:
    return AGENTS[Executor.ACP].dialogue(Turn(prompt="p", cwd="/w", options=options))


def _claude() -> Dialogue:
    return AGENTS[Executor.CLAUDE_CODE].dialogue(
        Turn(prompt="p", cwd="/w", options={"approvals": True})
    )


def _claude_asks(number: int) -> bytes:
    request = {
        "subtype": "can_use_tool",
        "tool_name": "Bash",
        "input": {"command": "x"},
        "tool_use_id": f"t{number}",
    }
    return _line(type="control_request", request_id=f"r{number}", request=request)


def _codex_asks(number: int) -> bytes:
    params = {"threadId": "main", "turnId": "t1", "itemId": f"i{number}", "command": "x"}
    return _line(id=1000 + number, method="item/commandExecution/requestApproval", params=params)


def _elicited(number: int) -> bytes:
    meta = {"codex_approval_kind": "mcp_tool_call", "tool_name": f"t{number}"}
    params = {"threadId": "main", "turnId": "t1", "serverName": "s", "message": "m", "_meta": meta}
    return _line(id=1000 + number, method="mcpServer/elicitation/request", params=params)


def _all_decided(fresh: Callable[[], Dialogue], asks: Callable[[int], bytes], many: int) -> None:
    """All is asked, then all is denied, then all answers are sent, then they are read back."""
    dialogue = fresh()
    calls = [
        event.call
        for number in range(many)
        for event in dialogue.receive(Stream.STDOUT, asks(number))
        if isinstance(event, ApprovalAsked)
    ]
    assert len(calls) == many
    for call in calls:
        dialogue.send(Decide(call, Decision.DENIED))
    lines: list[bytes] = []
    while taken := dialogue.outgoing():
        lines += taken
    assert len(lines) >= many
    for line in lines:
        dialogue.receive(Stream.STDIN, line)


def _answered_before(many: int) -> None:
    """A replay of answers that were all sent late, each of which is queued anew."""
    dialogue = _acp(auto_approve=True)
    for number in range(many):
        dialogue.receive(Stream.STDOUT, _permission(number))
    for number in range(many):
        outcome = {"outcome": "selected", "optionId": "a"}
        answer = _line(id=1000 + number, result={"outcome": outcome})
        dialogue.receive(Stream.STDIN, answer)
    methods = [json.loads(line).get("method") for line in dialogue.outgoing()]
    assert methods == ["initialize"]


FLOODS: dict[str, Callable[[int], None]] = {
    "acp, decided": lambda many: _all_decided(_acp, _permission, many),
    "claude, decided": lambda many: _all_decided(_claude, _claude_asks, many),
    "codex, decided": lambda many: _all_decided(opened, _codex_asks, many),
    "codex, elicited": lambda many: _all_decided(opened, _elicited, many),
    "acp, answered before": _answered_before,
}


def _seconds(flood: Callable[[int], None], many: int) -> float:
    """Of this processor, so that others at work do not count."""
    began = time.process_time()
    flood(many)
    return time.process_time() - began


@pytest.mark.parametrize("name", list(FLOODS))
def test_many_cost_their_share_of_what_few_cost(name: str) -> None:
    few = max(LEAST_S, min(_seconds(FLOODS[name], FEW) for _ in range(2)))
    tries = (_seconds(FLOODS[name], FEW * TIMES) for _ in range(TRIES))
    assert any(many < SHARE * TIMES * few for many in tries)


def test_a_text_that_is_cut_costs_nothing_more() -> None:
    dialogue = _acp()
    dialogue.receive(Stream.STDOUT, _chunk("x" * 2 * TEXT_MOST, "m"))
    contents = [
        event.entry.content
        for _ in range(50)
        for event in dialogue.receive(Stream.STDOUT, _chunk("more", "m"))
        if isinstance(event, EntryPut)
    ]
    assert len({id(content) for content in contents}) == 1, "it was put together again"
    assert contents[0].endswith("only in the raw log.")


@pytest.mark.parametrize(
    ("fresh", "tool"), [(_acp, _tool), (opened, _codex_asks)], ids=["acp", "codex"]
)
def test_a_turn_ends_few_tools_however_many_have_begun(
    fresh: Callable[[], Dialogue], tool: Callable[[int], bytes]
) -> None:
    dialogue = fresh()
    at_work: set[str] = set()

    def look(events: Any) -> None:
        for event in events:
            if isinstance(event, EntryPut) and isinstance(use := event.entry.entry_type, ToolUse):
                (at_work.add if isinstance(use.status, Created) else at_work.discard)(event.key)

    for number in range(4 * AT_WORK_MOST):
        look(dialogue.receive(Stream.STDOUT, tool(number)))
    assert len(at_work) == AT_WORK_MOST
    ended = dialogue.finish()
    look(ended)
    assert not at_work
    assert len(ended) <= AT_WORK_MOST + 10
