"""One running execution: what it says is taken in, and how it ends is reported.

The spool is the only source: records are read in order, live and after a restart alike.
"""

from __future__ import annotations

import signal
from collections.abc import Callable

import structlog
import trio
from msgspec import Struct

from anyond.actors.core import Actor
from anyond.actors.execution.growth import Growth
from anyond.actors.messaging.talk import Talk
from anyond.agents.common.core import Dialogue
from anyond.logs.conversation import Conversation
from anyond.machines.process import (
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
)
from anyond.model.errors import AnyondError
from anyond.model.records import Exit
from anyond.model.rows import ExecutionProcess, RunReason
from anyond.procs.shims.launcher import Ended, Launcher, Lost
from anyond.procs.shims.shim_connection import ShimConnection
from anyond.store.engine.database import Store
from anyond.watchers.logs import Live

log = structlog.get_logger()

OBEYED_S = 10.0
"""The timeout of a shim's confirmation that it kills."""

KILLED = "The process that supervised it was killed."
HUNG = (
    "The process that supervised it did not react any more, and was ended with all it had started."
)


class Finished(Struct, frozen=True):
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
        self.machine: ProcessMachine = ProcessMachine(has_dialogue=dialogue is not None)
        self._running = running
        self._live = live
        self._growth = Growth(running, live)
        self._launcher = launcher
        self._stop_first = stopping
        self._is_hung = False
        self._finished = finished
        self._talk: Talk | None = None
        if dialogue is not None:
            self._talk = Talk(
                process,
                dialogue,
                running=running,
                store=store,
                approval_timeout=approval_timeout,
                silence=silence,
                is_stopping=lambda: stopping or self.machine.stopping,
                send=self.send,
            )

    def __str__(self) -> str:
        return f"process {self.process.id}"

    # ------------------------------------------------------------ life

    def idle(self) -> bool:
        return self.machine.gone

    async def opened(self) -> None:
        self._reader = self._launcher.spool(self.process.id).records()
        self.nursery.start_soon(self._growth.run)  # before a replay, which can take its time
        if self._talk is not None:
            await self._talk.open(self._reader, self._live, self.nursery)
        if self._stop_first:
            self.send(StopAsked())
        self.nursery.start_soon(self._follow)

    async def end(self) -> None:
        self._reader.close()
        if self._talk is not None:
            self._talk.close()
            self._talk = None
        await self._running.aclose()

    async def perform(self, command: Command) -> None:
        # A shim that hangs takes no words, so nothing here may wait until they are sent.
        match command:
            case TakeStep(step, seconds):
                self._take_step(step)
                if seconds is not None:
                    self.nursery.start_soon(self._deadline, step, seconds)
            case SendDecision(approval):
                if self._talk is not None:
                    self.nursery.start_soon(self._talk.send_decision, approval)
            case SendMessages():
                if self._talk is not None:
                    self.nursery.start_soon(self._talk.send_messages)
            case ReportExit(exit):
                conversation = self._talk.conversation if self._talk is not None else None
                self._finished(Finished(self.process, exit, conversation))

    def _take_step(self, step: StopStep) -> None:
        match step:
            case StopStep.INTERRUPT:
                if self._talk is not None and not self._talk.interrupt():
                    self.nursery.start_soon(self._running.signal, signal.SIGINT)
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
        self.send(DeadlinePassed(step))

    async def _end_hung_shim(self) -> None:
        """The last resort, when words have had no effect; the connection then breaks by itself."""
        if not await self._running.obeys(OBEYED_S):
            log.warning("hung_shim", process=self.process.id)
            self._is_hung = True  # whoever is quicker to write down why it ended
            try:
                await self._launcher.finalize_lost(
                    self.process.id, HUNG, self._running.processes, force=True
                )
            except AnyondError as error:
                log.warning("not_ended", process=self.process.id, why=str(error))
        self.send(DeadlinePassed(StopStep.END_SHIM))

    async def _follow(self) -> None:
        if self._talk is None:
            await self._growth.wait_for_end()  # a line of a script is nobody's turn here
        else:
            while await self._growth.wait():
                await self._talk.read_on()
            await self._talk.read_on()
        found = self._launcher.look(self.process.id, recorded=True)
        setup = self.process.run_reason is RunReason.SETUP_SCRIPT
        if isinstance(found, Ended) and (
            self._running.orderly or (setup and found.exit.left_running)
        ):
            exit = found.exit
        else:
            # Also if there is an exit: it may be the agent that has written it, and lives.
            why = found.reason if isinstance(found, Lost) else KILLED
            why = HUNG if self._is_hung else why
            exit = await self._launcher.finalize_lost(self.process.id, why, self._running.processes)
        self.send(Exited(exit))
