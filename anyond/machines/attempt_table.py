"""The state table of an attempt; see `anyond.machines.attempt` for its theory of operation."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from enum import Enum, auto
from typing import Any

from msgspec import Struct, field

from anyond.machines.attempt_events import (
    AwaitStart,
    Began,
    Command,
    Conclude,
    Concluded,
    Decided,
    Event,
    Halt,
    HaltProcess,
    HastenStop,
    JobDone,
    Over,
    PassDecision,
    PassMessage,
    RowFound,
    RunExclusive,
    RunJob,
    StartFailed,
    Steered,
    StopProcess,
)
from anyond.machines.core import Answer, Refuse
from anyond.machines.table import Row, Table, condition, gives
from anyond.model.refusals.runs import Busy


class State(Enum):
    """The kind of work that goes on in the worktree."""

    FREE = auto()
    """Nobody; dev servers may live."""
    JOB = auto()
    WRITER = auto()
    WRITER_AND_JOB = auto()
    """The job starts the writer, or what lives beside it."""


class Occupants(Struct):
    """The facts that the states do not count: who exactly is at work, and who waits."""

    writer: str | None = None
    alongside: set[str] = field(default_factory=set)
    seeking: set[str] = field(default_factory=set)
    concluding: set[str] = field(default_factory=set)
    job: RunExclusive[Any] | None = None
    patient: deque[RunExclusive[Any]] = field(default_factory=deque)
    halts: list[Halt] = field(default_factory=list)
    process_halts: list[HaltProcess] = field(default_factory=list)
    starts: list[AwaitStart] = field(default_factory=list)

    @property
    def processes(self) -> list[str]:
        return [*([self.writer] if self.writer else []), *sorted(self.alongside)]

    def is_halted(self, process_id: str) -> bool:
        return bool(self.halts) or any(h.process_id == process_id for h in self.process_halts)


# ---------------------------------------------------------------- conditions


@condition
def it_starts_what_lives_alongside(data: Occupants, event: RunExclusive[Any]) -> bool:
    return event.alongside_agent


@condition
def it_is_patient(data: Occupants, event: RunExclusive[Any]) -> bool:
    return event.patient


@condition
def it_lives_alongside(data: Occupants, event: RowFound | Began) -> bool:
    return event.alongside


@condition
def a_patient_job_may_run(data: Occupants, event: Event) -> bool:
    """Nobody waits for a stop any more, once those are answered that can be."""
    return bool(data.patient) and not (data.halts and data.alongside)


@condition
def the_writer_lives(data: Occupants, event: Event) -> bool:
    return data.writer is not None


@condition
def it_lives(data: Occupants, event: HaltProcess) -> bool:
    return event.process_id in data.processes


@condition
def its_start_is_open(data: Occupants, event: AwaitStart) -> bool:
    return event.process_id in data.seeking


# ---------------------------------------------------------------- actions


@gives(RunJob)
def run_it(data: Occupants, event: RunExclusive[Any]) -> Sequence[RunJob]:
    data.job = event
    return [RunJob(event)]


@gives()
def keep_it_for_later(data: Occupants, event: RunExclusive[Any]) -> Sequence[Command]:
    data.patient.append(event)
    return []


@gives(RunJob)
def run_a_patient_job(data: Occupants, event: Event) -> Sequence[RunJob]:
    data.job = data.patient.popleft()
    return [RunJob(data.job)]


@gives(Refuse)
def refuse_while_a_writer_runs(data: Occupants, event: RunExclusive[Any]) -> Sequence[Refuse]:
    return [Refuse(event, Busy.agent())]


@gives(Refuse)
def refuse_while_a_job_runs(data: Occupants, event: RunExclusive[Any]) -> Sequence[Refuse]:
    return [Refuse(event, Busy.operation())]


@gives(Answer, Refuse)
def settle_the_job(data: Occupants, event: JobDone) -> Sequence[Answer | Refuse]:
    if event.error is not None:
        return [Refuse(event.request, event.error)]
    return [Answer(event.request, event.value)]


@gives(Answer)
def answer_stops(data: Occupants, event: Event) -> Sequence[Answer]:
    """Of the processes that are over; of everything, if nothing is left."""
    answers: list[Answer] = []
    if not (data.job or data.concluding):  # they may be about to start that very process
        over = [h for h in data.process_halts if h.process_id not in data.processes]
        data.process_halts = [h for h in data.process_halts if h not in over]
        answers += [Answer(halt) for halt in over]
    if not (data.job or data.processes):
        answers += [Answer(halt) for halt in data.halts]
        data.halts = []
    return answers


@gives(StopProcess)
def stop_if_halted(data: Occupants, event: RowFound | Began) -> Sequence[StopProcess]:
    return [StopProcess(event.process_id)] if data.is_halted(event.process_id) else []


@gives(StopProcess)
def stop_all(data: Occupants, event: Halt) -> Sequence[StopProcess]:
    return [StopProcess(process_id) for process_id in data.processes]


@gives(StopProcess)
def stop_it(data: Occupants, event: HaltProcess) -> Sequence[StopProcess]:
    return [StopProcess(event.process_id)]


@gives(HastenStop)
def hasten_all(data: Occupants, event: Halt) -> Sequence[HastenStop]:
    return [HastenStop()] if data.job or data.concluding or data.seeking else []


@gives(HastenStop)
def hasten_what_may_start_it(data: Occupants, event: HaltProcess) -> Sequence[HastenStop]:
    return [HastenStop()] if data.job or data.concluding else []


@gives(HastenStop)
def hasten_its_start_or_end(data: Occupants, event: HaltProcess) -> Sequence[HastenStop]:
    return [HastenStop()] if event.process_id in data.concluding | data.seeking else []


@gives(Conclude)
def conclude(data: Occupants, event: Over) -> Sequence[Conclude]:
    return [Conclude(event.process_id)]


@gives()
def wait_for_its_start(data: Occupants, event: AwaitStart) -> Sequence[Command]:
    data.starts.append(event)
    return []


@gives(Answer)
def answer(data: Occupants, event: AwaitStart) -> Sequence[Answer]:
    return [Answer(event)]


def _take_starts(data: Occupants, process_id: str) -> list[AwaitStart]:
    found = [start for start in data.starts if start.process_id == process_id]
    data.starts = [start for start in data.starts if start not in found]
    return found


@gives(Answer)
def answer_starts(data: Occupants, event: Began | Over | Concluded) -> Sequence[Answer]:
    row = event.row if isinstance(event, Began) else None
    return [Answer(start, row) for start in _take_starts(data, event.process_id)]


@gives(Refuse)
def refuse_starts(data: Occupants, event: StartFailed) -> Sequence[Refuse]:
    return [Refuse(start, event.error) for start in _take_starts(data, event.process_id)]


@gives(PassDecision)
def pass_decision(data: Occupants, event: Decided) -> Sequence[PassDecision]:
    return [PassDecision(event.approval)]


@gives(PassMessage)
def pass_message(data: Occupants, event: Steered) -> Sequence[PassMessage]:
    return [PassMessage(event.process_id)]


# ---------------------------------------------------------------- the table

_ALL = tuple(State)
_FREE, _JOB, _WRITER, _BOTH = (State.FREE,), (State.JOB,), (State.WRITER,), (State.WRITER_AND_JOB,)
_A_JOB_RUNS = (State.JOB, State.WRITER_AND_JOB)
_LEAVES = (answer_starts, answer_stops)

TABLE = Table(
    "attempt",
    State.FREE,
    [
        Row(_FREE, RunExclusive, State.JOB, None, (run_it,)),
        Row(
            _WRITER,
            RunExclusive,
            State.WRITER_AND_JOB,
            it_starts_what_lives_alongside,
            (run_it,),
        ),
        Row((State.WRITER, *_A_JOB_RUNS), RunExclusive, None, it_is_patient, (keep_it_for_later,)),
        Row(_WRITER, RunExclusive, None, None, (refuse_while_a_writer_runs,)),
        Row(_A_JOB_RUNS, RunExclusive, None, None, (refuse_while_a_job_runs,)),
        Row(
            _JOB,
            JobDone,
            State.JOB,
            a_patient_job_may_run,
            (settle_the_job, answer_stops, run_a_patient_job),
        ),
        Row(_JOB, JobDone, State.FREE, None, (settle_the_job, answer_stops)),
        Row(_BOTH, JobDone, State.WRITER, None, (settle_the_job, answer_stops)),
        Row(_ALL, RowFound, None, it_lives_alongside, (stop_if_halted,)),
        Row((State.FREE, State.WRITER), RowFound, State.WRITER, None, (stop_if_halted,)),
        Row(_A_JOB_RUNS, RowFound, State.WRITER_AND_JOB, None, (stop_if_halted,)),
        Row(_ALL, Began, None, it_lives_alongside, (answer_starts, stop_if_halted)),
        Row(
            (State.FREE, State.WRITER),
            Began,
            State.WRITER,
            None,
            (answer_starts, stop_if_halted),
        ),
        Row(_A_JOB_RUNS, Began, State.WRITER_AND_JOB, None, (answer_starts, stop_if_halted)),
        Row(_ALL, AwaitStart, None, its_start_is_open, (wait_for_its_start,)),
        Row(_ALL, AwaitStart, None, None, (answer,)),
        Row(_ALL, StartFailed, None, None, (refuse_starts,)),
        Row(_ALL, Over, None, None, (answer_starts, conclude)),
        Row((State.WRITER, State.WRITER_AND_JOB), Concluded, None, the_writer_lives, _LEAVES),
        Row(
            (State.FREE, State.WRITER),
            Concluded,
            State.JOB,
            a_patient_job_may_run,
            (*_LEAVES, run_a_patient_job),
        ),
        Row((State.FREE, State.WRITER), Concluded, State.FREE, None, _LEAVES),
        Row(_A_JOB_RUNS, Concluded, State.JOB, None, _LEAVES),
        Row(_ALL, Halt, None, None, (stop_all, hasten_all, answer_stops)),
        Row(_ALL, HaltProcess, None, it_lives, (stop_it, hasten_its_start_or_end)),
        Row(_ALL, HaltProcess, None, None, (hasten_what_may_start_it, answer_stops)),
        Row(_ALL, Decided, None, None, (pass_decision,)),
        Row(_ALL, Steered, None, None, (pass_message,)),
    ],
)
