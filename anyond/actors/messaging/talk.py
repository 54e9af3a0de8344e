"""The talk with one agent: what it says is taken in, what it asks and waits for is answered.

First everything that is already in the log is replayed; then questions and decisions are compared
with the approvals in the store, and only then is anything sent. So a decision that was made a
moment before a crash still reaches the agent, and nothing reaches it twice.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from anyond.actors.messaging import handshake
from anyond.actors.messaging.approvals import ApprovalRequests
from anyond.actors.messaging.outbox import Outbox
from anyond.actors.messaging.silence import Silence
from anyond.agents.common.core import Dialogue, Interrupt, Offered, Opens, Outcome
from anyond.logs import notes
from anyond.logs.conversation import Conversation
from anyond.machines.process import ApprovalDecided, Event, TurnOver
from anyond.model.ids import now
from anyond.model.rows import Approval, ExecutionProcess, ScriptRequest
from anyond.operations.run import run
from anyond.operations.turn import reading
from anyond.procs.shims.shim_connection import ShimConnection
from anyond.procs.spools.spool_readers import RecordReader
from anyond.store.engine.database import Store
from anyond.store.runs import offers, sessions
from anyond.watchers.logs import Live

ECHO_TIMEOUT_S = 5.0
"""Seconds after which what was said to an agent is on record, if its stdin is open at all."""


class Talk:
    """Everything that there is for an agent, and not for a script.

    Args:
        dialogue: a fresh one.
        approval_timeout: seconds.
        silence: seconds after which a silence of the agent is told, 0 for never; asked each time.
        is_stopping: whether somebody wants the agent to end.
        send: leaves an event for the machine of the process.
    """

    def __init__(
        self,
        process: ExecutionProcess,
        dialogue: Dialogue,
        *,
        running: ShimConnection,
        store: Store,
        approval_timeout: float,
        silence: Callable[[], float],
        is_stopping: Callable[[], bool],
        send: Callable[[Event], None],
    ) -> None:
        self.conversation = Conversation(process.id, dialogue, approval_timeout)
        self._process = process
        self._dialogue = dialogue
        self._running = running
        self._store = store
        self._send = send
        self._session_id: str | None = None
        self._offered: Offered | None = None
        self._turn_reported = False
        self._echo_awaited = False
        self._outbox = Outbox(
            process.id,
            self.conversation,
            dialogue,
            running=running,
            store=store,
            is_leaving=lambda: self._turn_reported or is_stopping(),
        )
        self._requests = ApprovalRequests(
            process,
            self.conversation,
            self._outbox,
            running=running,
            store=store,
            timed_out=lambda decided: send(ApprovalDecided(decided)),
        )
        self._silence = Silence(self.conversation, silence, self._note_silence)

    async def open(self, reader: RecordReader, live: Live, nursery: trio.Nursery) -> None:
        """Take in what is in the log, and send what the agent has not been sent.

        Args:
            nursery: where it is waited for what may not come.
        """
        self._reader, self._live, self._nursery = reader, live, nursery
        # All of it first: what is in it need not be said again.
        while await self._read():
            pass
        live.conversation = self.conversation
        await self._requests.reconcile()
        await self._outbox.send_messages()
        await self._after_reading()
        nursery.start_soon(self._silence.run)
        if isinstance(self._dialogue, Opens):
            timeout_s = self._dialogue.handshake_timeout_s
            nursery.start_soon(handshake.watch, self.conversation, timeout_s, self._note_unanswered)

    def close(self) -> None:
        """Let go of all that was said, which can be large: circles are found late."""
        del self.conversation, self._dialogue, self._outbox, self._requests, self._silence

    async def read_on(self) -> None:
        """Take in what is new, and answer as it goes, so that never much is to be answered."""
        while await self._read():
            await self._after_reading()
            if self._reader.is_at_end:
                return
        await self._after_reading()

    async def send_decision(self, row: Approval) -> None:
        """Tell the agent what was decided, unless it was told before."""
        await self._requests.send_decision(row)

    async def send_messages(self) -> None:
        """Say to the agent what it has not heard yet, unless it is being let go."""
        await self._outbox.send_messages()

    def interrupt(self) -> bool:
        """Have the agent told to break off, if it has words for that; whether it has."""
        if self._outbox.confirms_at_once:
            return False
        self._outbox.queue(Interrupt())
        self._nursery.start_soon(self._outbox.flush)
        return True

    async def _read(self) -> bool:
        """Take in the next piece of the log; whether there was one."""
        if not (records := self._reader.read(run.REPLAYED_AT_ONCE)):
            return False
        await reading.feed(self.conversation, records)
        return True

    async def _after_reading(self) -> None:
        conversation = self.conversation
        session_id = conversation.session_id
        if session_id is not None and session_id != self._session_id:
            self._session_id = session_id
            await self._store.write(
                lambda tx: sessions.set_session_id(tx, self._process.id, session_id)
            )
        if conversation.offered not in (None, self._offered):
            self._offered = conversation.offered
            await self._remember_offers(self._offered)
        await self._requests.compare(self._nursery)
        await self._requests.refuse_excess()
        self._silence.look()
        self._live.wake.notify()
        await self._outbox.flush()
        if conversation.outcome is None or self._turn_reported:
            return
        if not self._outbox.is_on_its_way:
            self._let_go(conversation.outcome)
        elif not self._echo_awaited:
            # What is on its way to the agent opens its turn again.
            self._echo_awaited = True
            self._nursery.start_soon(self._await_echo)

    async def _remember_offers(self, offered: Offered) -> None:
        """Other runs of this agent, and forms of variants, can choose from that."""
        action = self._process.executor_action.typ
        if not isinstance(action, ScriptRequest):
            executor = action.executor_profile_id.executor
            await self._store.write(
                lambda tx: offers.put(tx, executor, offered.known_as, offered.offers, now())
            )

    def _let_go(self, outcome: Outcome) -> None:
        self._turn_reported = True
        self._send(TurnOver(outcome))

    async def _await_echo(self) -> None:
        """A program that has closed its stdin never hears it, and its turn is over all the same."""
        await trio.sleep(ECHO_TIMEOUT_S)
        self._echo_awaited = False
        if self.conversation.outcome is not None and not self._turn_reported:
            self._let_go(self.conversation.outcome)

    async def _note_silence(self, seconds: int) -> None:
        await self._running.note(notes.encode(notes.Quiet(seconds=seconds)))

    async def _note_unanswered(self, seconds: int) -> None:
        await self._running.note(notes.encode(notes.Unanswered(seconds=seconds)))
