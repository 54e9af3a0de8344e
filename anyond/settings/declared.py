"""The declarations of settings, read from the fields of their struct."""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Iterator
from enum import Enum
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Meta, Struct

from anyond.model.fields import Group
from anyond.settings.checks import CHECKS


class Setting(Struct, frozen=True, kw_only=True):
    """One setting, or an object of them.

    Args:
        name: the key in its object.
        kind: the type of its values, without what is annotated to it.
        default: the value of a setting that nobody has made; None if `required`.
        required: there is no default.
        text: one sentence for people.
        group: where it is listed, if its object does not tell.
        bounds: the least and the greatest value of a number.
        check: what is wrong with a text, as the end of a sentence, or None.
        secret: it is never shown to clients.
    """

    name: str
    kind: Any
    default: Any
    required: bool
    text: str
    group: Group | None = None
    bounds: tuple[float, float] | None = None
    check: Callable[[str], str | None] | None = None
    secret: bool = False

    @property
    def object(self) -> type[Struct] | None:
        """The struct of the settings that it consists of; None if it is a single one."""
        kind = self.kind
        return kind if isinstance(kind, type) and issubclass(kind, Struct) else None

    @property
    def nullable(self) -> bool:
        """True if null is one of its values."""
        return nullable(self.kind)

    def problem(self, value: Any) -> str | None:
        """Return the fault of `value`, which is of the right type; None if it has none."""
        if value is None:
            return None
        if self.bounds is not None:
            low, high = self.bounds
            # First these: a whole number of 400 digits is too large to be asked if it is finite.
            if not (low <= value <= high and math.isfinite(value)):
                return f"must be {self.span}"
        return None if self.check is None else self.check(value)

    @property
    def span(self) -> str:
        """`from 1 to 2,000`; empty for what is no number."""
        return "" if self.bounds is None else "from {:,} to {:,}".format(*self.bounds)

    def expected(self) -> str:
        """Return the rule for a value, as the end of a sentence."""
        return _expected(self.kind)


@cache
def settings_of(struct: type[Struct]) -> tuple[Setting, ...]:
    """The settings that `struct` consists of, in their order.

    Raises:
        TypeError: a field is not declared as a setting is, or a number has not both bounds.
    """
    return tuple(_setting(struct, field) for field in msgspec.structs.fields(struct))


def setting_of(struct: type[Struct], name: str) -> Setting:
    """Return the declaration of one field of `struct`, whose other fields may be no settings.

    Raises:
        TypeError: see `settings_of`.
    """
    [field] = [one for one in msgspec.structs.fields(struct) if one.encode_name == name]
    return _setting(struct, field)


def single_settings(
    struct: type[Struct], at: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Setting]]:
    """All settings in `struct` at any depth that are no objects, with the keys that lead there."""
    for setting in settings_of(struct):
        path = (*at, setting.name)
        if setting.object is None:
            yield path, setting
        else:
            yield from single_settings(setting.object, path)


def groups(struct: type[Struct]) -> Iterator[type[Struct]]:
    """The objects of settings in `struct`, all of which have defaults, so that any may be named."""
    for setting in settings_of(struct):
        inner = setting.object
        if inner is not None and not any(one.required for one in settings_of(inner)):
            yield inner


def nullable(kind: Any) -> bool:
    """Return whether null is a value of the type `kind`."""
    return get_origin(kind) in {Union, types.UnionType} and type(None) in get_args(kind)


def _setting(struct: type[Struct], field: msgspec.structs.FieldInfo) -> Setting:
    kind, *annotated = (
        get_args(field.type) if get_origin(field.type) is Annotated else (field.type,)
    )
    [meta] = [one for one in annotated if isinstance(one, Meta)] or [Meta()]
    more = meta.extra or {}
    required = field.default is NODEFAULT and field.default_factory is NODEFAULT
    default = None if required else _default(field)
    made = Setting(
        name=field.encode_name,
        kind=kind,
        default=default,
        required=required,
        text=meta.description or "",
        group=more.get("group"),
        bounds=None if meta.ge is None or meta.le is None else (meta.ge, meta.le),
        check=CHECKS.get(more.get("check") or ""),
        secret=more.get("secret", False),
    )
    name = f"{struct.__name__}.{field.name}"
    if not made.text and made.object is None:
        raise TypeError(f"{name} lacks a sentence; declare it by `setting`")
    if more.get("check") and made.check is None:
        raise TypeError(f"{name} has a check that is not there: {more['check']}")
    numbers = {int, float} & {kind, *get_args(kind)}
    if bool(numbers) != (made.bounds is not None):
        raise TypeError(f"{name} needs two bounds if it is a number, else none")
    return made


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default is not NODEFAULT:
        return field.default
    factory: Callable[[], Any] = field.default_factory
    return factory()


def _expected(kind: Any) -> str:
    if nullable(kind):
        inner = next(a for a in get_args(kind) if a is not type(None))
        return f"{_expected(inner)}, or null"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return f"must be one of {', '.join(str(member.value) for member in kind)}"
    if get_origin(kind) is list:
        return "must be a list of texts"
    words = {bool: "true or false", str: "a text", int: "a whole number", float: "a number"}
    return f"must be {words.get(kind, 'of another type')}"
