"""The run of a script as a conversation: one command, its exit code, its last output."""

from __future__ import annotations

import msgspec

from anyond.logs.unfollowed import BEYOND
from anyond.model.entries import (
    CommandRun,
    CommandRunResult,
    Created,
    ExitCode,
    Failed,
    NormalizedEntry,
    Succeeded,
    ToolUse,
)
from anyond.model.http.frames import EntryFrame
from anyond.model.ids import timestamp_ns
from anyond.model.rows import ScriptContext

TAIL_MOST = 16_384
NAMES = {
    ScriptContext.SETUP: "Setup script",
    ScriptContext.CLEANUP: "Cleanup script",
    ScriptContext.DEV_SERVER: "Dev server",
}


def running(script: str, context: ScriptContext, started_at: int) -> EntryFrame:
    """The entry of a script at work. `started_at` is in Unix nanoseconds."""
    return _frame(1, script, context, started_at, exit_code=None, output=None)


def unfollowed(script: str, context: ScriptContext, started_at: int, why: str) -> EntryFrame:
    """The entry of a script at work that nobody can follow; `why` is for the person."""
    state = Created()
    return _frame(BEYOND, script, context, started_at, exit_code=None, output=why, state=state)


def finished(
    script: str, context: ScriptContext, started_at: int, exit_code: int | None, tail: bytes
) -> EntryFrame:
    """The entry of a script that is over; `tail` is the end of its output."""
    cut = tail[-TAIL_MOST:]
    text = cut.decode(errors="replace")
    if len(tail) > TAIL_MOST:
        text = "[…]\n" + text.partition("\n")[2]
    return _frame(2, script, context, started_at, exit_code=exit_code, output=text)


def _frame(
    seq: int,
    script: str,
    context: ScriptContext,
    started_at: int,
    *,
    exit_code: int | None,
    output: str | None,
    state: Created | None = None,
) -> EntryFrame:
    result = None
    if output is not None:
        status = None if exit_code is None else ExitCode(code=exit_code)
        result = CommandRunResult(exit_status=status, output=output)
    ended = Succeeded() if exit_code == 0 else Failed()
    entry = NormalizedEntry(
        entry_type=ToolUse(
            tool_name=NAMES[context],
            action_type=CommandRun(command=script, result=result),
            status=state or (Created() if output is None else ended),
        ),
        content=script,
        timestamp=timestamp_ns(started_at),
    )
    return EntryFrame(seq, 0, msgspec.json.encode(entry))
