"""Machines do what their tables say, all of it, and the pictures show it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable
from enum import Enum, auto
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import anyond.machines
from anyond.machines import attempt_table, document, process, sign_in
from anyond.machines.table import Row, Table, TableMachine, UnexpectedEvent, condition
from tests.support.paths import ROOT
from tests.support.walks import Walk, attempt_walk, process_walk, sign_in_walk

PAGE = ROOT / "docs" / "machines.md"

WALKS: list[tuple[Table[Any], Callable[[Random], Walk]]] = [
    (attempt_table.TABLE, attempt_walk),
    (process.TABLE, process_walk),
    (sign_in.TABLE, sign_in_walk),
]
each_machine = pytest.mark.parametrize(("table", "walk"), WALKS, ids=[t.name for t, _ in WALKS])


def is_in(table: Table[Any], step: Any) -> bool:
    """Whether a row allows what was done, whichever it was done by."""
    types = {type(command) for command in step.commands}
    return any(
        (made.state, made.row.event, made.to) == (step.before, type(step.event), step.after)
        and types <= set(made.commands)
        for made in table
    )


@each_machine
@given(seed=st.integers(min_value=0))
def test_each_transition_is_in_the_table(
    table: Table[Any], walk: Callable[[Random], Walk], seed: int
) -> None:
    for step in walk(Random(seed)).steps:
        assert is_in(table, step), step


@each_machine
def test_each_row_is_reached_in_each_of_its_states(
    table: Table[Any], walk: Callable[[Random], Walk]
) -> None:
    rows = {(made.state, made.row) for made in table}
    for seed in range(2_000):
        rows -= {(step.transition.state, step.transition.row) for step in walk(Random(seed)).steps}
        if not rows:
            return
    pytest.fail(f"never reached: {rows}")


@each_machine
def test_each_declared_command_is_given_by_its_row(
    table: Table[Any], walk: Callable[[Random], Walk]
) -> None:
    left = {(row, type_) for made in table for row in [made.row] for type_ in made.commands}
    for seed in range(2_000):
        for step in walk(Random(seed)).steps:
            left -= {(step.transition.row, type(command)) for command in step.commands}
        if not left:
            return
    pytest.fail(f"never given: {left}")


class Light(Enum):
    OFF = auto()
    ON = auto()


class Pressed: ...


class Burnt: ...


@condition
def it_is_dark(data: object, event: Pressed) -> bool:
    return True


def test_an_event_without_a_row_is_refused_and_changes_no_state() -> None:
    table = Table("light", Light.OFF, [Row((Light.OFF,), Pressed, Light.ON)])
    machine: TableMachine[Light, None, object, object] = TableMachine(table, None)
    with pytest.raises(UnexpectedEvent, match="Burnt in OFF"):
        machine.handle(Burnt())
    assert machine.handle(Pressed()) == []
    assert machine.state is Light.ON
    with pytest.raises(UnexpectedEvent):
        machine.handle(Pressed())


def test_a_row_that_can_never_count_is_a_mistake() -> None:
    rows = [Row((Light.OFF,), Pressed, Light.ON), Row((Light.OFF,), Pressed, None, it_is_dark)]
    with pytest.raises(ValueError, match="can never count"):
        Table("light", Light.OFF, rows)


def test_every_machine_has_a_table_that_is_drawn() -> None:
    modules = [
        importlib.import_module(found.name)
        for found in pkgutil.iter_modules(anyond.machines.__path__, "anyond.machines.")
    ]
    machines = {
        kind
        for module in modules
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if kind.__module__ == module.__name__ and hasattr(kind, "handle")
    } - {TableMachine, anyond.machines.core.Machine}
    assert {kind.__name__ for kind in machines} == {
        "AttemptMachine",
        "ProcessMachine",
        "SignInMachine",
    }
    assert all(issubclass(kind, TableMachine) for kind in machines)
    assert [table for table, _ in document.TABLES] == [table for table, _ in WALKS]


def test_the_page_is_what_the_tables_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == document.page()
    displayed = set(re.findall(r"^    (\w+) --> (\w+): (\w+)", document.page(), re.MULTILINE))
    assert displayed == {
        (made.state.name, made.to.name, made.row.event.__name__)
        for table, _ in WALKS
        for made in table
        if made.to is not made.state
    }
