"""The launch of OpenCode, and the options of its variants."""

from __future__ import annotations

from collections.abc import Mapping

from anyond.agents.acp.agent import Acp
from anyond.agents.acp.session.options import AcpOptions

_ASK = '{"edit":"ask","bash":"ask","webfetch":"ask"}'


class OpencodeOptions(AcpOptions, frozen=True, kw_only=True):
    """The options of one variant, besides those of every agent of the protocol.

    Args:
        model: `provider/model`, as the program lists them.
        agent: the primary agent to work with (`build`, `plan`, or one of the person's own); the
            same as `mode`, which wins.
        approvals: also makes the program ask where its configuration lets it do things.
    """

    agent: str | None = None

    @property
    def session_mode(self) -> str | None:
        return self.mode or self.agent

    @property
    def variables(self) -> Mapping[str, str]:
        # Left to itself it allows everything, and so there would be nothing to approve.
        return {"OPENCODE_PERMISSION": _ASK} if self.approvals else {}


OPENCODE = Acp(
    command=("opencode",),
    protocol=("acp",),
    install="Install it with `npm install -g opencode-ai`.",
    options=OpencodeOptions,
    login="Log in with `opencode auth login`, or check the key of the model's provider.",
)
