"""What an entry shows, by the type that the test expects of it."""

from __future__ import annotations

from typing import Any, TypeVar

from anyond.model.entries import (
    CommandRun,
    CommandRunResult,
    NormalizedEntry,
    Tool,
    ToolUse,
)

T = TypeVar("T")


def expect(kind: type[T], value: object) -> T:
    """`value`, which must be of that type."""
    assert isinstance(value, kind), value
    return value


def tool_of(entry: NormalizedEntry) -> ToolUse:
    """The use of a tool that an entry shows."""
    return expect(ToolUse, entry.entry_type)


def command_result(use: ToolUse) -> CommandRunResult:
    """What came of a command that was run to its end."""
    return expect(CommandRunResult, expect(CommandRun, use.action_type).result)


def tool_value(use: ToolUse) -> Any:
    """What a tool has answered."""
    result = expect(Tool, use.action_type).result
    assert result is not None
    return result.value
