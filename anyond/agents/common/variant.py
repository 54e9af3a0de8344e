"""Options that every variant of every agent has, and their part of the command line."""

from __future__ import annotations

import re
import shlex
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from anyond.model.launch import Launch
from anyond.model.refusals.requests import Impossible

# A session id is told by the agent and becomes an argument: it must not look like an option.
_SESSION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_PLACE = re.compile(r"(.*) - at `\$\.(\w+)(.*)`", re.DOTALL)
# An option never has a space in its name: such an argument is an option together with its value.
_WITH_VALUE = re.compile(r"--?[A-Za-z][\w-]*\s")
_OVERRIDE = "It is named by the option base_command_override of the chosen variant."


HANDSHAKE_TIMEOUT_S = 60.0
"""Seconds in which a program that is installed answers each message of its handshake."""

FETCH_TIMEOUT_S = 600.0
"""The same for a program that may have to be fetched first."""

_FETCHERS = frozenset({"npx", "npm", "pnpm", "pnpx", "yarn", "bunx", "bun", "uvx", "uv", "pipx"})
_FETCHERS |= {"docker", "podman", "nix"}


class Common(Struct, frozen=True, kw_only=True):
    """The options that every variant may have.

    Args:
        append_prompt: added to the prompt, with nothing between them.
        base_command_override: the program and its first arguments, split as a shell would.
        additional_params: further arguments, each taken as it is; but an option that stands there
            together with its value (`--model x`) is split from it as a shell would.
        env: laid over the environment; None removes a variable.
        handshake_timeout_s: seconds in which an agent that is greeted first must answer; longer by
            itself for commands such as `npx`, which may fetch the program first.
    """

    append_prompt: str | None = None
    base_command_override: str | None = None
    additional_params: list[str] = field(default_factory=list)
    env: dict[str, str | None] = field(default_factory=dict)
    handshake_timeout_s: Annotated[float, Meta(gt=0, le=86400)] | None = None

    @property
    def handshake_deadline_s(self) -> float:
        """Seconds in which each answer of a handshake must come."""
        if self.handshake_timeout_s is not None:
            return self.handshake_timeout_s
        program = (self.base_command_override or "").split()[:1]
        fetched = any(word.rsplit("/", 1)[-1] in _FETCHERS for word in program)
        return FETCH_TIMEOUT_S if fetched else HANDSHAKE_TIMEOUT_S


C = TypeVar("C", bound=Common)

# What msgspec learns about a class when that is decoded first, it must not learn in two threads at
# once: the interpreter may crash. Agents are looked for in threads.
_decoding = threading.Lock()


def decode(options: Mapping[str, Any], kind: type[C]) -> C:
    """The options of a variant; unknown ones are ignored, None is the same as absent.

    Raises:
        Impossible: an option is of the wrong type, or of no known value; the error names it.
    """
    given = {name: value for name, value in options.items() if value is not None}
    try:
        with _decoding:
            return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        place = _PLACE.fullmatch(str(error))
        if place is None:
            raise Impossible("options", str(error)) from error
        where = place[3].replace("[...]", "")  # so msgspec writes "some value of"
        raise Impossible(place[2] + where, place[1]) from error


def full_prompt(prompt: str, options: Common) -> str:
    """Return the prompt with the variant's addition."""
    return prompt + (options.append_prompt or "")


def resumed(session_id: str) -> str:
    """A session id as an argument.

    Raises:
        Impossible: it could be taken for something else.
    """
    if not _SESSION_ID.fullmatch(session_id):
        raise Impossible("session_id", "is not the id of a session of this agent")
    return session_id


def _further(params: Iterable[str]) -> list[str]:
    words: list[str] = []
    for param in params:
        try:
            words += shlex.split(param) if _WITH_VALUE.match(param) else [param]
        except ValueError as error:
            problem = f"{param!r} cannot be split into words: {error}"
            raise Impossible("additional_params", problem) from None
    return words


def launch(
    options: Common,
    cwd: str,
    base: Iterable[str],
    *,
    protocol: Sequence[str] = (),
    before: Iterable[str] = (),
    after: Iterable[str] = (),
    env: Mapping[str, str | None] | None = None,
    install: str,
) -> Launch:
    """Return the launch of the program.

    Args:
        base: the program, unless the variant names another.
        protocol: arguments that make it speak as it should; a command of the variant may have
            them already.
        before: our arguments before those of the variant.
        after: our arguments behind them.
        env: ours; that of the variant is laid over it.
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
    if not words or not words[0]:
        why = "name the command that starts the agent, for example `gemini --acp`"
        if not words:  # of all agents only ACP has no command of its own
            why += "; or set agent to one that Anyon knows by name (`anyon agents list`)"
        raise Impossible("base_command_override", why)
    if any("\0" in word for word in words):
        raise Impossible("base_command_override", "a command cannot contain a NUL character")
    if not all(word in words for word in protocol):
        words += protocol
    argv = (*words, *before, *_further(options.additional_params), *after)
    if any("\0" in word for word in argv):
        raise Impossible("additional_params", "an argument cannot contain a NUL character")
    for name, value in options.env.items():
        if not name or "=" in name or "\0" in name or "\0" in (value or ""):
            raise Impossible("env", f"{name!r} cannot be set in an environment")
    return Launch(argv=argv, cwd=cwd, env={**(env or {}), **options.env}, install=install)
