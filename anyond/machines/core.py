"""The vocabulary of all machines: requests, answers, refusals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

R_co = TypeVar("R_co", covariant=True)
E_contra = TypeVar("E_contra", contravariant=True)
C = TypeVar("C")


@dataclass(frozen=True, eq=False)
class Request(Generic[R_co]):
    """An event whose sender waits for a value of type R. Compared by identity."""


@dataclass(frozen=True)
class Answer:
    """The value that `request` waited for."""

    request: Request[Any]
    value: Any = None


@dataclass(frozen=True)
class Refuse:
    """The error that the sender of `request` gets instead."""

    request: Request[Any]
    error: Exception


class Machine(Protocol[E_contra, C]):
    """Takes events, gives commands; all state is its own."""

    def handle(self, event: E_contra) -> list[C]: ...
