"""What a variant can say about an agent of the Agent Client Protocol, and its command line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from anyond.model.errors import Impossible

_PLACE = re.compile(r"(.*) - at `\$\.(\w+)(.*)`", re.DOTALL)


class AcpOptions(Struct, frozen=True, kw_only=True):
    """The options of one variant; None is "not said".

    Args:
        append_prompt: added to every first prompt, without a separator.
        base_command_override: the command, split as a shell does.
        additional_params: arguments after it.
        env: variables for the agent; a None value removes one.
        plan: begin in the agent's plan mode.
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
    def asks(self) -> bool:
        """Whether a person decides."""
        return bool(self.approvals) or not self.auto_approve


def decode_options(options: Mapping[str, Any]) -> AcpOptions:
    """The options of a variant; unknown ones are left alone.

    Raises:
        Impossible: an option has the wrong type; names it.
    """
    try:
        return msgspec.convert(dict(options), AcpOptions)
    except msgspec.ValidationError as error:
        place = _PLACE.fullmatch(str(error))
        if place is None:
            raise Impossible("options", str(error)) from error
        raise Impossible(place[2] + place[3], place[1]) from error


def command_line(options: AcpOptions, default: Sequence[str]) -> tuple[str, ...]:
    """The program and its arguments.

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
    argv += options.additional_params or []
    if any("\0" in word for word in argv):
        raise Impossible("base_command_override", "a command cannot contain a NUL character")
    return tuple(argv)
