"""One writer, nobody refused to stop, and no chain that goes on after a stop."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from anyond.machines.attempt import AttemptMachine
from anyond.machines.attempt_events import (
    AwaitStart,
    Began,
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
from anyond.model.refusals.runs import Busy
from tests.support.walks import DECIDED


async def work() -> None: ...


def do() -> RunExclusive[None]:
    return RunExclusive(work)


def test_a_job_runs_and_its_value_is_the_answer() -> None:
    machine, job = AttemptMachine(), do()
    assert machine.handle(job) == [RunJob(job)]
    assert machine.handle(JobDone(job, 7)) == [Answer(job, 7)]
    assert machine.idle


def test_a_failed_job_refuses_its_asker_and_frees_the_attempt() -> None:
    machine, job, error = AttemptMachine(), do(), ValueError("x")
    machine.handle(job)
    assert machine.handle(JobDone(job, error=error)) == [Refuse(job, error)]
    again = do()
    assert machine.handle(again) == [RunJob(again)]


def test_while_a_job_runs_others_are_refused() -> None:
    machine = AttemptMachine()
    machine.handle(do())
    (refusal,) = machine.handle(do())
    assert isinstance(refusal, Refuse)
    assert isinstance(refusal.error, Busy)


def test_a_job_that_starts_what_lives_beside_is_held_up_by_jobs_only() -> None:
    machine = AttemptMachine()
    machine.handle(Began("agent"))
    start = RunExclusive(work, alongside_agent=True)
    assert machine.handle(start) == [RunJob(start)]
    for other in (do(), RunExclusive(work, alongside_agent=True)):
        (refusal,) = machine.handle(other)
        assert isinstance(refusal, Refuse)
        assert isinstance(refusal.error, Busy)
    machine.handle(Began("dev", alongside=True))
    assert machine.handle(JobDone(start)) == [Answer(start)]
    machine.handle(Concluded("agent"))
    assert not machine.idle
    machine.handle(Concluded("dev"))
    assert machine.idle


def test_a_patient_job_waits_for_whoever_is_at_work() -> None:
    machine, job, patient = AttemptMachine(), do(), RunExclusive(work, patient=True)
    machine.handle(job)
    assert machine.handle(patient) == []
    assert machine.handle(JobDone(job)) == [Answer(job), RunJob(patient)]
    assert not machine.idle
    machine.handle(JobDone(patient))
    assert machine.idle


def test_a_patient_job_waits_for_the_whole_chain_and_for_the_end_of_a_stop() -> None:
    machine, patient, halt = AttemptMachine(), RunExclusive(work, patient=True), Halt()
    machine.handle(Began("setup"))
    machine.handle(patient)
    machine.handle(Over("setup"))
    machine.handle(Began("agent"))
    assert machine.handle(Concluded("setup")) == []
    machine.handle(halt)
    machine.handle(Over("agent"))
    assert machine.handle(Concluded("agent")) == [Answer(halt), RunJob(patient)]


def test_while_a_writer_lives_jobs_are_refused_and_a_dev_server_does_not_count() -> None:
    machine = AttemptMachine()
    machine.handle(Began("dev", alongside=True))
    job = do()
    assert machine.handle(job) == [RunJob(job)]
    machine.handle(JobDone(job))
    machine.handle(Began("agent"))
    (refusal,) = machine.handle(do())
    assert isinstance(refusal, Refuse)


def test_the_next_link_takes_the_writers_place_without_a_gap() -> None:
    machine = AttemptMachine()
    machine.handle(Began("setup"))
    assert machine.handle(Over("setup")) == [Conclude("setup")]
    machine.handle(Began("agent"))
    assert machine.handle(Concluded("setup")) == []
    (refusal,) = machine.handle(do())
    assert isinstance(refusal, Refuse)
    machine.handle(Over("agent"))
    machine.handle(Concluded("agent"))
    assert machine.idle


def test_halt_is_answered_at_once_if_nothing_runs() -> None:
    halt = Halt()
    assert AttemptMachine().handle(halt) == [Answer(halt)]


def test_halt_stops_everything_and_is_answered_when_all_is_over() -> None:
    machine, halt = AttemptMachine(), Halt()
    machine.handle(Began("agent"))
    machine.handle(Began("dev", alongside=True))
    assert machine.handle(halt) == [StopProcess("agent"), StopProcess("dev")]
    assert machine.halting
    machine.handle(Over("agent"))
    assert machine.handle(Concluded("agent")) == []
    machine.handle(Over("dev"))
    assert machine.handle(Concluded("dev")) == [Answer(halt)]
    assert not machine.halting


def test_a_process_that_begins_while_a_halt_waits_is_stopped_at_once() -> None:
    machine, job, halt = AttemptMachine(), do(), Halt()
    machine.handle(job)
    assert machine.handle(halt) == [HastenStop()]
    assert machine.handle(Began("agent")) == [StopProcess("agent")]
    assert machine.handle(JobDone(job)) == [Answer(job)]
    machine.handle(Over("agent"))
    assert machine.handle(Concluded("agent")) == [Answer(halt)]


def test_stopping_a_process_that_is_about_to_start_waits_for_it() -> None:
    machine, job, halt = AttemptMachine(), do(), HaltProcess("agent")
    machine.handle(job)
    assert machine.handle(halt) == [HastenStop()]
    assert machine.is_halted("agent")
    assert machine.handle(Began("agent")) == [StopProcess("agent")]
    machine.handle(JobDone(job))
    machine.handle(Over("agent"))
    assert machine.handle(Concluded("agent")) == [Answer(halt)]


def test_what_follows_the_end_of_a_process_is_hastened_once_that_is_stopped() -> None:
    machine, job = AttemptMachine(), RunExclusive(work, alongside_agent=True)
    machine.handle(Began("agent"))
    machine.handle(Over("agent"))
    assert machine.handle(HaltProcess("agent")) == [StopProcess("agent"), HastenStop()]
    machine = AttemptMachine()
    machine.handle(Began("agent"))
    machine.handle(job)
    # The job has nothing to do with this process.
    assert machine.handle(HaltProcess("agent")) == [StopProcess("agent")]


def test_stopping_a_process_that_is_over_is_answered_at_once() -> None:
    halt = HaltProcess("gone")
    assert AttemptMachine().handle(halt) == [Answer(halt)]


def test_whoever_waits_for_a_start_has_the_row_when_it_lives() -> None:
    machine, start = AttemptMachine(), AwaitStart("agent")
    machine.handle(RowFound("agent"))
    assert machine.handle(start) == []
    assert machine.handle(Began("agent")) == [Answer(start)]
    late = AwaitStart("agent")
    assert machine.handle(late) == [Answer(late)]


def test_whoever_waits_for_a_start_that_is_over_is_answered_at_once() -> None:
    machine, start = AttemptMachine(), AwaitStart("agent")
    machine.handle(RowFound("agent"))
    machine.handle(Over("agent"))
    assert machine.handle(start) == [Answer(start)]


def test_whoever_waits_for_a_start_that_fails_is_told_why_and_the_attempt_is_free() -> None:
    machine, start, why = AttemptMachine(), AwaitStart("agent"), ValueError("x")
    machine.handle(RowFound("agent"))
    machine.handle(start)
    assert machine.handle(StartFailed("agent", why)) == [Refuse(start, why)]
    assert machine.busy
    assert machine.handle(Concluded("agent")) == []
    assert machine.idle


def test_what_is_sought_is_at_work_and_has_to_hasten_when_everything_is_stopped() -> None:
    machine, halt = AttemptMachine(), Halt()
    machine.handle(RowFound("agent"))
    (refusal,) = machine.handle(do())
    assert isinstance(refusal, Refuse)
    assert machine.handle(halt) == [StopProcess("agent"), HastenStop()]
    assert machine.handle(StartFailed("agent", ValueError("stopped"))) == []
    assert machine.handle(Concluded("agent")) == [Answer(halt)]


def test_to_stop_one_start_does_not_hasten_those_of_others() -> None:
    machine, halt = AttemptMachine(), HaltProcess("gone")
    machine.handle(RowFound("agent"))
    assert machine.handle(halt) == [Answer(halt)]
    assert machine.handle(HaltProcess("agent")) == [StopProcess("agent"), HastenStop()]


def test_an_attempt_is_not_idle_while_anything_is_sought_or_concluded() -> None:
    machine = AttemptMachine()
    machine.handle(RowFound("first"))
    machine.handle(Began("second"))  # takes the writer's place
    machine.handle(Over("second"))
    machine.handle(Concluded("second"))
    assert not machine.idle
    machine.handle(Over("first"))
    assert not machine.idle
    machine.handle(Concluded("first"))
    assert machine.idle


def test_decisions_and_messages_are_passed_on_whatever_is_at_work() -> None:
    machine = AttemptMachine()
    for event in (None, Began("agent"), Halt()):
        if event is not None:
            machine.handle(event)
        assert machine.handle(Steered("agent")) == [PassMessage("agent")]
        assert machine.handle(Decided(DECIDED)) == [PassDecision(DECIDED)]


@given(st.lists(st.sampled_from("dwjhpbsnaoc"), max_size=60))
def test_every_request_is_answered_exactly_once_when_all_work_ends(letters: list[str]) -> None:
    machine = AttemptMachine()
    asked: list[object] = []
    settled: list[object] = []
    jobs: list[RunExclusive[None]] = []
    found_row: list[str] = []
    alive: list[str] = []
    over: list[str] = []

    def feed(event: object) -> None:
        for command in machine.handle(event):  # type: ignore[arg-type]
            match command:
                case Answer(request) | Refuse(request):
                    settled.append(request)
                case RunJob(request):
                    jobs.append(request)

    def finish_one(letter: str) -> None:
        if letter == "j" and jobs:
            feed(JobDone(jobs.pop()))
        elif letter == "n" and found_row:
            feed(StartFailed(process := found_row.pop(), ValueError()))
            feed(Concluded(process))
        elif letter == "b" and found_row:
            alive.append(process := found_row.pop())
            feed(Began(process))
        elif letter == "o" and alive:
            over.append(process := alive.pop())
            feed(Over(process))
        elif letter == "c" and over:
            feed(Concluded(over.pop()))

    for count, letter in enumerate(letters):
        requests: dict[str, Callable[[], Event]] = {
            "d": do,
            "w": lambda: RunExclusive(work, patient=True),
            "h": Halt,
            "p": lambda: HaltProcess("0"),
            "a": lambda: AwaitStart((found_row or ["0"])[-1]),
        }
        request = requests.get(letter)
        if request is not None:
            asked.append(event := request())
            feed(event)
        elif letter == "s" and not found_row and not alive and not over:
            found_row.append(str(count))
            feed(RowFound(str(count)))
        else:
            finish_one(letter)
    while jobs or found_row or alive or over:
        for letter in "jboc":
            finish_one(letter)
    assert len(settled) == len(set(map(id, settled)))
    assert set(map(id, settled)) == set(map(id, asked))
    assert machine.idle
