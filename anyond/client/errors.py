"""Errors of a request to a daemon."""

from __future__ import annotations

from typing import Any


class ClientError(Exception):
    """The base of the other errors."""


class DaemonNotFound(ClientError):
    """No daemon runs, or it does not say where."""


class Unanswered(ClientError):
    """The daemon was not reached, or left before its answer: what was asked may have happened."""


class DeadlinePassed(Unanswered):
    """The daemon did not answer before the deadline: what was asked may still happen."""


class StreamFailed(ClientError):
    """A stream could not go on, for the reason that `str(error)` is; followed again, it may."""


class Refused(ClientError):
    """The daemon refused: `str(error)` is its sentence for people.

    What is raised is also of the class that declares the refusal in `anyond.model.refusals`, with
    the fields of that class, if this client knows it: `except NameTaken` catches that one only.

    Attributes:
        http_status: of the answer.
    """

    def __init__(self, http_status: int, message: str, data: dict[str, Any] | None = None) -> None:
        # Not by `super()`: the declared class would come next, which makes a sentence itself.
        Exception.__init__(self, message)
        self.http_status = http_status
        self._data = data or {}

    @property
    def message(self) -> str:
        """The sentence."""
        return str(self)

    @property
    def type(self) -> str | None:
        """The name that programs match on; None if the refusal has none."""
        found = self._data.get("type")
        return found if isinstance(found, str) else None

    @property
    def data(self) -> dict[str, Any]:
        """The whole `error_data`, as it came."""
        return self._data
