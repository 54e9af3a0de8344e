"""The approval requests of one agent: each becomes a row, and its decision reaches it once."""

from __future__ import annotations

from collections.abc import Callable

import trio

from anyond.actors.messaging.outbox import Outbox
from anyond.agents.common.core import Decide, Decision
from anyond.logs import notes
from anyond.logs.conversation import Conversation
from anyond.logs.questions import WITHDRAWN, Question
from anyond.model.ids import now, seconds, timestamp_ns
from anyond.model.rows import Approval, ApprovalStatus, ExecutionProcess
from anyond.operations.turn import questions
from anyond.procs.shims.shim_connection import ShimConnection
from anyond.store.engine.database import Store
from anyond.store.runs import approvals

EXCESS = "Too many questions are open; ask fewer at a time."
"""Why a question is refused that nobody was asked."""

REFUSED_AT_ONCE = 256
"""So many questions are refused before the agent is told, and others run."""

WAITING_NOTED_S = 5.0
"""So long a question has waited at least before that is written down again."""


class ApprovalRequests:
    """Compares what an agent asks with the rows, and sends it what was decided.

    Args:
        timed_out: told of a decision that was made because nobody has made one.
    """

    def __init__(
        self,
        process: ExecutionProcess,
        conversation: Conversation,
        outbox: Outbox,
        *,
        running: ShimConnection,
        store: Store,
        timed_out: Callable[[Approval], None],
    ) -> None:
        self._process = process
        self._conversation = conversation
        self._outbox = outbox
        self._running = running
        self._store = store
        self._timed_out = timed_out
        self._answered: set[str] = set()
        self._asked: dict[str, Question] = {}

    async def reconcile(self) -> None:
        """After a replay: decisions that were made but never reached the agent reach it now."""
        open_now = {question.call for question in self._conversation.questions}
        process_id = self._process.id  # what the store keeps for a while must not keep all of this
        rows = await self._store.read(lambda r: approvals.of_process(r, process_id))
        for row in rows:
            if row.status is ApprovalStatus.PENDING:
                continue
            if row.call in open_now:
                await self.send_decision(row)
            else:
                self._answered.add(row.call)

    async def compare(self, nursery: trio.Nursery) -> None:
        """Write down what is asked now, and withdraw what is asked no longer.

        Args:
            nursery: where it is waited until a question has been open for too long.
        """
        questions_now = self._conversation.questions
        if not questions_now and not self._asked:
            return
        open_now = {question.call: question for question in questions_now}
        for call, question in open_now.items():
            if call not in self._asked and call not in self._answered:
                self._asked[call] = question
                row = self._row(question)
                row_now = await self._store.write(lambda tx, row=row: questions.ask(tx, row))  # type: ignore[misc]
                if row_now.status is ApprovalStatus.PENDING:
                    nursery.start_soon(self._time_out, row_now)
                else:  # by a rule; or before, and then it was sent
                    await self.send_decision(row_now)
        for call in [call for call in self._asked if call not in open_now]:
            question = self._asked.pop(call)
            if call not in self._answered:
                await self._store.write(
                    lambda tx, q=question: questions.withdraw(  # type: ignore[misc]
                        tx, q.approval_id, WITHDRAWN, now()
                    )
                )

    async def refuse_excess(self) -> None:
        """An agent that asks without end is answered, and nobody else has to read it.

        No decision is noted: nobody has decided, and the answer itself is in the log.
        """
        while calls := self._conversation.take_excess(REFUSED_AT_ONCE):
            for call in calls:
                self._outbox.queue(Decide(call, Decision.DENIED, EXCESS, None))
            await self._outbox.flush()

    async def send_decision(self, row: Approval) -> None:
        """Note a decision in the log, and tell the agent; does nothing if it was told before."""
        if row.call in self._answered:
            return
        self._answered.add(row.call)
        decision = Decision(row.status.value)
        await self._running.note(
            notes.encode(
                notes.Decided(
                    call=row.call, decision=decision, reason=row.reason, answers=row.answers
                )
            )
        )
        self._outbox.queue(Decide(row.call, decision, row.reason, row.answers))
        await self._outbox.flush()

    def _row(self, question: Question) -> Approval:
        return Approval(
            id=question.approval_id,
            execution_process_id=self._process.id,
            task_attempt_id=self._process.task_attempt_id,
            call=question.call,
            tool_name=question.tool_name,
            tool_input=question.tool_input,
            status=ApprovalStatus.PENDING,
            created_at=timestamp_ns(question.asked_at),
            timeout_at=timestamp_ns(question.timeout_at),
        )

    async def _time_out(self, row: Approval) -> None:
        """Wait as long as the question may stay open, by the time that daemons were there.

        What is counted is written down now and then: no jump of the clock decides anything, and no
        night in which nobody could have answered.
        """
        allowed = seconds(row.timeout_at) - seconds(row.created_at)
        waited = await self._store.read(lambda r: approvals.waited(r, row.id))
        while waited < allowed:
            step = min(allowed - waited, max(allowed / 20, WAITING_NOTED_S))
            await trio.sleep(step)
            waited += step
            await self._store.write(lambda tx, w=waited: approvals.set_waited(tx, row.id, w))  # type: ignore[misc]
        decided = await self._store.write(lambda tx: questions.time_out(tx, row.id, now()))
        if decided is not None:
            self._timed_out(decided)
