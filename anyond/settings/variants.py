"""The options of an agent's variant, whichever agent it is."""

from __future__ import annotations

import shlex
import types
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from anyond.model.configuration.settings import Executor, Variant
from anyond.model.refusals.requests import Invalid


def checked(path: str, executor: Executor, options: object) -> Variant:
    """`options` as they are, if every option that an agent declares is of its type (or null).

    What the agent itself does not declare is checked by what another one does, since variants are
    copied from agent to agent. Options that none knows are kept: a later version may.

    Raises:
        Invalid: names the option by `path` and its own name.
    """
    if not isinstance(options, Mapping):
        raise Invalid(path, "must be an object of options")
    for name, value in options.items():
        if value is not None and (problem := _problem(executor, name, value)):
            raise Invalid(f"{path}.{name}", f"{problem}, or null")
    return dict(options)


def same(one: Variant, other: Variant) -> bool:
    """Return whether two variants mean the same; null is as good as absent."""
    return _set_fields(one) == _set_fields(other)


def _set_fields(options: Variant) -> Variant:
    return {name: value for name, value in options.items() if value is not None}


def _problem(executor: Executor, name: str, value: Any) -> str | None:
    kind = _kinds(executor).get(name) or _kinds_of_all().get(name)
    if name == "handshake_timeout_s" and not _is_time(value):
        return "must be a number of seconds, more than 0 and at most 86400"
    if name == "env" and not _is_environment(value):
        return "must be an object that maps names of variables to texts, or to null to unset them"
    if kind is bool:
        return None if isinstance(value, bool) else "must be true or false"
    if kind is str:
        if not _is_text(value):
            return "must be a text"
        if name == "base_command_override" and not _is_command(value):
            return "must be a command line with balanced quotes"
    if kind is list and not (isinstance(value, list) and all(map(_is_text, value))):
        return "must be a list of texts"
    return None


@cache
def _kinds(executor: Executor) -> Mapping[str, type]:
    """The options that an agent declares, and whether each is a text, a switch or a list."""
    from anyond.agents import roster  # all agents, which only a person's variants need here

    if executor not in roster.AGENTS:
        return {}
    fields = msgspec.structs.fields(roster.options(executor))
    return {field.encode_name: _kind(field.type) for field in fields}


@cache
def _kinds_of_all() -> Mapping[str, type]:
    return {name: kind for executor in Executor for name, kind in _kinds(executor).items()}


def _kind(declared: Any) -> type:
    """The type of a value, of which texts that are listed one by one are texts as well."""
    origin, inside = get_origin(declared), get_args(declared)
    if origin in {Union, types.UnionType}:
        [declared] = [one for one in inside if one is not type(None)]
        return _kind(declared)
    if origin is Annotated:
        return _kind(inside[0])
    if origin is Literal:
        return type(inside[0])
    found: type = origin or declared
    return found


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 86400


def _is_command(text: str) -> bool:
    try:
        return bool(shlex.split(text))
    except ValueError:
        return False


def _is_environment(value: Any) -> bool:
    return isinstance(value, dict) and all(
        name and _is_text(name) and "=" not in name and (text is None or _is_text(text))
        for name, text in value.items()
    )
