"""How one execution comes to its end: politely first, surely in the end.

Theory of operation. A program ends by itself, or its turn is over and it is let go, or somebody
wants it stopped. Letting go and stopping are ladders: each rung has a deadline, and when it passes
the next rung is tried. `Gone` (the spool has the exit) ends it all at any rung. All words go to the
shim, so the last rung is for one that does not listen.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import Enum, auto

from anyond.agents.core import Outcome
from anyond.model.records import Exit
from anyond.model.rows import ProcessStatus, RunReason

# ---------------------------------------------------------------- events


@dataclass(frozen=True)
class TurnOver:
    """The agent has finished what it was asked."""

    outcome: Outcome


@dataclass(frozen=True)
class StopAsked:
    """A person (or the daemon for them) wants it to end."""


@dataclass(frozen=True)
class DeadlinePassed:
    """The time of `rung` is up."""

    rung: Rung


Event = TurnOver | StopAsked | DeadlinePassed

# ---------------------------------------------------------------- commands


class Rung(Enum):
    """What is being tried, in this order."""

    INTERRUPT = auto()
    CLOSE_STDIN = auto()
    TERMINATE = auto()
    KILL = auto()
    END_SHIM = auto()
    """See whether its shim obeys at all, and if not, end it and all below it from outside."""


@dataclass(frozen=True)
class Climb:
    """Try `rung`, and report `DeadlinePassed(rung)` after `seconds` (never, if None)."""

    rung: Rung
    seconds: float | None


SECONDS: dict[Rung, float | None] = {
    Rung.INTERRUPT: 4.0,
    Rung.CLOSE_STDIN: 5.0,
    Rung.TERMINATE: 2.0,
    Rung.KILL: 5.0,
    Rung.END_SHIM: None,
}
"""Seconds that each rung gets. A kill that a shim obeyed without effect is tried again."""


class ProcessMachine:
    """Knows on which rung an execution is.

    Args:
        speaks: whether it has a dialogue, so that it can be interrupted and has a stdin to close.
    """

    def __init__(self, speaks: bool) -> None:
        self._speaks = speaks
        self._rung: Rung | None = None
        self.stopping = False

    def handle(self, event: Event) -> list[Climb]:
        match event:
            case StopAsked():
                if self.stopping:
                    return []
                self.stopping = True
                if self._rung is not None and self._rung is not Rung.INTERRUPT:
                    return []  # it is being let go already; that ladder ends in a kill as well
                return self._climb(Rung.INTERRUPT if self._speaks else Rung.TERMINATE)
            case TurnOver():
                if self._rung in (None, Rung.INTERRUPT):
                    return self._climb(Rung.CLOSE_STDIN)
                return []
            case DeadlinePassed(rung):
                if rung is not self._rung:
                    return []
                return self._climb(
                    {
                        Rung.INTERRUPT: Rung.CLOSE_STDIN,
                        Rung.CLOSE_STDIN: Rung.TERMINATE,
                        Rung.TERMINATE: Rung.KILL,
                        Rung.KILL: Rung.END_SHIM,
                        Rung.END_SHIM: Rung.KILL,
                    }[rung]
                )

    def _climb(self, rung: Rung) -> list[Climb]:
        self._rung = rung
        seconds = SECONDS[rung]
        if self.stopping and rung is Rung.CLOSE_STDIN:
            seconds = 1.5
        return [Climb(rung, seconds)]


@dataclass(frozen=True)
class Ending:
    """What is written down when an execution is over."""

    status: ProcessStatus
    exit_code: int | None
    complaint: str | None = None


def judge(
    reason: RunReason,
    exit: Exit,
    *,
    outcome: Outcome | None,
    stopped: bool,
) -> Ending:
    """Decide from all the evidence how an execution went.

    Args:
        outcome: how the agent's turn ended, if it did.
        stopped: whether somebody asked for it to be stopped.

    Returns:
        The status; the true exit code (128 + n for signal n, as shells do; 0 for an agent that
        finished its turn and then had to be sent away by a signal); and one sentence for the log
        if something went wrong that the log does not show by itself.
    """
    code = exit.code if exit.signal is None else 128 + exit.signal
    if exit.error is not None:
        return Ending(ProcessStatus.KILLED if stopped else ProcessStatus.FAILED, code, exit.error)
    if stopped:
        return Ending(ProcessStatus.KILLED, code)
    how = (
        f"was ended by {_signal_name(exit.signal)}"
        if exit.signal is not None
        else f"exited with code {code}"
    )
    if reason is not RunReason.CODING_AGENT:
        if code == 0:
            return Ending(ProcessStatus.COMPLETED, 0)
        return Ending(ProcessStatus.FAILED, code, f"The script {how}.")
    match outcome:
        case Outcome.COMPLETED:
            return Ending(ProcessStatus.COMPLETED, code if exit.signal is None else 0)
        case Outcome.FAILED:
            return Ending(ProcessStatus.FAILED, code)
        case Outcome.INTERRUPTED:
            return Ending(ProcessStatus.FAILED, code, "The agent broke off its work.")
        case None:
            return Ending(
                ProcessStatus.FAILED, code, f"The agent {how} before it had finished its turn."
            )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
