"""What vibe-kanban kept of a run reads as a conversation, within bounds."""

from __future__ import annotations

from anyond.importing import vibe_logs
from anyond.importing.vibe_records import OldProcess
from anyond.model.configuration.settings import Executor, ExecutorProfileId
from anyond.model.records import Stream
from anyond.model.rows import (
    CodingAgentInitialRequest,
    ExecutorAction,
    ProcessStatus,
    RunReason,
)


def test_a_conversation_without_end_is_shown_as_far_as_it_fits_into_memory() -> None:
    profile = ExecutorProfileId(executor=Executor.CLAUDE_CODE)
    process = OldProcess(
        key=b"",
        id="00000000-0000-4000-8000-000000000000",
        run_reason=RunReason.CODING_AGENT,
        action=ExecutorAction(
            typ=CodingAgentInitialRequest(prompt="Go", executor_profile_id=profile)
        ),
        status=ProcessStatus.COMPLETED,
        has_ended=True,
        exit_code=0,
        dropped=False,
        before_head_commit=None,
        after_head_commit=None,
        started_at="2025-10-21T08:00:00.000Z",
        ended_at="2025-10-21T09:00:00.000Z",
        session_id="s",
        prompt="Go",
        summary="All is well.",
    )
    telling = vibe_logs.Transcript(process, "/")
    line = (
        '{{"type":"assistant","message":{{"id":"m{}","role":"assistant",'
        '"content":[{{"type":"text","text":"word"}}]}}}}\n'
    )
    for first in range(0, 60_000, 100):
        lines = (line.format(n) for n in range(first, first + 100))
        telling.feed(Stream.STDOUT, "".join(lines).encode())
    frames = telling.frames()
    assert 50_000 < len(frames) < 50_200
    assert b"is in the raw log" in frames[-2].entry
    assert b"All is well." in frames[-1].entry
