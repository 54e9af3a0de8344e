"""Random walks of each machine, by what can really happen to it, with an eye on each transition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from anyond.agents.common.core import Outcome
from anyond.machines import attempt, attempt_events, attempt_table, process, sign_in
from anyond.machines.table import Table, TableMachine, Transition
from anyond.model.records import Exit
from anyond.model.rows import Approval, ApprovalStatus

STEPS = 60

DECIDED = Approval(
    id="q",
    execution_process_id="writer",
    task_attempt_id="t",
    call="c",
    tool_name="Bash",
    tool_input={},
    status=ApprovalStatus.APPROVED,
    created_at="2026-01-01T00:00:00.000Z",
    timeout_at="2026-01-01T01:00:00.000Z",
)


@dataclass(frozen=True)
class Step:
    """What a machine has done about an event."""

    before: Any
    event: object
    after: Any
    commands: list[Any]
    transition: Transition[Any]


class Watched(Table[Any]):
    """A table that remembers which transition was made last."""

    last: Transition[Any]

    def transition(self, state: Any, event: object, data: object) -> Transition[Any]:
        self.last = super().transition(state, event, data)
        return self.last


class Walk:
    """A machine, and all that it has done so far."""

    def __init__(self, machine: TableMachine[Any, Any, Any, Any]) -> None:
        self.machine = machine
        table = machine._table
        self._watched = machine._table = Watched(table.name, table.start, table.rows)
        self.steps: list[Step] = []

    def feed(self, event: object) -> list[Any]:
        before = self.machine.state
        commands = self.machine.handle(event)
        step = Step(before, event, self.machine.state, commands, self._watched.last)
        self.steps.append(step)
        return commands


def attempt_walk(dice: Random) -> Walk:
    """Jobs, processes, stops; after each step it is counted by hand who is at work."""
    walk = Walk(attempt.AttemptMachine())
    job: attempt_events.RunExclusive[Any] | None = None
    writer: str | None = None

    async def work() -> None: ...

    for _ in range(STEPS):
        name = dice.choice(["writer", "next", "dev", "other dev"])
        alongside = name.endswith("dev")
        choices: list[Callable[[], object]] = [
            lambda: attempt_events.RunExclusive(work),
            lambda: attempt_events.RunExclusive(work, alongside_agent=True),
            lambda: attempt_events.RunExclusive(work, patient=True),
            attempt_events.Halt,
            partial(attempt_events.HaltProcess, name),
            partial(attempt_events.AwaitStart, name),
            partial(attempt_events.RowFound, name, alongside),
            partial(attempt_events.Began, name, alongside),
            partial(attempt_events.StartFailed, name, ValueError()),
            partial(attempt_events.Over, name),
            partial(attempt_events.Concluded, name),
            partial(attempt_events.Concluded, name),
            lambda: attempt_events.Decided(DECIDED),
            partial(attempt_events.Steered, name),
        ]
        if job is not None:
            choices += [partial(attempt_events.JobDone, job, 1)] * 3
            choices += [partial(attempt_events.JobDone, job, error=ValueError())]
        event = dice.choice(choices)()
        match event:
            case attempt_events.JobDone():
                job = None
            case attempt_events.RowFound(id, False) | attempt_events.Began(id, False):
                writer = id
            case attempt_events.Concluded(id) if id == writer:
                writer = None
        for command in walk.feed(event):
            if isinstance(command, attempt_events.RunJob):
                assert job is None, "two jobs at once"
                job = command.request
        states = attempt_table.State
        counted = {
            (False, False): states.FREE,
            (True, False): states.JOB,
            (False, True): states.WRITER,
            (True, True): states.WRITER_AND_JOB,
        }[job is not None, writer is not None]
        assert walk.machine.state is counted
    return walk


def process_walk(dice: Random) -> Walk:
    """An end with all that may get in between; a deadline passes once for each step."""
    walk = Walk(process.ProcessMachine(has_dialogue=dice.random() < 0.7))
    clocks: list[process.StopStep] = []
    likely_exit = dice.choice([0.02, 0.2])
    for _ in range(STEPS):
        choices: list[Callable[[], object]] = [
            process.StopAsked,
            lambda: process.TurnOver(Outcome.COMPLETED),
            lambda: process.ApprovalDecided(DECIDED),
            process.MessageWritten,
        ]
        if clocks:
            choices += [lambda: process.DeadlinePassed(clocks.pop(dice.randrange(len(clocks))))] * 4
        is_gone = walk.machine.state is process.State.GONE
        if not is_gone and dice.random() < likely_exit:
            choices = [lambda: process.Exited(Exit(code=0))]
        for command in walk.feed(dice.choice(choices)()):
            if isinstance(command, process.TakeStep):
                clocks.append(command.step)
    return walk


def sign_in_walk(dice: Random) -> Walk:
    """Clients that ask whenever they like, and a GitHub that says whatever it likes."""
    walk = Walk(sign_in.SignInMachine(expires_at=dice.choice([50, 900]), interval=5))
    now = 0.0
    errors = ["authorization_pending"] * 4 + ["slow_down"] * 2
    for _ in range(STEPS):
        now += dice.choice([0.1, 3, 6])
        for command in walk.feed(sign_in.Polled(now)):
            if isinstance(command, sign_in.AskGitHub):
                error = dice.choice([*errors, None, "expired_token", "access_denied", "what"])
                walk.feed(sign_in.GitHubAnswered(error, dice.choice([None, 30]), now))
    return walk
