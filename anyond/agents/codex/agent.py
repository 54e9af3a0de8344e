"""How Codex is started: its app server, spoken to over its standard input and output."""

from __future__ import annotations

import shlex

from anyond.agents.codex.dialogue import CodexDialogue
from anyond.agents.codex.options import Options, decode
from anyond.agents.core import Dialogue, Turn
from anyond.model.errors import Impossible
from anyond.model.launch import Launch

SERVER = "app-server"
CODEX = ("codex", SERVER)
INSTALL = "Install it with `npm install -g @openai/codex`."
INSTALL_OVERRIDE = "It is named by the option base_command_override of the chosen variant."


class Codex:
    """Codex, whose conversations are threads of its app server."""

    def launch(self, turn: Turn) -> Launch:
        """How to start the program for this turn.

        Raises:
            Impossible: the options cannot be made into a command.
        """
        options = decode(turn.options)
        base, install = _base(options)
        argv = (*base, *options.additional_params)
        if any("\0" in part for part in argv):
            raise Impossible("additional_params", "an argument cannot contain a NUL character")
        return Launch(argv=argv, cwd=turn.cwd, env=_environment(options), install=install)

    def dialogue(self, turn: Turn) -> Dialogue:
        """A fresh dialogue; its first message is queued, the others follow from the answers.

        Raises:
            Impossible: as for `launch`.
        """
        return CodexDialogue(turn, decode(turn.options))


def _base(options: Options) -> tuple[tuple[str, ...], str]:
    if options.base_command_override:
        try:
            words = tuple(shlex.split(options.base_command_override))
        except ValueError as error:
            raise Impossible(
                "base_command_override", f"cannot be split into words: {error}"
            ) from None
        if words:
            return words if SERVER in words else (*words, SERVER), INSTALL_OVERRIDE
    return CODEX, INSTALL


def _environment(options: Options) -> dict[str, str | None]:
    # A daemon that was started from within the program must not look like one of its commands.
    env: dict[str, str | None] = {
        "CODEX_SANDBOX": None,
        "CODEX_SANDBOX_NETWORK_DISABLED": None,
        "CODEX_THREAD_ID": None,
        "NODE_NO_WARNINGS": "1",
        "NO_COLOR": "1",
        "RUST_LOG": "error",
    }
    for name, value in options.env.items():
        if not name or "=" in name or "\0" in name or "\0" in (value or ""):
            raise Impossible("env", f"{name!r} cannot be set in an environment")
        env[name] = value
    return env
