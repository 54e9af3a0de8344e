"""Faults of a request itself, whatever state things are in."""

from __future__ import annotations

from anyond.model.errors import AnyondError, Forbidden, Kind


class Invalid(AnyondError, type="invalid"):
    """Something is malformed; `field` names it."""

    kind = Kind.INVALID

    field: str

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


class Malformed(Invalid):
    """A body that cannot be read as what it must be: it is torn, or lacks a field."""


class NotLetIn(Forbidden, type="forbidden"):
    """Such a Host or Origin is not let in.

    Nor is another user of this machine.
    """


class Absent(AnyondError, type="not_found"):
    """There is no such thing; `what` says which sort."""

    kind = Kind.NOT_FOUND

    what: str

    def __init__(self, what: str, sentence: str) -> None:
        super().__init__(sentence)
        self.what = what


class NotFound(Absent):
    """Nothing of that sort has that key."""

    def __init__(self, what: str, key: object) -> None:
        super().__init__(what, f"There is no {what} {key}.")


class Deleted(Absent):
    """The owner of what was to be written was deleted meanwhile."""

    def __init__(self) -> None:
        super().__init__("parent", "What this belongs to was deleted meanwhile.")


class Impossible(AnyondError, type="impossible"):
    """Well-formed, but there is no such branch, agent or variant."""

    kind = Kind.IMPOSSIBLE

    field: str

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


class SetupNotSupported(Impossible, type="setup_not_supported"):
    """Setting that agent up from here is not supported."""

    field: str

    def __init__(self, field: str, executor: str) -> None:
        super().__init__(field, f"{executor} has no setup helper; install it by hand.")
