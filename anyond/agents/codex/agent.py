"""Starting Codex: its app server, spoken to over its standard input and output."""

from __future__ import annotations

from anyond.agents.codex.options import Options
from anyond.agents.common import variant
from anyond.agents.common.core import Dialogue, Turn
from anyond.model.launch import Launch

SERVER = "app-server"
CODEX = ("codex", SERVER)
INSTALL = "Install it with `npm install -g @openai/codex`."

# A daemon that was started from within the program must not look like one of its commands.
_ENVIRONMENT: dict[str, str | None] = {
    "CODEX_SANDBOX": None,
    "CODEX_SANDBOX_NETWORK_DISABLED": None,
    "CODEX_THREAD_ID": None,
    "NODE_NO_WARNINGS": "1",
    "NO_COLOR": "1",
    "RUST_LOG": "error",
}


class Codex:
    """Codex, whose conversations are threads of its app server."""

    def launch(self, turn: Turn) -> Launch:
        """Return the launch of the program for this turn.

        Raises:
            Impossible: the options cannot be made into a command.
        """
        return variant.launch(
            variant.decode(turn.options, Options),
            turn.cwd,
            CODEX,
            protocol=(SERVER,),
            env=_ENVIRONMENT,
            install=INSTALL,
        )

    def dialogue(self, turn: Turn) -> Dialogue:
        """A fresh dialogue; its first message is queued, the others follow from the answers.

        Raises:
            Impossible: as for `launch`.
        """
        # Loaded with the first dialogue, as no start of the daemon needs to wait for it.
        from anyond.agents.codex.dialogue import CodexDialogue

        return CodexDialogue(turn, variant.decode(turn.options, Options))
