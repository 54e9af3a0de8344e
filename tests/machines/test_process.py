"""The ladder from a friendly word to a kill, and the verdict on how a run went."""

from __future__ import annotations

import pytest

from anyond.agents.core import Outcome
from anyond.machines.process import (
    Climb,
    DeadlinePassed,
    Ending,
    ProcessMachine,
    Rung,
    StopAsked,
    TurnOver,
    judge,
)
from anyond.model.records import Exit
from anyond.model.rows import ProcessStatus, RunReason


def rungs(commands: list[Climb]) -> list[Rung]:
    return [command.rung for command in commands]


def test_an_agent_that_is_stopped_is_asked_first_and_killed_last() -> None:
    machine = ProcessMachine(speaks=True)
    climbed = rungs(machine.handle(StopAsked()))
    while climbed[-1] is not Rung.KILL:
        climbed += rungs(machine.handle(DeadlinePassed(climbed[-1])))
    assert climbed == [Rung.INTERRUPT, Rung.CLOSE_STDIN, Rung.TERMINATE, Rung.KILL]


def test_a_kill_without_effect_is_tried_again_if_the_shim_obeys() -> None:
    machine = ProcessMachine(speaks=False)
    machine.handle(StopAsked())
    machine.handle(DeadlinePassed(Rung.TERMINATE))
    assert machine.handle(DeadlinePassed(Rung.KILL)) == [Climb(Rung.END_SHIM, None)]
    assert rungs(machine.handle(DeadlinePassed(Rung.END_SHIM))) == [Rung.KILL]


def test_a_script_cannot_be_spoken_to() -> None:
    assert rungs(ProcessMachine(speaks=False).handle(StopAsked())) == [Rung.TERMINATE]


def test_after_its_turn_an_agent_is_let_go_by_closing_its_stdin() -> None:
    machine = ProcessMachine(speaks=True)
    assert rungs(machine.handle(TurnOver(Outcome.COMPLETED))) == [Rung.CLOSE_STDIN]
    assert rungs(machine.handle(DeadlinePassed(Rung.CLOSE_STDIN))) == [Rung.TERMINATE]


def test_an_interrupted_turn_goes_on_to_the_next_rung_at_once() -> None:
    machine = ProcessMachine(speaks=True)
    machine.handle(StopAsked())
    assert rungs(machine.handle(TurnOver(Outcome.INTERRUPTED))) == [Rung.CLOSE_STDIN]
    assert machine.handle(DeadlinePassed(Rung.INTERRUPT)) == []


def test_a_second_stop_changes_nothing() -> None:
    machine = ProcessMachine(speaks=True)
    machine.handle(StopAsked())
    assert machine.handle(StopAsked()) == []


AGENT, SCRIPT = RunReason.CODING_AGENT, RunReason.SETUP_SCRIPT


@pytest.mark.parametrize(
    ("reason", "exit", "outcome", "stopped", "status", "code"),
    [
        (AGENT, Exit(code=0), Outcome.COMPLETED, False, ProcessStatus.COMPLETED, 0),
        (AGENT, Exit(signal=15), Outcome.COMPLETED, False, ProcessStatus.COMPLETED, 0),
        (AGENT, Exit(code=0), Outcome.FAILED, False, ProcessStatus.FAILED, 0),
        (AGENT, Exit(code=1), Outcome.FAILED, False, ProcessStatus.FAILED, 1),
        (AGENT, Exit(code=0), None, False, ProcessStatus.FAILED, 0),
        (AGENT, Exit(signal=9), None, False, ProcessStatus.FAILED, 137),
        (AGENT, Exit(code=0), Outcome.INTERRUPTED, True, ProcessStatus.KILLED, 0),
        (AGENT, Exit(error="lost"), Outcome.COMPLETED, False, ProcessStatus.FAILED, None),
        (SCRIPT, Exit(code=0), None, False, ProcessStatus.COMPLETED, 0),
        (SCRIPT, Exit(code=3), None, False, ProcessStatus.FAILED, 3),
        (SCRIPT, Exit(signal=15), None, True, ProcessStatus.KILLED, 143),
    ],
)
def test_the_verdict_needs_all_the_evidence(
    reason: RunReason,
    exit: Exit,
    outcome: Outcome | None,
    stopped: bool,
    status: ProcessStatus,
    code: int | None,
) -> None:
    ending = judge(reason, exit, outcome=outcome, stopped=stopped)
    assert (ending.status, ending.exit_code) == (status, code)


def test_what_the_log_does_not_show_is_said() -> None:
    assert judge(AGENT, Exit(code=2), outcome=None, stopped=False) == Ending(
        ProcessStatus.FAILED, 2, "The agent exited with code 2 before it had finished its turn."
    )
    assert (
        judge(SCRIPT, Exit(signal=9), outcome=None, stopped=False).complaint
        == "The script was ended by SIGKILL."
    )
