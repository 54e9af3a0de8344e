"""A turn as it is written down before its agent starts, and what is said into it afterwards."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct, field

from anyond.agents.common.carried import Carried
from anyond.agents.common.core import Dialogue, Turn
from anyond.agents.roster import agent
from anyond.model.configuration.settings import Executor


class Said(Struct, frozen=True, kw_only=True):
    """A message to the agent while its turn runs.

    Args:
        prompt: as the person wrote it.
        told: as the agent is told it.
    """

    prompt: str
    told: str


class TurnRecord(Struct, frozen=True, kw_only=True):
    """What a replay of the log needs to know.

    After a restart of the daemon the log is replayed with this, whatever the settings are by then.

    Args:
        said: what was said while it ran, in order; the log tells how much of it has arrived.
    """

    executor: Executor
    prompt: str
    cwd: str
    session_id: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    approval_timeout_s: float = 3600
    past: str = ""
    carried: Carried = Carried()
    said: list[Said] = field(default_factory=list)

    @staticmethod
    def decode(text: str) -> TurnRecord:
        """What `encode` wrote."""
        return msgspec.json.decode(text, type=TurnRecord)

    def encode(self) -> str:
        return msgspec.json.encode(self).decode()

    def turn(self) -> Turn:
        return Turn(
            prompt=self.prompt,
            cwd=self.cwd,
            session_id=self.session_id,
            options=self.options,
            past=self.past,
            carried=self.carried,
        )

    def dialogue(self) -> Dialogue:
        return agent(self.executor).dialogue(self.turn())
