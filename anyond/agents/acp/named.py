"""Any agent of the Agent Client Protocol: by its name in the catalog, or by a command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from anyond.agents.acp.agent import Acp
from anyond.agents.acp.registry.catalog import CATALOG, KnownAgent
from anyond.agents.acp.session.options import AcpOptions
from anyond.agents.common import variant
from anyond.agents.common.core import Turn
from anyond.agents.json_rpc.jsonrpc import as_dict, as_list, as_text
from anyond.model.launch import Launch

if TYPE_CHECKING:
    from anyond.agents.acp.dialogue import AcpDialogue


class NamedOptions(AcpOptions, frozen=True, kw_only=True):
    """The options of one variant, besides those of every agent of the protocol.

    Args:
        agent: the id of an agent of the catalog; `base_command_override` says where its program is,
            if not in PATH.
    """

    agent: str | None = None

    @property
    def known_as(self) -> str:
        """The id of the agent, or the command that starts it."""
        return (self.agent or self.base_command_override or "").strip().lower()[:1000]

    def login_method(self, offered: Sequence[Any]) -> str | None:
        """The chosen one, or the first that the agent carries out by itself."""
        if self.auth_method is not None:
            return self.auth_method
        methods = [as_dict(method) for method in offered]
        return next(self._unattended(methods), None)

    def _unattended(self, methods: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        for kind in ("env_var", "agent"):
            for method in methods:
                id = as_text(method.get("id"))
                of_kind = (as_text(method.get("type")) or "agent") == kind
                if id and of_kind and (kind == "agent" or self._has_variables(method)):
                    yield id

    def _has_variables(self, method: Mapping[str, Any]) -> bool:
        variables = [as_dict(one) for one in as_list(method.get("vars"))]
        names = [as_text(one.get("name")) for one in variables if one.get("optional") is not True]
        return bool(names) and all(self.env.get(name) for name in names)


class NamedAcp(Acp, frozen=True):
    """The agent that a variant names."""

    options: type[AcpOptions] = NamedOptions

    def launch(self, turn: Turn) -> Launch:
        """Return the launch of the program.

        Raises:
            Impossible: an option has the wrong type, there is no such agent, or no command.
        """
        options = variant.decode(turn.options, NamedOptions)
        if options.agent is None:
            return super().launch(turn)
        known = CATALOG.find(options.agent)
        program, *arguments = known.here
        return variant.launch(
            options,
            turn.cwd,
            (program,),
            protocol=arguments,
            env=known.env,
            install=known.install,
        )

    def dialogue(self, turn: Turn) -> AcpDialogue:
        """A fresh dialogue; a run of an agent that is not known any more can still be read.

        Raises:
            Impossible: an option has the wrong type.
        """
        # Loaded with the first dialogue, as no start of the daemon needs to wait for it.
        from anyond.agents.acp.dialogue import AcpDialogue

        options = variant.decode(turn.options, NamedOptions)
        known = self._known(options)
        return AcpDialogue(turn, options, self.login if known is None else known.login)

    def check(self, options: Mapping[str, Any]) -> None:
        """Check that the agent that the options name is known.

        Raises:
            Impossible: it is not.
        """
        named = variant.decode(options, NamedOptions).agent
        if named is not None:
            CATALOG.find(named)

    def _known(self, options: NamedOptions) -> KnownAgent | None:
        return None if options.agent is None else CATALOG.get(options.agent)
