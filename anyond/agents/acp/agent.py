"""Starting any agent that speaks the Agent Client Protocol, by the command of its variant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from anyond.agents.acp.session.options import AcpOptions
from anyond.agents.common import variant
from anyond.agents.common.core import Turn
from anyond.model.launch import Launch

if TYPE_CHECKING:
    from anyond.agents.acp.dialogue import AcpDialogue


class Acp(Struct, frozen=True):
    """Any program that speaks the protocol over its standard input and output.

    Args:
        command: what to start if the variant names no command; () if it must.
        protocol: the arguments that make it speak the protocol.
        install: one sentence for the person when the program is missing.
        options: what a variant can say.
        login: one sentence for the person whose key or login is refused; "" if what the agent
            itself offers is all that is known.
    """

    command: tuple[str, ...] = ()
    protocol: tuple[str, ...] = ()
    install: str = "Install the agent that the variant names."
    options: type[AcpOptions] = AcpOptions
    login: str = ""

    def launch(self, turn: Turn) -> Launch:
        """Return the launch of the program.

        Raises:
            Impossible: an option has the wrong type, or there is no command.
        """
        options = variant.decode(turn.options, self.options)
        return variant.launch(
            options,
            turn.cwd,
            self.command,
            protocol=self.protocol,
            before=options.arguments,
            env=options.variables,
            install=self.install,
        )

    def dialogue(self, turn: Turn) -> AcpDialogue:
        """A fresh dialogue; its first message is queued, the others follow from the answers.

        Raises:
            Impossible: an option has the wrong type.
        """
        # Loaded with the first dialogue, as no start of the daemon needs to wait for it.
        from anyond.agents.acp.dialogue import AcpDialogue

        return AcpDialogue(turn, variant.decode(turn.options, self.options), self.login)
