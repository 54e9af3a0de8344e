"""What a variant can say about an agent of the Agent Client Protocol, and its command line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from anyond.model.errors import Impossible

_PLACE = re.compile(r"(.*) - at `\$\.(\w+)(.*)`", re.DOTALL)


class AcpOptions(Struct, frozen=True, kw_only=True):
    """The options of one variant; None is "not said".

    An agent with options of its own has a class of its own, which says what they come to.

    Args:
        append_prompt: added to every first prompt, without a separator.
        base_command_override: the command, split as a shell does.
        additional_params: arguments after it.
        env: variables for the agent; a None value removes one.
        plan: begin in the agent's plan mode; a person decides about the plan.
        approvals: ask a person whenever the agent asks; wins over `auto_approve`.
        auto_approve: allow whatever the agent asks, without asking anyone.
        model: the id of a model that the agent offers.
        mode: the id of a mode that the agent offers; wins over `plan`.
        resume: go on with the agent's former session if it can (the default).
    """

    append_prompt: str | None = None
    base_command_override: str | None = None
    additional_params: list[str] | None = None
    env: dict[str, str | None] | None = None
    plan: bool | None = None
    approvals: bool | None = None
    auto_approve: bool | None = None
    model: str | None = None
    mode: str | None = None
    resume: bool | None = None

    @property
    def trusting(self) -> bool:
        """Whether the agent may do everything, as far as the option for that goes."""
        return bool(self.auto_approve)

    @property
    def asks(self) -> bool:
        """Whether a person decides."""
        return bool(self.approvals) or not self.trusting

    @property
    def session_model(self) -> str | None:
        """The model to choose in the session; None if the command line does it."""
        return self.model

    @property
    def session_mode(self) -> str | None:
        """The mode to choose in the session by its id, whatever else is wanted."""
        return self.mode

    @property
    def arguments(self) -> Sequence[str]:
        """What the options of the agent itself come to on its command line."""
        return ()

    @property
    def variables(self) -> Mapping[str, str | None]:
        """What they come to in its environment; `env` is laid over it."""
        return {}


Options = TypeVar("Options", bound=AcpOptions)


def decode_options(options: Mapping[str, Any], kind: type[Options]) -> Options:
    """The options of a variant; unknown ones are left alone.

    Raises:
        Impossible: an option has the wrong type; names it.
    """
    try:
        return msgspec.convert(dict(options), kind)
    except msgspec.ValidationError as error:
        place = _PLACE.fullmatch(str(error))
        if place is None:
            raise Impossible("options", str(error)) from error
        raise Impossible(place[2] + place[3], place[1]) from error


def command_line(
    options: AcpOptions, default: Sequence[str], protocol: Sequence[str] = ()
) -> tuple[str, ...]:
    """The program and its arguments.

    Args:
        default: the program, if the variant names none.
        protocol: the arguments that make it speak the protocol; a command of the variant need not
            have them, and may.

    Raises:
        Impossible: there is no command, or it cannot be split.
    """
    argv = list(default)
    if options.base_command_override is not None and options.base_command_override.strip():
        try:
            argv = shlex.split(options.base_command_override)
        except ValueError as error:
            problem = f"cannot be split into words: {error}"
            raise Impossible("base_command_override", problem) from error
    if not argv or not argv[0]:
        raise Impossible(
            "base_command_override",
            "name the command that starts the agent, for example `gemini --acp`",
        )
    if argv[len(argv) - len(protocol) :] != list(protocol):
        argv += protocol
    argv += [*options.arguments, *(options.additional_params or [])]
    if any("\0" in word for word in argv):
        raise Impossible("base_command_override", "a command cannot contain a NUL character")
    return tuple(argv)
