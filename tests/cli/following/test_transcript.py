"""A conversation as it is printed: on a pipe in whole lines, on a terminal as it grows."""

from __future__ import annotations

import io
from typing import Any

from msgspec import UNSET

from anyond.cli.following.screen import Screen
from anyond.cli.following.transcript import Transcript
from anyond.cli.rendering.colors import PLAIN
from anyond.model.entries import (
    AssistantMessage,
    CommandRun,
    CommandRunResult,
    Created,
    Denied,
    EntryType,
    ExitCode,
    Failed,
    FileChangeEdit,
    FileEdit,
    PendingApproval,
    Succeeded,
    Thinking,
    TodoItem,
    TodoManagement,
    TokenUsage,
    ToolUse,
    UserMessage,
)
from anyond.model.http.frames import IndexedEntry


class Printed:
    """A transcript and what it has printed."""

    def __init__(self, *, live: bool = False, verbose: bool = False) -> None:
        self.out = io.StringIO()
        self.screen = Screen(self.out, PLAIN, live=live)
        self.transcript = Transcript(self.screen, verbose=verbose)
        self._seq = 0

    def put(self, index: int, kind: EntryType, content: str = "", parent: Any = UNSET) -> str:
        self._seq += 1
        before = len(self.out.getvalue())
        self.transcript.put(
            IndexedEntry(
                index=index, seq=self._seq, entry_type=kind, content=content, parent=parent
            )
        )
        return self.out.getvalue()[before:]


def command(text: str, status: Any, code: int | None = None, output: str = "") -> ToolUse:
    exit_status = None if code is None else ExitCode(code=code)
    result = CommandRunResult(exit_status=exit_status, output=output)
    return ToolUse(
        tool_name="Bash", action_type=CommandRun(command=text, result=result), status=status
    )


def test_a_pipe_gets_whole_lines() -> None:
    printed = Printed()
    assert printed.put(0, UserMessage(), "Brew") == "› Brew\n"
    assert printed.put(1, AssistantMessage(), "I w") == ""
    assert printed.put(1, AssistantMessage(), "I will\nbr") == "I will\n"
    assert printed.put(1, AssistantMessage(), "I will\nbrew \x1b[2J") == ""
    assert printed.put(2, command("make", Succeeded())) == "brew ␛[2J\n✓ $ make\n"
    assert printed.put(0, UserMessage(), "Brew") == "", "what was printed stays"


def test_a_terminal_gets_each_piece() -> None:
    printed = Printed(live=True)
    assert printed.put(0, AssistantMessage(), "I w") == "I w"
    assert printed.put(0, AssistantMessage(), "I will") == "ill"
    assert printed.put(1, AssistantMessage(), "x") == "\nx"
    printed.screen.foot("working")
    assert "working" not in printed.out.getvalue(), "a text that grows has no foot"
    printed.transcript.flush()
    printed.screen.foot("working")
    assert printed.out.getvalue().endswith("x\nworking")
    assert printed.put(2, UserMessage(), "more") == "\r\x1b[2K› more\n"


def test_tools_are_a_line_each_when_they_are_over() -> None:
    printed = Printed()
    assert printed.put(0, command("make", Created())) == ""
    assert printed.transcript.running == "$ make"
    failed = command("make", Failed(), 2, "\n".join(f"line {n}" for n in range(20)))
    lines = printed.put(0, failed).splitlines()
    assert lines[:2] == ["✕ $ make → 2", "    … 8 lines before"]
    assert lines[-1] == "    line 19"
    edit = FileEdit(
        path="tea.py", changes=[FileChangeEdit(unified_diff="--- a\n+++ b\n-x\n+y\n+z")]
    )
    done = ToolUse(tool_name="Edit", action_type=edit, status=Succeeded())
    assert printed.put(1, done, parent="call") == "  │ ✓ edit tea.py (+2 −1)\n"
    assert printed.put(2, command("rm", Denied(reason="no"))) == "✕ $ rm\n"


def test_thoughts_are_folded_and_plans_are_counted() -> None:
    printed = Printed()
    assert printed.put(0, Thinking(), "First\nthen") == ""
    todos = TodoManagement(
        todos=[
            TodoItem(content="Look", status="completed"),
            TodoItem(content="Write", status="in_progress"),
        ]
    )
    plan = ToolUse(tool_name="plan", action_type=todos)
    assert printed.put(1, plan) == "~ First …\n☰ plan 1 of 2: Write\n"
    assert printed.put(1, plan) == ""
    verbose = Printed(verbose=True)
    verbose.put(0, Thinking(), "First\nthen")
    verbose.transcript.flush()
    assert verbose.out.getvalue() == "~ First\nthen\n"
    printed.put(2, TokenUsage(cost_usd=0.25))
    assert printed.transcript.usage == TokenUsage(cost_usd=0.25)


def test_what_waits_for_an_answer_is_known_until_it_is_answered() -> None:
    printed = Printed()
    waits = PendingApproval(approval_id="q", requested_at="", timeout_at="")
    printed.put(0, command("rm", waits))
    assert [one.approval_id for one in printed.transcript.waiting.values()] == ["q"]
    printed.put(0, command("rm", Created()))
    assert printed.transcript.waiting == {}
