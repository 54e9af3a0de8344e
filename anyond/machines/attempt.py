"""The machine of an attempt: one writer in its worktree, everyone else waits or is refused.

Theory of operation. An attempt is *busy* while a job runs (a worktree is made, a merge is done) or
while its writer lives: the one process, agent or script, that may write in the worktree. A process
that is over is *concluded* (its work committed, its row written, the next link of its chain
started) before the attempt is free again; the next link takes the writer's place without a gap.
A patient job is not refused: it runs when the attempt is free. Dev servers live beside all this; to
start one is a job that the writer does not hold up. "Stop" is never refused: it is answered when
everything is over, and while it waits no chain goes on. What is no process (a job, a start, the end
of one) has to hasten then: a hook of git may hang.
"""

from __future__ import annotations

from anyond.machines.attempt_events import (
    Began,
    Command,
    Concluded,
    Event,
    Halt,
    HaltProcess,
    JobDone,
    Over,
    RowFound,
)
from anyond.machines.attempt_table import TABLE, Occupants, State
from anyond.machines.table import TableMachine


class AttemptMachine(TableMachine[State, Occupants, Event, Command]):
    """Knows who is at work in one attempt."""

    def __init__(self) -> None:
        super().__init__(TABLE, Occupants())

    @property
    def idle(self) -> bool:
        """True if nothing runs and nobody waits."""
        data = self._data
        at_work = self.busy or data.alongside or data.seeking or data.concluding
        return not (at_work or data.halts or data.patient)

    @property
    def busy(self) -> bool:
        """True if somebody is at work in the worktree."""
        return self.state is not State.FREE

    @property
    def halting(self) -> bool:
        """True if somebody wants everything stopped: no chain goes on."""
        return bool(self._data.halts)

    def is_halted(self, process_id: str) -> bool:
        """Return whether somebody waits for the end of this process."""
        return self._data.is_halted(process_id)

    def record(self, event: Event) -> None:
        data = self._data
        match event:
            case RowFound(process_id, alongside) | Began(process_id, alongside):
                if alongside:
                    data.alongside.add(process_id)
                else:
                    data.writer = process_id
                if isinstance(event, RowFound):
                    data.seeking.add(process_id)
                else:
                    data.seeking.discard(process_id)
            case Over(process_id):
                data.seeking.discard(process_id)
                data.concluding.add(process_id)
            case Concluded(process_id):
                for group in (data.seeking, data.concluding, data.alongside):
                    group.discard(process_id)
                if data.writer == process_id:
                    data.writer = None
            case JobDone():
                data.job = None
            case Halt():
                data.halts.append(event)
            case HaltProcess():
                data.process_halts.append(event)
