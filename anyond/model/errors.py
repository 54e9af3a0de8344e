"""Refusals: anything else that is raised is a bug of ours.

Each is a class with its name for programs, in `anyond.model.refusals`; here is what they have in
common, and the kinds that they are of.
"""

from __future__ import annotations

import errno
from enum import StrEnum
from typing import Any, ClassVar

import msgspec
from msgspec import UNSET

SHORTAGES = frozenset(
    {errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ENOSPC}
)
"""With these numbers the system says that it has no more of something; there may be again."""


_PACKAGE = "anyond.model.refusals."


class Kind(StrEnum):
    """The sort of a refusal; the HTTP front has the one table from kind to status."""

    INVALID = "invalid"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    IMPOSSIBLE = "impossible"
    BROKEN_TOOL = "broken_tool"
    UNAVAILABLE = "unavailable"
    TIMED_OUT = "timed_out"


class AnyondError(Exception):
    """A refusal: `str(error)` is the sentence for the person, `data` is for programs (or None).

    A class is one of these:

    - one with `type="…"`, the name that programs match on. It has the fields that are annotated in
      its body, besides those of its abstract bases; `message` is the sentence.
    - one with `bare=True`, whose status says all there is to know: it has no `data`.
    - one that is derived from such a class, and is for programs what that one is.
    - an abstract one, with neither. It is caught, and never raised.

    Raises:
        TypeError: another class has that type, or it is declared elsewhere than in that package,
            where all are loaded together; a field is declared where there can be none; or an
            abstract class is raised.
    """

    kind: ClassVar[Kind]
    type: ClassVar[str | None] = None
    fields: ClassVar[tuple[str, ...]] = ()
    abstract: ClassVar[bool] = True

    def __init_subclass__(cls, *, type: str | None = None, bare: bool = False) -> None:
        super().__init_subclass__()
        own = [n for n, a in vars(cls).get("__annotations__", {}).items() if "ClassVar" not in a]
        if type is None and not bare:
            if own and not cls.abstract:
                raise TypeError(f"{cls.__name__} has fields, and so needs a type of its own")
            cls.fields = (*cls.fields, *own)
            return
        base = next(a for a in cls.__mro__[1:] if issubclass(a, AnyondError) and a.abstract)
        cls.type = type
        cls.fields = () if bare else (*base.fields, *own)
        cls.abstract = False
        if type is None:
            return
        if not cls.__module__.startswith(_PACKAGE):
            raise TypeError(f"{cls.__name__} has a type, and so belongs into {_PACKAGE}*")
        if TYPES.setdefault(type, cls) is not cls:
            raise TypeError(f"{cls.__name__} and {TYPES[type].__name__} are both {type}")

    def __init__(self, sentence: str) -> None:
        if self.abstract:
            raise TypeError(f"{type(self).__name__} is a kind of refusals, and none itself")
        super().__init__(sentence)
        self._more_fields: dict[str, Any] = {}

    @property
    def message(self) -> str:
        """The sentence, where it is a field."""
        return str(self)

    @property
    def data(self) -> dict[str, Any] | None:
        """The `error_data` of the answer; what is unset is left out."""
        found: dict[str, Any] = {} if self.type is None else {"type": self.type}
        for name in self.fields:
            value = getattr(self, name)
            if value is not UNSET:
                found[name] = msgspec.to_builtins(value)
        return {**found, **self._more_fields} or None

    def add(self, **more: str) -> None:
        """Tell programs more than the class says, such as what exists in spite of the refusal."""
        self._more_fields.update(more)

    def reword(self, sentence: str) -> None:
        """Say it with another sentence; for programs it stays the same."""
        self.args = (sentence,)


TYPES: dict[str, type[AnyondError]] = {}
"""Every refusal with a type that was loaded so far; `anyond.model.refusals.every` loads all."""


class Unauthorized(AnyondError, bare=True):
    """The daemon wants its token."""

    kind = Kind.UNAUTHORIZED


class Forbidden(AnyondError):
    """A request by somebody who may not have that."""

    kind = Kind.FORBIDDEN


class Conflict(AnyondError):
    """The state does not allow it now."""

    kind = Kind.CONFLICT

    message: str


class TooLarge(AnyondError, bare=True):
    """A body that is larger than what is read."""

    kind = Kind.TOO_LARGE


class Unsupported(AnyondError, bare=True):
    """A body of a type that is not read."""

    kind = Kind.UNSUPPORTED


class Unavailable(AnyondError, bare=True):
    """It cannot be done at the moment, whatever was asked."""

    kind = Kind.UNAVAILABLE


class ActorGone(Unavailable):
    """Whoever was asked ended before the answer."""


class TimedOut(AnyondError, bare=True):
    """Somebody did not answer in time."""

    kind = Kind.TIMED_OUT
