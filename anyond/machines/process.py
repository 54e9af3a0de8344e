"""The end of one execution: politely first, surely in the end.

Theory of operation. A program ends by itself, or its turn is over and it is let go, or somebody
wants it stopped. Letting go and stopping are the same steps: each has a deadline, and when it
passes the next step is taken. `Exited` (the spool has the exit) ends it all at any step. All words
go to the shim, so the last step is for one that does not listen. What a person decides or says
reaches the agent on the same way, as long as there is one that can hear it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

from msgspec import Struct

from anyond.agents.common.core import Outcome
from anyond.machines.table import Row, Table, TableMachine, condition, gives
from anyond.model.records import Exit
from anyond.model.rows import Approval

# ---------------------------------------------------------------- events


class StopStep(Enum):
    """The step of a stop that is being tried, in this order."""

    INTERRUPT = auto()
    CLOSE_STDIN = auto()
    TERMINATE = auto()
    KILL = auto()
    END_SHIM = auto()
    """See whether its shim obeys at all, and if not, end it and all below it from outside."""


class TurnOver(Struct, frozen=True):
    """The agent has finished what it was asked."""

    outcome: Outcome


class StopAsked(Struct, frozen=True):
    """A person (or the daemon for them) wants it to end."""


class DeadlinePassed(Struct, frozen=True):
    """The time of `step` is up."""

    step: StopStep


class ApprovalDecided(Struct, frozen=True):
    """An approval request has its decision, and the row says so."""

    approval: Approval


class MessageWritten(Struct, frozen=True):
    """Something is to be said to the agent, and the row of its run says so."""


class Exited(Struct, frozen=True):
    """It is over: the spool has all its output and how it ended."""

    exit: Exit


Event = TurnOver | StopAsked | DeadlinePassed | ApprovalDecided | MessageWritten | Exited

# ---------------------------------------------------------------- commands


class TakeStep(Struct, frozen=True):
    """Try `step`, and report `DeadlinePassed(step)` after `seconds` (never, if None)."""

    step: StopStep
    seconds: float | None


class SendDecision(Struct, frozen=True):
    """Tell the agent what was decided, unless it knows."""

    approval: Approval


class SendMessages(Struct, frozen=True):
    """Say to the agent what it has not heard yet."""


class ReportExit(Struct, frozen=True):
    """Hand on how it ended, to whoever concludes it."""

    exit: Exit


Command = TakeStep | SendDecision | SendMessages | ReportExit

SECONDS: dict[StopStep, float | None] = {
    StopStep.INTERRUPT: 4.0,
    StopStep.CLOSE_STDIN: 5.0,
    StopStep.TERMINATE: 2.0,
    StopStep.KILL: 5.0,
    StopStep.END_SHIM: None,
}
"""Seconds that each step gets. A kill that a shim obeyed without effect is tried again."""

HASTY_CLOSE_S = 1.5
"""Seconds that the end of its stdin gets when somebody waits for the end of the program."""

# ---------------------------------------------------------------- the table


class State(Enum):
    """The progress of the end of an execution."""

    RUNNING = auto()
    """Nothing yet."""
    INTERRUPTING = auto()
    CLOSING_STDIN = auto()
    TERMINATING = auto()
    KILLING = auto()
    ENDING_SHIM = auto()
    GONE = auto()


class _Data(Struct):
    has_dialogue: bool
    stopping: bool = False
    step: StopStep | None = None


@condition
def it_has_a_dialogue(data: _Data, event: StopAsked) -> bool:
    return data.has_dialogue


@condition
def of_this_step(data: _Data, event: DeadlinePassed) -> bool:
    return event.step is data.step


def _take(step: StopStep) -> Sequence[TakeStep]:
    return [TakeStep(step, SECONDS[step])]


@gives(TakeStep)
def interrupt(data: _Data, event: Event) -> Sequence[TakeStep]:
    data.step = StopStep.INTERRUPT
    return _take(data.step)


@gives(TakeStep)
def close_stdin(data: _Data, event: Event) -> Sequence[TakeStep]:
    data.step = StopStep.CLOSE_STDIN
    return [TakeStep(data.step, HASTY_CLOSE_S)] if data.stopping else _take(data.step)


@gives(TakeStep)
def terminate(data: _Data, event: Event) -> Sequence[TakeStep]:
    data.step = StopStep.TERMINATE
    return _take(data.step)


@gives(TakeStep)
def kill(data: _Data, event: Event) -> Sequence[TakeStep]:
    data.step = StopStep.KILL
    return _take(data.step)


@gives(TakeStep)
def end_shim(data: _Data, event: Event) -> Sequence[TakeStep]:
    data.step = StopStep.END_SHIM
    return _take(data.step)


@gives(SendDecision)
def send_decision(data: _Data, event: ApprovalDecided) -> Sequence[SendDecision]:
    return [SendDecision(event.approval)]


@gives(SendMessages)
def send_messages(data: _Data, event: MessageWritten) -> Sequence[SendMessages]:
    return [SendMessages()]


@gives(ReportExit)
def report_exit(data: _Data, event: Exited) -> Sequence[ReportExit]:
    return [ReportExit(event.exit)]


_LIVES = tuple(state for state in State if state is not State.GONE)
_IN_TURN = (State.RUNNING, State.INTERRUPTING)
_ENDING = (State.CLOSING_STDIN, State.TERMINATING, State.KILLING, State.ENDING_SHIM)

TABLE = Table(
    "process",
    State.RUNNING,
    [
        Row((State.RUNNING,), StopAsked, State.INTERRUPTING, it_has_a_dialogue, (interrupt,)),
        Row((State.RUNNING,), StopAsked, State.TERMINATING, then=(terminate,)),
        # It is being let go already; these steps end in a kill as well.
        Row((State.INTERRUPTING, *_ENDING), StopAsked),
        Row(_IN_TURN, TurnOver, State.CLOSING_STDIN, None, (close_stdin,)),
        Row(_ENDING, TurnOver),
        Row((State.INTERRUPTING,), DeadlinePassed, State.CLOSING_STDIN, None, (close_stdin,)),
        Row((State.CLOSING_STDIN,), DeadlinePassed, State.TERMINATING, of_this_step, (terminate,)),
        Row((State.TERMINATING,), DeadlinePassed, State.KILLING, of_this_step, (kill,)),
        Row((State.KILLING,), DeadlinePassed, State.ENDING_SHIM, of_this_step, (end_shim,)),
        Row((State.ENDING_SHIM,), DeadlinePassed, State.KILLING, of_this_step, (kill,)),
        # Of an earlier step, after which something else has gone on to the next.
        Row(_ENDING, DeadlinePassed),
        Row(_LIVES, ApprovalDecided, then=(send_decision,)),
        Row((State.RUNNING,), MessageWritten, then=(send_messages,)),
        # It is said with the next run instead.
        Row((State.INTERRUPTING, *_ENDING), MessageWritten),
        Row(_LIVES, Exited, State.GONE, None, (report_exit,)),
        # What was on its way when it ended.
        *(Row((State.GONE,), late) for late in (StopAsked, TurnOver, DeadlinePassed)),
        *(Row((State.GONE,), late) for late in (ApprovalDecided, MessageWritten)),
    ],
)


class ProcessMachine(TableMachine[State, _Data, Event, Command]):
    """Knows which step is being taken to end an execution.

    Args:
        has_dialogue: whether it has one, so that it can be interrupted and has a stdin to close.
    """

    def __init__(self, has_dialogue: bool) -> None:
        super().__init__(TABLE, _Data(has_dialogue))

    @property
    def stopping(self) -> bool:
        """True if somebody has asked for its end."""
        return self._data.stopping

    @property
    def gone(self) -> bool:
        """True if it is over."""
        return self.state is State.GONE

    def record(self, event: Event) -> None:
        if isinstance(event, StopAsked):
            self._data.stopping = True
