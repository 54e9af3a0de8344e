"""The steps from a friendly word to a kill."""

from __future__ import annotations

from anyond.agents.common.core import Outcome
from anyond.machines.process import (
    HASTY_CLOSE_S,
    SECONDS,
    ApprovalDecided,
    Command,
    DeadlinePassed,
    Event,
    Exited,
    MessageWritten,
    ProcessMachine,
    ReportExit,
    SendDecision,
    SendMessages,
    StopAsked,
    StopStep,
    TakeStep,
    TurnOver,
)
from anyond.model.records import Exit
from tests.support.walks import DECIDED


def steps(commands: list[Command]) -> list[StopStep]:
    return [command.step for command in commands if isinstance(command, TakeStep)]


def test_an_agent_that_is_stopped_is_asked_first_and_killed_last() -> None:
    machine = ProcessMachine(has_dialogue=True)
    taken = steps(machine.handle(StopAsked()))
    while taken[-1] is not StopStep.KILL:
        taken += steps(machine.handle(DeadlinePassed(taken[-1])))
    assert taken == [StopStep.INTERRUPT, StopStep.CLOSE_STDIN, StopStep.TERMINATE, StopStep.KILL]


def test_a_kill_without_effect_is_tried_again_if_the_shim_obeys() -> None:
    machine = ProcessMachine(has_dialogue=False)
    machine.handle(StopAsked())
    machine.handle(DeadlinePassed(StopStep.TERMINATE))
    assert machine.handle(DeadlinePassed(StopStep.KILL)) == [TakeStep(StopStep.END_SHIM, None)]
    assert steps(machine.handle(DeadlinePassed(StopStep.END_SHIM))) == [StopStep.KILL]


def test_a_script_cannot_be_spoken_to() -> None:
    assert steps(ProcessMachine(has_dialogue=False).handle(StopAsked())) == [StopStep.TERMINATE]


def test_after_its_turn_an_agent_is_let_go_by_closing_its_stdin() -> None:
    machine = ProcessMachine(has_dialogue=True)
    assert steps(machine.handle(TurnOver(Outcome.COMPLETED))) == [StopStep.CLOSE_STDIN]
    assert steps(machine.handle(DeadlinePassed(StopStep.CLOSE_STDIN))) == [StopStep.TERMINATE]


def test_closing_stdin_takes_less_time_if_somebody_waits_for_the_end() -> None:
    alone, awaited = ProcessMachine(has_dialogue=True), ProcessMachine(has_dialogue=True)
    awaited.handle(StopAsked())
    assert (alone.stopping, awaited.stopping) == (False, True)
    over = TurnOver(Outcome.COMPLETED)
    assert alone.handle(over) == [TakeStep(StopStep.CLOSE_STDIN, SECONDS[StopStep.CLOSE_STDIN])]
    assert awaited.handle(over) == [TakeStep(StopStep.CLOSE_STDIN, HASTY_CLOSE_S)]
    assert not alone.stopping


def test_an_interrupted_turn_goes_on_to_the_next_step_at_once() -> None:
    machine = ProcessMachine(has_dialogue=True)
    machine.handle(StopAsked())
    assert steps(machine.handle(TurnOver(Outcome.INTERRUPTED))) == [StopStep.CLOSE_STDIN]
    assert machine.handle(DeadlinePassed(StopStep.INTERRUPT)) == []


def test_a_second_stop_changes_nothing() -> None:
    machine = ProcessMachine(has_dialogue=True)
    machine.handle(StopAsked())
    assert machine.handle(StopAsked()) == []


def test_a_decision_reaches_the_agent_at_every_step_and_a_message_only_in_its_turn() -> None:
    machine = ProcessMachine(has_dialogue=True)
    assert machine.handle(MessageWritten()) == [SendMessages()]
    machine.handle(StopAsked())
    assert machine.handle(ApprovalDecided(DECIDED)) == [SendDecision(DECIDED)]
    assert machine.handle(MessageWritten()) == []  # it begins the next run


def test_its_exit_ends_it_at_any_step_and_what_comes_later_changes_nothing() -> None:
    machine, exit = ProcessMachine(has_dialogue=True), Exit(code=0)
    machine.handle(StopAsked())
    assert machine.handle(Exited(exit)) == [ReportExit(exit)]
    assert machine.gone
    late: list[Event] = [
        StopAsked(),
        DeadlinePassed(StopStep.INTERRUPT),
        ApprovalDecided(DECIDED),
    ]
    assert [machine.handle(event) for event in late] == [[], [], []]
