"""State tables: which event takes a machine from which state to which, and what it commands then.

A machine is a table, the state it is in, and the data that the table cannot count (ids, requests
that wait). It does what a row of its table says and nothing else, so the table is the whole truth,
and the pictures in `docs/machines.md` are made from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import Any, Generic, TypeVar

from msgspec import Struct

S = TypeVar("S", bound=Enum)
D = TypeVar("D")
E = TypeVar("E")
C = TypeVar("C")


class Condition(Struct, Generic[D, E], frozen=True):
    """A condition for a row to count; asked after the event is recorded."""

    holds: Callable[[D, E], bool]

    @property
    def name(self) -> str:
        return _words(self.holds)


class Action(Struct, Generic[D, E], frozen=True):
    """A maker of commands from an event; it changes the data as it does.

    Args:
        commands: the types of all commands that it can give; it may give fewer, or many of one.
    """

    make: Callable[[D, E], Sequence[Any]]
    commands: tuple[type, ...]

    @property
    def name(self) -> str:
        return _words(self.make)


class Row(Struct, Generic[S], frozen=True):
    """In each of `states`, `event` leads to `to` (None: the same state) and to what `then` gives.

    Of several rows for one state and event the first counts whose condition holds.
    """

    states: tuple[S, ...]
    event: type
    to: S | None = None
    when: Condition[Any, Any] | None = None
    then: tuple[Action[Any, Any], ...] = ()


class Transition(Struct, Generic[S], frozen=True):
    """A row, for one of its states."""

    state: S
    row: Row[S]

    @property
    def to(self) -> S:
        return self.state if self.row.to is None else self.row.to

    @property
    def commands(self) -> tuple[type, ...]:
        """The types of the commands that it can give, in their order."""
        return tuple(dict.fromkeys(type_ for action in self.row.then for type_ in action.commands))


class UnexpectedEvent(RuntimeError):
    """An event that has no row in the state that its machine is in: a bug of who sent it."""


class Table(Generic[S]):
    """All transitions of one kind of machine.

    Args:
        name: what the machine is the machine of.
        start: the state that it begins in.

    Raises:
        ValueError: a row can never count, since one before it has no condition.
    """

    def __init__(self, name: str, start: S, rows: Sequence[Row[S]]) -> None:
        self.name = name
        self.start = start
        self.rows = tuple(rows)
        self._transitions: dict[tuple[S, type], list[Transition[S]]] = {}
        for row in rows:
            for state in row.states:
                among = self._transitions.setdefault((state, row.event), [])
                if among and among[-1].row.when is None:
                    raise ValueError(f"{name}: {row} can never count in {state}")
                among.append(Transition(state, row))

    def __iter__(self) -> Iterator[Transition[S]]:
        for among in self._transitions.values():
            yield from among

    def transition(self, state: S, event: object, data: object) -> Transition[S]:
        """The transition that `event` makes in `state`.

        Raises:
            UnexpectedEvent: there is none.
        """
        for transition in self._transitions.get((state, type(event)), ()):
            when = transition.row.when
            if when is None or when.holds(data, event):
                return transition
        raise UnexpectedEvent(f"{self.name}: {type(event).__name__} in {state.name}")


class TableMachine(Generic[S, D, E, C]):
    """Takes events, gives commands, as its table says.

    Args:
        data: what conditions and actions look at; nobody else changes it.
    """

    def __init__(self, table: Table[S], data: D) -> None:
        self._table = table
        self._data = data
        self.state = table.start

    def handle(self, event: E) -> list[C]:
        """Make the transition of `event`; returns what is to be done now.

        Raises:
            UnexpectedEvent: the event cannot come in this state.
        """
        self.record(event)
        transition = self._table.transition(self.state, event, self._data)
        self.state = transition.to
        return [c for action in transition.row.then for c in action.make(self._data, event)]

    def record(self, event: E) -> None:
        """Take into the data what an event says, before it is known what follows from it."""


def condition(holds: Callable[[D, E], bool]) -> Condition[D, E]:
    """Makes a function the condition of rows; its name is shown in the table."""
    return Condition(holds)


def gives(*commands: type) -> Callable[[Callable[[D, E], Sequence[Any]]], Action[D, E]]:
    """Makes a function an action of rows that gives commands of these types, and no others."""

    def decorate(make: Callable[[D, E], Sequence[Any]]) -> Action[D, E]:
        return Action(make, commands)

    return decorate


def _words(function: Callable[..., Any]) -> str:
    return function.__name__.strip("_").replace("_", " ")
