"""The launch of Qwen Code, and the options of its variants."""

from __future__ import annotations

from collections.abc import Sequence

from anyond.agents.acp.agent import Acp
from anyond.agents.acp.session.options import AcpOptions


class QwenOptions(AcpOptions, frozen=True, kw_only=True):
    """The options of one variant, besides those of every agent of the protocol.

    Args:
        model: any id that the configured provider knows.
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
        return ("--model", self.model) if self.model else ()


QWEN = Acp(
    command=("qwen",),
    protocol=("--acp",),
    install="Install it with `npm install -g @qwen-code/qwen-code`.",
    options=QwenOptions,
    login="Log in by `/auth` in `qwen`, or check the key that the agent is given.",
)
