"""Messages to one agent: each sent once, in order, and the end of its stdin after the last."""

from __future__ import annotations

from collections.abc import Callable

from anyond.agents.common.core import AgentCommand, ConfirmsAtOnce, Dialogue, Prompt
from anyond.logs.conversation import Conversation
from anyond.operations.turn import steering
from anyond.procs.shims.shim_connection import ShimConnection
from anyond.store.engine.database import Store


class Outbox:
    """Sends to an agent, and counts which messages of a person it has been sent.

    Args:
        is_leaving: whether the agent is being let go: what is not sent then begins the next run.
    """

    def __init__(
        self,
        process_id: str,
        conversation: Conversation,
        dialogue: Dialogue,
        *,
        running: ShimConnection,
        store: Store,
        is_leaving: Callable[[], bool],
    ) -> None:
        self._process_id = process_id
        self._conversation = conversation
        self._dialogue = dialogue
        self._running = running
        self._store = store
        self._is_leaving = is_leaving
        self._sent = 0
        self._stdin_ended = False
        self.confirms_at_once = isinstance(dialogue, ConfirmsAtOnce) and dialogue.confirms_at_once

    @property
    def is_on_its_way(self) -> bool:
        """True if a message was sent that the agent has not echoed yet."""
        return 0 < self._sent >= self._conversation.messages_received

    def queue(self, command: AgentCommand) -> None:
        """Have it sent with the next `flush`. Never waits."""
        self._dialogue.send(command)

    async def flush(self) -> None:
        """Send all that is queued, also by the dialogue itself."""
        while messages := self._dialogue.outgoing():
            # Together, since to hand over and to record each of very many takes its time.
            await self._running.write(b"".join(messages))
        if self.confirms_at_once and not self._stdin_ended:
            # After a restart too: the last daemon may have died between the message and its end.
            self._stdin_ended = True
            await self._running.close_stdin()

    async def send_messages(self) -> None:
        """Send what is written down and the agent has not heard, unless it is being let go."""
        process_id = self._process_id  # what the store keeps for a while must not keep all of this
        written = await self._store.read(lambda r: steering.sent_messages(r, process_id))
        # Read it only now: nothing is awaited from here on until all is queued.
        self._sent = max(self._sent, self._conversation.messages_received - 1)
        is_leaving = self._is_leaving()
        while self._sent < len(written) and not is_leaving:
            self.queue(Prompt(written[self._sent].text))
            self._sent += 1
        await self.flush()
