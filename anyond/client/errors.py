"""Errors of a request to a daemon."""

from __future__ import annotations

from typing import Any


class ClientError(Exception):
    """The base of the other errors."""


class DaemonNotFound(ClientError):
    """No daemon runs, or it does not say where."""


class Unanswered(ClientError):
    """The daemon was not reached, or left before its answer: what was asked may have happened."""


class Refused(ClientError):
    """The daemon refused: `str(error)` is its sentence for people.

    Attributes:
        status: of HTTP.
        type: what programs match on; None if the refusal has none.
        data: the whole `error_data`.
    """

    def __init__(self, status: int, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.data = data or {}
        self.type: str | None = self.data.get("type")
