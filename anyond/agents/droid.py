"""The launch of Factory's Droid, and the options of its variants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from anyond.agents.acp.agent import Acp
from anyond.agents.acp.session.options import AcpOptions


class DroidOptions(AcpOptions, frozen=True, kw_only=True):
    """The options of one variant, besides those of every agent of the protocol.

    Args:
        model: the id of a model, `custom:` ones included.
        reasoning_effort: how long it thinks; what there is depends on the model.
        autonomy: how much it does without asking: `normal` only looks, `low` edits files, `medium`
            works locally, `high` does everything. `approvals` and `plan` win.
    """

    reasoning_effort: str | None = None
    autonomy: Literal["normal", "low", "medium", "high"] | None = None

    @property
    def trusting(self) -> bool:
        return self.autonomy == "high" or bool(self.auto_approve)

    @property
    def session_model(self) -> None:
        return None

    @property
    def session_mode(self) -> str | None:
        if self.mode or self.plan or self.approvals or self.autonomy is None:
            return self.mode
        return "normal" if self.autonomy == "normal" else f"auto-{self.autonomy}"

    @property
    def arguments(self) -> Sequence[str]:
        chosen = (("--model", self.model), ("--reasoning-effort", self.reasoning_effort))
        return tuple(word for name, value in chosen if value for word in (name, value))


DROID = Acp(
    command=("droid",),
    protocol=("exec", "--output-format", "acp"),
    install="Install it with `npm install -g droid`.",
    options=DroidOptions,
    login="Log in by `/login` in `droid`, or check the key that the agent is given.",
)
