"""The launch of Gemini CLI, and the options of its variants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from anyond.agents.acp.agent import Acp
from anyond.agents.acp.session.options import AcpOptions


class GeminiOptions(AcpOptions, frozen=True, kw_only=True):
    """The options of one variant, besides those of every agent of the protocol.

    Args:
        model: `default` leaves the choice to the program; `flash`, `pro` and ids are handed on.
        yolo: allow everything; `approvals` wins.
    """

    yolo: bool | None = None

    @property
    def trusting(self) -> bool:
        return bool(self.yolo or self.auto_approve)

    @property
    def session_model(self) -> None:
        return None

    @property
    def arguments(self) -> Sequence[str]:
        return ("--model", self.model) if self.model and self.model != "default" else ()

    @property
    def variables(self) -> Mapping[str, str]:
        # A worktree is a folder that the program has never seen. Without this it takes away the
        # modes that allow anything, and leaves out what the repository has set for it.
        trusted = {"GEMINI_CLI_TRUST_WORKSPACE": "true"}
        # What its commands print in a terminal it keeps for its own screen; from pipes it tells.
        return {**trusted, "GEMINI_PTY_INFO": "child_process"}


GEMINI = Acp(
    command=("gemini",),
    protocol=("--acp",),
    install="Install it with `npm install -g @google/gemini-cli`.",
    options=GeminiOptions,
    login="Log in by `/auth` in `gemini`, or check the key that the agent is given.",
)
