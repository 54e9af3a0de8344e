"""What a variant of an agent may say that is told everything at once, and its command line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from anyond.model.errors import Impossible
from anyond.model.launch import Launch

# A session id is told by the agent and becomes an argument: it must not look like an option.
_SESSION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_PLACE = re.compile(r"(.*) - at `\$\.(\w+)(.*)`", re.DOTALL)
_OVERRIDE = "It is named by the option base_command_override of the chosen variant."


class Common(Struct, frozen=True, kw_only=True):
    """The options that every variant may have; None is "not said".

    Args:
        append_prompt: added to the prompt, with nothing between them.
        base_command_override: the program and its first arguments, split as a shell would.
        additional_params: further arguments, each taken as it is.
        env: laid over the environment; None removes a variable.
    """

    append_prompt: str | None = None
    base_command_override: str | None = None
    additional_params: list[str] | None = None
    env: dict[str, str | None] | None = None


C = TypeVar("C", bound=Common)


def decode(options: Mapping[str, Any], kind: type[C]) -> C:
    """The options of a variant; unknown ones are ignored.

    Raises:
        Impossible: an option is of the wrong type; the error names it.
    """
    try:
        return msgspec.convert(dict(options), kind)
    except msgspec.ValidationError as error:
        place = _PLACE.fullmatch(str(error))
        if place is None:
            raise Impossible("options", str(error)) from error
        raise Impossible(place[2] + place[3], place[1]) from error


def told_prompt(prompt: str, options: Common) -> str:
    """What the agent is asked."""
    return prompt + (options.append_prompt or "")


def resumed(session_id: str) -> str:
    """A session id as an argument.

    Raises:
        Impossible: it could be taken for something else.
    """
    if not _SESSION_ID.fullmatch(session_id):
        raise Impossible("session_id", "is not the id of a session of this agent")
    return session_id


def launch(
    options: Common,
    cwd: str,
    base: Iterable[str],
    *,
    before: Iterable[str],
    after: Iterable[str] = (),
    install: str,
) -> Launch:
    """How to start the program.

    Args:
        base: the program, unless the variant names another.
        before: our arguments before those of the variant.
        after: our arguments behind them.
        install: one sentence for a person who does not have it.

    Raises:
        Impossible: the options make no command line or no environment.
    """
    words = list(base)
    if options.base_command_override and options.base_command_override.strip():
        try:
            words = shlex.split(options.base_command_override)
        except ValueError as error:
            problem = f"cannot be split into words: {error}"
            raise Impossible("base_command_override", problem) from None
        install = _OVERRIDE
    argv = (*words, *before, *(options.additional_params or ()), *after)
    if any("\0" in word for word in argv):
        raise Impossible("additional_params", "an argument cannot contain a NUL character")
    env = dict(options.env or {})
    for name, value in env.items():
        if not name or "=" in name or "\0" in name or "\0" in (value or ""):
            raise Impossible("env", f"{name!r} cannot be set in an environment")
    return Launch(argv=argv, cwd=cwd, env=env, install=install)
