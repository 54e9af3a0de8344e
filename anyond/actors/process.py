"""One running execution: what it says is folded, what it asks is written down, how it ends is told.

The spool is the only source: the actor reads records in order, live and after a restart alike.
First everything that is already there is replayed; then questions and decisions are compared with
the approvals in the store, and only then is anything sent. So a decision that was made a moment
before a crash still reaches the agent, and nothing reaches it twice.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass

import structlog
import trio

from anyond.actors import handshake
from anyond.actors.core import Actor
from anyond.actors.silence import Silence
from anyond.agents.core import (
    Decide,
    Dialogue,
    Interrupt,
    Offered,
    Opens,
    Outcome,
    Prompt,
    ToldAtOnce,
    Verdict,
)
from anyond.logs import notes
from anyond.logs.conversation import WITHDRAWN, Conversation, Question
from anyond.machines.process import (
    ApprovalDecided,
    Command,
    DeadlinePassed,
    Event,
    Exited,
    ProcessMachine,
    ReportExit,
    SendDecision,
    SendMessages,
    StopAsked,
    StopStep,
    TakeStep,
    TurnOver,
)
from anyond.model.errors import AnyondError
from anyond.model.ids import now, seconds, timestamp_ns
from anyond.model.records import Exit
from anyond.model.rows import (
    Approval,
    ApprovalStatus,
    ExecutionProcess,
    RunReason,
    ScriptRequest,
)
from anyond.operations.run import run
from anyond.operations.turn import questions, reading, steering
from anyond.procs.launcher import Ended, Launcher, Lost
from anyond.procs.shim_connection import ShimConnection
from anyond.store import approvals, offers, sessions
from anyond.store.database import Store
from anyond.watchers.logs import Live

log = structlog.get_logger()

TICK = 0.004
"""Seconds in which the output of an agent is gathered before it is read."""

EXCESS = "Too many questions are open; ask fewer at a time."
"""Why a question is refused that nobody was asked."""

REFUSED_AT_ONCE = 256
"""So many questions are refused before the agent is told, and others run."""

OBEYED_S = 10.0
"""Seconds in which a shim that was told to kill confirms that it has heard of it."""

KILLED = "The process that supervised it was killed."
HUNG = (
    "The process that supervised it did not react any more, and was ended with all it had started."
)

ECHO = 5.0
"""Seconds after which what was said to an agent is on record, if its stdin is open at all."""

WAITING_NOTED_S = 5.0
"""So long a question has waited at least before that is written down again."""


@dataclass(frozen=True)
class Finished:
    """All that is known when an execution is over."""

    process: ExecutionProcess
    exit: Exit
    conversation: Conversation | None


class ProcessActor(Actor[Event, Command]):
    """Follows one execution from its start, or from wherever it is found, to its end.

    Args:
        running: the connection to its shim.
        dialogue: a fresh dialogue, or None for a script.
        approval_timeout: seconds.
        silence: seconds after which a silence of the agent is told, 0 for never; asked each time.
        stopping: whether a stop was asked for before the daemon was started again.
        finished: told once, when the spool has the exit.
    """

    def __init__(
        self,
        process: ExecutionProcess,
        running: ShimConnection,
        live: Live,
        *,
        store: Store,
        launcher: Launcher,
        dialogue: Dialogue | None,
        approval_timeout: float,
        silence: Callable[[], float],
        stopping: bool,
        finished: Callable[[Finished], None],
    ) -> None:
        super().__init__()
        self.process = process
        self.machine: ProcessMachine = ProcessMachine(speaks=dialogue is not None)
        self._running = running
        self._live = live
        self._store = store
        self._launcher = launcher
        self._dialogue = dialogue
        self._stop_first = stopping
        self._finished = finished
        self._answered: set[str] = set()
        self._asked: dict[str, Question] = {}
        self._session_id: str | None = None
        self._offered: Offered | None = None
        self._turn_told = False
        self._said = 0
        self._echo_awaited = False
        self._stdin_ended = False
        self._told_at_once = isinstance(dialogue, ToldAtOnce) and dialogue.told_at_once
        self._conversation: Conversation | None = None
        self._silence: Silence | None = None
        if dialogue is not None:
            self._conversation = Conversation(process.id, dialogue, approval_timeout)
            self._silence = Silence(self._conversation, silence, self._tell_silence)

    def __str__(self) -> str:
        return f"process {self.process.id}"

    # ------------------------------------------------------------ life

    def idle(self) -> bool:
        return self.machine.gone

    async def opened(self) -> None:
        self._reader = self._launcher.spool(self.process.id).records()
        if self._dialogue is not None:
            # All of it first: what is in it need not be said again.
            while await self._read():
                pass
            self._live.conversation = self._conversation
            await self._reconcile()
            await self._say()
            await self._after_reading()
            if self._silence is not None:
                self.nursery.start_soon(self._silence.run)
            if self._conversation is not None and isinstance(self._dialogue, Opens):
                timeout_s = self._dialogue.handshake_timeout_s
                self.nursery.start_soon(
                    handshake.watch, self._conversation, timeout_s, self._tell_unanswered
                )
        if self._stop_first:
            self.tell(StopAsked())
        self.nursery.start_soon(self._follow)

    async def end(self) -> None:
        self._reader.close()
        # An actor hangs in circles that are found late, and a conversation can be large.
        self._conversation = self._dialogue = self._silence = None
        await self._running.aclose()

    async def perform(self, command: Command) -> None:
        # A shim that hangs takes no words, so nothing here may wait until they are sent.
        match command:
            case TakeStep(step, seconds):
                self._take_step(step)
                if seconds is not None:
                    self.nursery.start_soon(self._deadline, step, seconds)
            case SendDecision(approval):
                self.nursery.start_soon(self._decide, approval)
            case SendMessages():
                if self._dialogue is not None:
                    self.nursery.start_soon(self._say)
            case ReportExit(exit):
                self._finished(Finished(self.process, exit, self._conversation))

    def _take_step(self, step: StopStep) -> None:
        match step:
            case StopStep.INTERRUPT:
                if self._told_at_once:
                    self.nursery.start_soon(self._running.signal, signal.SIGINT)
                elif self._dialogue is not None:
                    self._dialogue.send(Interrupt())
                    self.nursery.start_soon(self._flush)
            case StopStep.CLOSE_STDIN:
                self.nursery.start_soon(self._running.close_stdin)
            case StopStep.TERMINATE:
                self.nursery.start_soon(self._running.signal, signal.SIGTERM)
            case StopStep.KILL:
                self.nursery.start_soon(self._running.kill)
            case StopStep.END_SHIM:
                self.nursery.start_soon(self._end_hung_shim)

    async def _deadline(self, step: StopStep, delay: float) -> None:
        await trio.sleep(delay)
        self.tell(DeadlinePassed(step))

    async def _end_hung_shim(self) -> None:
        """The last resort, when words have had no effect; the connection then breaks by itself."""
        if not await self._running.obeys(OBEYED_S):
            log.warning("hung_shim", process=self.process.id)
            try:
                await self._launcher.finalize_lost(
                    self.process.id, HUNG, self._running.processes, force=True
                )
            except AnyondError as error:
                log.warning("not_ended", process=self.process.id, why=str(error))
        self.tell(DeadlinePassed(StopStep.END_SHIM))

    async def _follow(self) -> None:
        troubled = False
        while await self._running.news():
            if self._running.trouble != troubled:
                troubled = self._running.trouble
                log.warning("disk_trouble", process=self.process.id, full=troubled)
            if self._dialogue is not None:
                await trio.sleep(TICK)
                await self._read_on()
            self._live.wake.ring()
        if self._dialogue is not None:
            await self._read_on()
        found = self._launcher.look(self.process.id, recorded=True)
        setup = self.process.run_reason is RunReason.SETUP_SCRIPT
        if isinstance(found, Ended) and (self._running.orderly or (setup and found.exit.kept)):
            exit = found.exit
        else:
            # Also if there is an exit: it may be the agent that has written it, and lives.
            why = found.reason if isinstance(found, Lost) else KILLED
            exit = await self._launcher.finalize_lost(self.process.id, why, self._running.processes)
        self.tell(Exited(exit))

    # ------------------------------------------------------------ the fold

    async def _read(self) -> bool:
        """Take in the next piece of the log; whether there was one."""
        if self._conversation is None or not (records := self._reader.read(run.REPLAYED_AT_ONCE)):
            return False
        await reading.feed(self._conversation, records)
        return True

    async def _read_on(self) -> None:
        """Take in what is new, and answer as it goes, so that never much is to be answered."""
        while await self._read():
            await self._after_reading()
        await self._after_reading()

    async def _after_reading(self) -> None:
        conversation = self._conversation
        if conversation is None:
            return
        session_id = conversation.session_id
        if session_id is not None and session_id != self._session_id:
            self._session_id = session_id
            await self._store.write(
                lambda tx: sessions.set_session_id(tx, self.process.id, session_id)
            )
        if conversation.offered not in (None, self._offered):
            self._offered = conversation.offered
            await self._remember_offers(self._offered)
        await self._compare_questions(conversation)
        await self._refuse_excess(conversation)
        if self._silence is not None:
            self._silence.look()
        self._live.wake.ring()
        await self._flush()
        if conversation.outcome is None or self._turn_told:
            return
        if not self._said or self._said < conversation.heard:
            self._let_go(conversation.outcome)
        elif not self._echo_awaited:
            # What is on its way to the agent opens its turn again.
            self._echo_awaited = True
            self.nursery.start_soon(self._await_echo)

    async def _remember_offers(self, offered: Offered) -> None:
        """Other runs of this agent, and forms of variants, can choose from that."""
        action = self.process.executor_action.typ
        if not isinstance(action, ScriptRequest):
            executor = action.executor_profile_id.executor
            await self._store.write(
                lambda tx: offers.put(tx, executor, offered.known_as, offered.offers, now())
            )

    def _let_go(self, outcome: Outcome) -> None:
        self._turn_told = True
        self.tell(TurnOver(outcome))

    async def _await_echo(self) -> None:
        """A program that has closed its stdin never hears it, and its turn is over all the same."""
        await trio.sleep(ECHO)
        self._echo_awaited = False
        outcome = self._conversation.outcome if self._conversation is not None else None
        if outcome is not None and not self._turn_told:
            self._let_go(outcome)

    async def _tell_silence(self, seconds: int) -> None:
        await self._running.note(notes.encode(notes.Quiet(seconds=seconds)))

    async def _tell_unanswered(self, seconds: int) -> None:
        await self._running.note(notes.encode(notes.Unanswered(seconds=seconds)))

    async def _flush(self) -> None:
        while self._dialogue is not None and (messages := self._dialogue.outgoing()):
            # Together, since to hand over and to record each of very many takes its time.
            await self._running.write(b"".join(messages))
        if self._told_at_once and not self._stdin_ended:
            # After a restart too: the last daemon may have died between the message and its end.
            self._stdin_ended = True
            await self._running.close_stdin()

    async def _say(self) -> None:
        """Say to the agent what it has not heard yet, unless it is being let go."""
        assert self._conversation is not None
        assert self._dialogue is not None
        wanted = await self._store.read(lambda r: steering.said(r, self.process.id))
        # Read it only now: nothing is awaited from here on until all is queued.
        self._said = max(self._said, self._conversation.heard - 1)
        leaving = self._turn_told or self._stop_first or self.machine.stopping
        while self._said < len(wanted) and not leaving:
            self._dialogue.send(Prompt(wanted[self._said].told))
            self._said += 1
        await self._flush()

    # ------------------------------------------------------------ questions

    async def _compare_questions(self, conversation: Conversation) -> None:
        open_now = {q.call: q for q in conversation.questions}
        for call, question in open_now.items():
            if call not in self._asked and call not in self._answered:
                self._asked[call] = question
                row = self._row(question)
                kept = await self._store.write(lambda tx, row=row: questions.ask(tx, row))  # type: ignore[misc]
                if kept.status is ApprovalStatus.PENDING:
                    self.nursery.start_soon(self._time_out, kept)
        for call in [c for c in self._asked if c not in open_now]:
            question = self._asked.pop(call)
            if call not in self._answered:
                await self._store.write(
                    lambda tx, q=question: questions.withdraw(  # type: ignore[misc]
                        tx, q.approval_id, WITHDRAWN, now()
                    )
                )

    async def _refuse_excess(self, conversation: Conversation) -> None:
        """An agent that asks without end is answered, and nobody else has to read it.

        No decision is noted: nobody has decided, and the answer itself is in the log.
        """
        while self._dialogue is not None and (calls := conversation.take_excess(REFUSED_AT_ONCE)):
            for call in calls:
                self._dialogue.send(Decide(call, Verdict.DENIED, EXCESS, None))
            await self._flush()

    async def _reconcile(self) -> None:
        """After a replay: decisions that were made but never reached the agent reach it now."""
        assert self._conversation is not None
        open_now = {q.call for q in self._conversation.questions}
        rows = await self._store.read(lambda r: approvals.of_process(r, self.process.id))
        for row in rows:
            if row.status is ApprovalStatus.PENDING:
                continue
            if row.call in open_now:
                await self._decide(row)
            else:
                self._answered.add(row.call)

    def _row(self, question: Question) -> Approval:
        return Approval(
            id=question.approval_id,
            execution_process_id=self.process.id,
            task_attempt_id=self.process.task_attempt_id,
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
            self.tell(ApprovalDecided(decided))

    async def _decide(self, row: Approval) -> None:
        if self._dialogue is None or row.call in self._answered:
            return
        self._answered.add(row.call)
        verdict = Verdict(row.status.value)
        await self._running.note(
            notes.encode(
                notes.Decided(
                    call=row.call, verdict=verdict, reason=row.reason, answers=row.answers
                )
            )
        )
        self._dialogue.send(Decide(row.call, verdict, row.reason, row.answers))
        await self._flush()
