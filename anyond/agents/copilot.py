"""The launch of GitHub Copilot CLI, and the options of its variants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from anyond.agents.acp.agent import Acp
from anyond.agents.acp.session.options import AcpOptions


class CopilotOptions(AcpOptions, frozen=True, kw_only=True):
    """The options of one variant, besides those of every agent of the protocol.

    Args:
        model: any id that the subscription or the configured provider knows.
        allow_all_tools: allow every tool; `approvals` wins.
        allow_tool: a tool that needs no permission, as the program writes it: `shell(git:*)`.
        deny_tool: a tool that is never allowed; wins over all that allow.
        add_dir: further directories in which it may read and write.
        disable_mcp_server: servers of its configuration that are not to be used.
    """

    allow_all_tools: bool | None = None
    allow_tool: str | None = None
    deny_tool: str | None = None
    add_dir: list[str] | None = None
    disable_mcp_server: list[str] | None = None

    @property
    def trusting(self) -> bool:
        return bool(self.allow_all_tools or self.auto_approve)

    @property
    def session_model(self) -> None:
        return None

    @property
    def arguments(self) -> Sequence[str]:
        return tuple(self._arguments())

    def _arguments(self) -> Iterator[str]:
        if not self.asks:
            yield "--allow-all-tools"
        for name, values in (
            ("--model", [self.model]),
            ("--allow-tool", [self.allow_tool]),
            ("--deny-tool", [self.deny_tool]),
            ("--add-dir", self.add_dir or []),
            ("--disable-mcp-server", self.disable_mcp_server or []),
        ):
            # In one word, or a value that begins with a dash would be taken for an option.
            yield from (f"{name}={value}" for value in values if value)


COPILOT = Acp(
    command=("copilot",),
    protocol=("--acp", "--no-auto-update"),
    install="Install it with `npm install -g @github/copilot`.",
    options=CopilotOptions,
    login="Log in with `copilot login`, or check the key or token that the agent is given.",
)
