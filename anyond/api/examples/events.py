"""Examples of the chapter Events."""

from __future__ import annotations

from anyond.api import events
from anyond.api.examples import things
from anyond.api.examples.example import Example, Examples
from anyond.model.http import frames

EXAMPLES: Examples = {
    events.STREAM_EVENTS: Example(
        frames=(
            frames.EventsBegin(seq=40),
            frames.TaskCreated(data=things.TASK, seq=41),
            frames.TaskUpdated(data=things.TASK, seq=42),
            frames.TaskDeleted(data=things.TASK, seq=43),
            frames.AttemptCreated(data=things.ATTEMPT, seq=44),
            frames.AttemptUpdated(data=things.ATTEMPT, seq=45),
            frames.ProcessStarted(data=things.PROCESS, seq=46),
            frames.ProcessCompleted(data=things.PROCESS, seq=47),
            frames.PrStatusChanged(data=things.PR_MERGE, seq=48),
            frames.ApprovalRequested(data=things.APPROVAL, seq=49),
            frames.ApprovalResolved(data=things.APPROVAL, seq=50),
        )
    ),
}
