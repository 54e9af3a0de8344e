"""When an attempt may do what: one writer in its worktree, everyone else waits or is refused.

Theory of operation. An attempt is *busy* while a job runs (a worktree is made, a merge is done) or
while its writer lives: the one process, agent or script, that may write in the worktree. A process
that is over is *concluded* (its work committed, its row written, the next link of its chain
started) before the attempt is free again; the next link takes the writer's place without a gap.
A patient job is not refused: it runs when the attempt is free. Dev servers live beside all this; to
start one is a job that the writer does not hold up. "Stop" is never refused: it is answered when
everything is over, and while it waits no chain goes on. What is no process (a job, the end of one)
has to hurry then: a hook of git may hang.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from anyond.machines.core import Answer, Refuse, Request
from anyond.model.refusals.runs import Busy

R = TypeVar("R")

# ---------------------------------------------------------------- requests and events


@dataclass(frozen=True, eq=False)
class Do(Request[R]):
    """Run `work` as the only one in the worktree; refused with `Busy` otherwise.

    Args:
        beside: it starts what lives beside the writer, so that the writer is not in the way.
        patient: it waits until nobody is at work, instead of being refused.
    """

    work: Callable[[], Awaitable[R]]
    beside: bool = False
    patient: bool = False


@dataclass(frozen=True, eq=False)
class Halt(Request[None]):
    """Stop everything that runs; answered when it is over."""


@dataclass(frozen=True, eq=False)
class HaltProcess(Request[None]):
    """Stop one process; answered when it is over, at once if it is already."""

    process_id: str


@dataclass(frozen=True)
class JobDone:
    """The work of `request` ended with `value`, or with `error`."""

    request: Do[Any]
    value: Any = None
    error: Exception | None = None


@dataclass(frozen=True)
class Began:
    """A process lives (just started, or found alive after a restart of the daemon)."""

    process_id: str
    beside: bool = False
    """Whether it lives beside the writer, as dev servers do."""


@dataclass(frozen=True)
class Over:
    """A process has ended; all its output is in the spool."""

    process_id: str


@dataclass(frozen=True)
class Concluded:
    """What had to follow the end of a process is done (`Began` of the next link came before)."""

    process_id: str


Event = Do[Any] | Halt | HaltProcess | JobDone | Began | Over | Concluded

# ---------------------------------------------------------------- commands


@dataclass(frozen=True)
class RunJob:
    request: Do[Any]


@dataclass(frozen=True)
class StopProcess:
    process_id: str


@dataclass(frozen=True)
class Conclude:
    process_id: str


@dataclass(frozen=True)
class Hurry:
    """Whatever is done beside the processes must come to its end soon."""


Command = RunJob | StopProcess | Conclude | Hurry | Answer | Refuse


class AttemptMachine:
    """Knows who is at work in one attempt."""

    def __init__(self) -> None:
        self._writer: str | None = None
        self._beside: set[str] = set()
        self._concluding: set[str] = set()
        self._job: Do[Any] | None = None
        self._patient: deque[Do[Any]] = deque()
        self._halts: list[Halt] = []
        self._process_halts: list[HaltProcess] = []

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nobody waits."""
        return not (self._writer or self._beside or self._job or self._halts or self._patient)

    @property
    def busy(self) -> bool:
        """Whether somebody is at work in the worktree."""
        return bool(self._writer or self._job)

    @property
    def halting(self) -> bool:
        """Whether somebody wants everything stopped: no chain goes on."""
        return bool(self._halts)

    def unwanted(self, process_id: str) -> bool:
        """Whether somebody waits for the end of this process."""
        return self.halting or any(h.process_id == process_id for h in self._process_halts)

    def handle(self, event: Event) -> list[Command]:
        match event:
            case Do():
                if self._job or (self._writer and not event.beside):
                    if event.patient:
                        self._patient.append(event)
                        return []
                    return [Refuse(event, Busy(self._why_busy()))]
                self._job = event
                return [RunJob(event)]
            case JobDone(request, value, error):
                self._job = None
                done: Command = Answer(request, value) if error is None else Refuse(request, error)
                return [done, *self._answer_process_halts(), *self._free(), *self._next()]
            case Began(process_id, beside):
                if beside:
                    self._beside.add(process_id)
                else:
                    self._writer = process_id
                return [StopProcess(process_id)] if self.unwanted(process_id) else []
            case Over(process_id):
                self._concluding.add(process_id)
                return [Conclude(process_id)]
            case Concluded(process_id):
                self._concluding.discard(process_id)
                self._beside.discard(process_id)
                if self._writer == process_id:
                    self._writer = None
                return [*self._answer_process_halts(), *self._free(), *self._next()]
            case Halt():
                self._halts.append(event)
                stops: list[Command] = [StopProcess(p) for p in self._processes()]
                return [*stops, *self._hurry(), *self._free()]
            case HaltProcess(process_id):
                self._process_halts.append(event)
                if process_id in self._processes():
                    late = self._hurry() if process_id in self._concluding else []
                    return [StopProcess(process_id), *late]
                return [*self._hurry(), *self._answer_process_halts()]

    def _hurry(self) -> list[Command]:
        return [Hurry()] if self._job or self._concluding else []

    def _processes(self) -> list[str]:
        return [*([self._writer] if self._writer else []), *sorted(self._beside)]

    def _answer_process_halts(self) -> list[Command]:
        if self._job or self._concluding:  # they may be about to start that very process
            return []
        over = [h for h in self._process_halts if h.process_id not in self._processes()]
        self._process_halts = [h for h in self._process_halts if h not in over]
        return [Answer(halt) for halt in over]

    def _free(self) -> list[Command]:
        if self._writer or self._job or self._beside:
            return []
        answers: list[Command] = [Answer(halt) for halt in self._halts]
        self._halts = []
        return answers

    def _next(self) -> list[Command]:
        if self._writer or self._job or self._halts or not self._patient:
            return []
        self._job = self._patient.popleft()
        return [RunJob(self._job)]

    def _why_busy(self) -> str:
        if self._writer and not self._job:
            return "An agent or script is at work in this attempt; stop it or wait for its end."
        return "Another operation is at work in this attempt; try again when it is done."
