"""Exceptions of the declared classes from the refusals that the daemon sends; no I/O."""

from __future__ import annotations

from functools import cache
from typing import Any, get_type_hints

import msgspec
from msgspec import UNSET

from anyond.client.errors import Refused
from anyond.model import errors
from anyond.model.errors import AnyondError
from anyond.model.refusals import every

_BARE: dict[int, type[AnyondError]] = {
    401: errors.Unauthorized,
    413: errors.TooLarge,
    415: errors.Unsupported,
    503: errors.Unavailable,
    504: errors.TimedOut,
}
"""Those that have no type, by the status that says all there is to know."""


class _Failure(msgspec.Struct):
    message: str = ""
    error_data: dict[str, Any] | None = None


def refusal(status: int, content: bytes) -> Refused:
    """The refusal in an answer; of a class that is not known here, it is a plain `Refused`."""
    try:
        found = msgspec.json.decode(content, type=_Failure)
    except msgspec.DecodeError:
        found = _Failure()
    message, data = found.message or f"The daemon answered {status}.", found.error_data or {}
    named = data.get("type")
    # For mypy a class with a `type` of its own is none that can be a key.
    declared: Any = every().get(named) if isinstance(named, str) else _BARE.get(status)
    if declared is None:
        return Refused(status, message, data)
    error = _joined(declared)(status, message, data)
    for name, hint in _fields(declared).items():
        setattr(error, name, _value(data.get(name, UNSET), hint))
    return error


@cache
def _joined(declared: Any) -> type[Refused]:
    """The class that is both, called as the declared one."""
    return type(declared.__name__, (Refused, declared), {"__doc__": declared.__doc__})


@cache
def _fields(declared: Any) -> dict[str, Any]:
    hints = get_type_hints(declared)
    return {name: hints[name] for name in declared.fields if name != "message"}


def _value(value: Any, hint: Any) -> Any:
    if value is UNSET:
        return value
    try:
        return msgspec.convert(value, hint)
    except msgspec.ValidationError:
        return value  # a newer daemon means something else by it; better raw than no refusal
