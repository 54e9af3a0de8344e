"""The events of an attempt, and the commands of its machine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from msgspec import Struct

from anyond.machines.core import Answer, Refuse, Request
from anyond.model.rows import Approval, ExecutionProcess

R = TypeVar("R")

# ---------------------------------------------------------------- requests and events


class RunExclusive(Request[R], frozen=True, eq=False):
    """Run `work` as the only one in the worktree; refused with `Busy` otherwise.

    Args:
        alongside_agent: it starts what lives beside the writer, so that the writer is not in the
            way.
        patient: it waits until nobody is at work, instead of being refused.
    """

    work: Callable[[], Awaitable[R]]
    alongside_agent: bool = False
    patient: bool = False


class Halt(Request[None], frozen=True, eq=False):
    """Stop everything that runs; answered when it is over."""


class HaltProcess(Request[None], frozen=True, eq=False):
    """Stop one process; answered when it is over, at once if it is already."""

    process_id: str


class AwaitStart(Request[ExecutionProcess | None], frozen=True, eq=False):
    """Wait until a process lives; answered with its row, or None if it has begun before.

    Refused with the reason if it does not start.
    """

    process_id: str


class JobDone(Struct, frozen=True):
    """The work of `request` ended with `value`, or with `error`."""

    request: RunExclusive[Any]
    value: Any = None
    error: Exception | None = None


class RowFound(Struct, frozen=True):
    """A row says that a process runs, and it is being found out what has become of it.

    It may not have been started yet: its row was just written, or a daemon was killed before.
    """

    process_id: str
    alongside: bool = False
    """Whether it lives beside the writer, as dev servers do."""


class Began(Struct, frozen=True):
    """A process lives: it was just started, or found alive."""

    process_id: str
    alongside: bool = False
    """Whether it lives beside the writer, as dev servers do."""
    row: ExecutionProcess | None = None
    """As it is now; for whoever waits for the start."""


class StartFailed(Struct, frozen=True):
    """A process did not start; what follows from that is under way, and ends with `Concluded`."""

    process_id: str
    error: Exception


class Over(Struct, frozen=True):
    """A process has ended; all its output is in the spool."""

    process_id: str


class Concluded(Struct, frozen=True):
    """The work after the end of a process is done (`RowFound` of the next link came before)."""

    process_id: str


class Decided(Struct, frozen=True):
    """An approval request of a process has its decision, and the row says so."""

    approval: Approval


class Steered(Struct, frozen=True):
    """Something was written down that is to be said to the agent of a process."""

    process_id: str


Event = (
    RunExclusive[Any]
    | Halt
    | HaltProcess
    | AwaitStart
    | JobDone
    | RowFound
    | Began
    | StartFailed
    | Over
    | Concluded
    | Decided
    | Steered
)

# ---------------------------------------------------------------- commands


class RunJob(Struct, frozen=True):
    """Do the work of `request`, and report `JobDone`."""

    request: RunExclusive[Any]


class StopProcess(Struct, frozen=True):
    """Write down that it is to stop, and have it stopped."""

    process_id: str


class Conclude(Struct, frozen=True):
    """Do all that follows the end of a process, and report `Concluded`."""

    process_id: str


class HastenStop(Struct, frozen=True):
    """Whatever is done beside the processes must come to its end soon."""


class PassDecision(Struct, frozen=True):
    """Tell the process that asked, if it is followed; if it is not yet, it looks at the row."""

    approval: Approval


class PassMessage(Struct, frozen=True):
    """Tell a process that there is something to be said, if it is followed."""

    process_id: str


Command = (
    RunJob | StopProcess | Conclude | HastenStop | PassDecision | PassMessage | Answer | Refuse
)
