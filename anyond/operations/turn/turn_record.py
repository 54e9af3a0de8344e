"""The record of a turn, written before its agent starts, and the messages sent to it later."""

from __future__ import annotations

from typing import Any

import msgspec
import trio
from msgspec import Struct, field

from anyond.agents.common.carried import Carried
from anyond.agents.common.core import Dialogue, Turn
from anyond.agents.roster import agent
from anyond.model.configuration.settings import Executor

_loaded: set[Executor] = set()
"""The agents whose modules are there: those of all are a tenth of the start of a daemon."""


class SentMessage(Struct, frozen=True, kw_only=True):
    """A message to the agent while its turn runs.

    Args:
        prompt: as the person wrote it.
        text: as it is sent to the agent.
    """

    prompt: str
    text: str = field(name="told")


class TurnRecord(Struct, frozen=True, kw_only=True):
    """The facts that a replay of the log needs.

    After a restart of the daemon the log is replayed with this, whatever the settings are by then.

    Args:
        messages: those sent while it ran, in order; the log tells how many of them have arrived.
    """

    executor: Executor
    prompt: str
    cwd: str
    session_id: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    approval_timeout_s: float = 3600
    past: str = ""
    carried: Carried = Carried()
    messages: list[SentMessage] = field(default_factory=list, name="said")

    @staticmethod
    def decode(text: str) -> TurnRecord:
        """Decode the result of `encode`."""
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
        """A fresh dialogue.

        Raises:
            Impossible: an option has the wrong type, or there is no such agent any more.
        """
        return agent(self.executor).dialogue(self.turn())

    async def load(self) -> None:
        """See to it that `dialogue` takes no time: a thread loads the modules of the agent's first.

        Raises:
            Impossible: an option has the wrong type, or there is no such agent any more.
        """
        if self.executor not in _loaded:
            await trio.to_thread.run_sync(self.dialogue)
            _loaded.add(self.executor)
