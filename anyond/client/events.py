"""Parsing of Server-Sent Events from lines; no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

from anyond.api.declaration.endpoint import EventStream


class Event(NamedTuple):
    """One event.

    Args:
        name: such as `task_updated`; `resync` says that some were missed.
        data: the record that it is about, of the type that is declared.
        position: after which the stream goes on.
    """

    name: str
    data: Any
    position: int


class EventLines:
    """Puts the lines of one connection together."""

    def __init__(self, endpoint: EventStream[Any]) -> None:
        self._types = endpoint.events
        self._name = ""
        self._data = ""
        self._position: int | None = None

    def feed(self, line: str) -> Iterator[Event]:
        """The event that `line`, without its end, completes."""
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match field:
            case "event":
                self._name = value
            case "data":
                self._data += value
            case "id" if value.isdigit():
                self._position = int(value)
            case "" if not line:
                name, data, position = self._name, self._data, self._position
                self._name, self._data, self._position = "", "", None
                if name in self._types and position is not None:
                    # Left out if a newer daemon means something else by that name.
                    with suppress(msgspec.ValidationError):
                        yield Event(
                            name, msgspec.json.decode(data, type=self._types[name]), position
                        )
