"""The vocabulary of all machines: requests, answers, refusals."""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct

R_co = TypeVar("R_co", covariant=True)
E_contra = TypeVar("E_contra", contravariant=True)
C = TypeVar("C")


class Request(Struct, Generic[R_co], frozen=True, eq=False):
    """An event whose sender waits for a value of type R. Compared by identity."""


class Answer(Struct, frozen=True):
    """The value that `request` waited for."""

    request: Request[Any]
    value: Any = None


class Refuse(Struct, frozen=True):
    """The error that the sender of `request` gets instead."""

    request: Request[Any]
    error: Exception


class Machine(Protocol[E_contra, C]):
    """Takes events, gives commands; all state is its own."""

    def handle(self, event: E_contra) -> list[C]: ...
