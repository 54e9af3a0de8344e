"""How Claude Code is started, and which options a variant of it may have."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct, field
from msgspec.structs import fields

from anyond.agents.claude.dialogue import ClaudeDialogue
from anyond.agents.claude.questions import Consent
from anyond.agents.core import Dialogue, Turn
from anyond.agents.recollection import recollection
from anyond.model.errors import Impossible
from anyond.model.launch import Launch

CLAUDE = ("claude",)
ROUTER = ("ccr", "code")
INSTALL = "Install it with `npm install -g @anthropic-ai/claude-code`."
INSTALL_ROUTER = "Install it with `npm install -g @musistudio/claude-code-router`."
INSTALL_OVERRIDE = "It is named by the option base_command_override of the chosen variant."

PROTOCOL = (
    "-p",
    "--output-format",
    "stream-json",
    "--input-format",
    "stream-json",
    "--verbose",
    "--include-partial-messages",
    "--permission-prompt-tool",
    "stdio",
    "--replay-user-messages",
)

# A session id is told by the agent and becomes an argument: it must not look like an option.
_SESSION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


class Options(Struct, frozen=True, kw_only=True):
    """The options of a variant; unknown ones are ignored, None is the same as absent.

    Args:
        append_prompt: added to the first prompt, with nothing between them.
        base_command_override: the program and its first arguments, split as a shell would.
        additional_params: further arguments, each taken as it is.
        env: laid over the environment; None removes a variable.
        claude_code_router: start the router instead of the program itself.
        plan: begin with a plan; once it is approved, tools need no permission.
        approvals: ask before tools that change something.
        dangerously_skip_permissions: allow every tool. Questions to the person are still asked.
        disable_api_key: hide ANTHROPIC_API_KEY, so that the subscription's login is used.
        fork_session: resume under a new session id, so that the earlier conversation stays as it
            was and a retry can go back to it; false goes on under the same id.
    """

    append_prompt: str | None = None
    base_command_override: str | None = None
    additional_params: list[str] = field(default_factory=list)
    env: dict[str, str | None] = field(default_factory=dict)
    claude_code_router: bool = False
    plan: bool = False
    approvals: bool = False
    model: str | None = None
    dangerously_skip_permissions: bool = False
    disable_api_key: bool = False
    fork_session: bool = True

    @property
    def consent(self) -> Consent:
        """Who decides about tools; `plan` wins over `approvals`, and that over skipping."""
        if self.plan:
            return Consent.AFTER_PLAN
        if self.dangerously_skip_permissions and not self.approvals:
            return Consent.ALWAYS
        return Consent.ASK


def decode(options: Mapping[str, Any]) -> Options:
    """The options of a variant.

    Raises:
        Impossible: an option is of the wrong type; the error names it.
    """
    known: dict[str, Any] = {}
    for option in fields(Options):
        value = options.get(option.name)
        if value is None:
            continue
        try:
            known[option.name] = msgspec.convert(value, option.type)
        except msgspec.ValidationError as error:
            raise Impossible(option.name, str(error)) from None
    return Options(**known)


class Claude:
    """Claude Code, spoken to over its stream-json control protocol."""

    def launch(self, turn: Turn) -> Launch:
        """How to start the program for this turn.

        Raises:
            Impossible: the options cannot be made into a command.
        """
        options = decode(turn.options)
        base, install = _base(options)
        argv = [*base, *PROTOCOL]
        # The program refuses to skip permissions when it runs as root, and a mode that was not
        # chosen at the start cannot be reached later. So it always asks, and the dialogue answers.
        argv += ["--permission-mode", "plan" if options.plan else "default"]
        if options.model:
            argv += ["--model", options.model]
        argv += options.additional_params
        if turn.session_id is not None:
            if not _SESSION_ID.fullmatch(turn.session_id):
                raise Impossible("session_id", "is not the id of a Claude Code session")
            argv += ["--resume", turn.session_id]
            if options.fork_session:
                argv.append("--fork-session")
        if any("\0" in part for part in argv):
            raise Impossible("additional_params", "an argument cannot contain a NUL character")
        return Launch(argv=tuple(argv), cwd=turn.cwd, env=_environment(options), install=install)

    def dialogue(self, turn: Turn) -> Dialogue:
        """A fresh dialogue; the handshake and the prompt are already queued.

        Raises:
            Impossible: as for `launch`.
        """
        options = decode(turn.options)
        return ClaudeDialogue(
            prompt=turn.prompt + (options.append_prompt or ""),
            cwd=turn.cwd,
            consent=options.consent,
            retold=recollection(turn) if turn.past and turn.session_id is None else None,
        )


def _base(options: Options) -> tuple[tuple[str, ...], str]:
    if options.base_command_override:
        try:
            words = tuple(shlex.split(options.base_command_override))
        except ValueError as error:
            raise Impossible(
                "base_command_override", f"cannot be split into words: {error}"
            ) from None
        if words:
            return words, INSTALL_OVERRIDE
    if options.claude_code_router:
        return ROUTER, INSTALL_ROUTER
    return CLAUDE, INSTALL


def _environment(options: Options) -> dict[str, str | None]:
    # A daemon that was started from within a session of the program must not look like one.
    env: dict[str, str | None] = {"CLAUDECODE": None, "CLAUDE_CODE_ENTRYPOINT": None}
    if options.disable_api_key:
        env["ANTHROPIC_API_KEY"] = None
    for name, value in options.env.items():
        if not name or "=" in name or "\0" in name or "\0" in (value or ""):
            raise Impossible("env", f"{name!r} cannot be set in an environment")
        env[name] = value
    return env
