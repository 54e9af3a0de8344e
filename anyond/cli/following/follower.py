"""Following one attempt until nothing runs in it, asking the person what its agent asks."""

from __future__ import annotations

import sys
import time
from collections import deque
from typing import NamedTuple

from anyond.api import processes
from anyond.cli.following.asking import Asking
from anyond.cli.following.feed import (
    EntriesOver,
    EntryCame,
    Feed,
    Happening,
    ProcessCame,
    StreamBroke,
    Typed,
)
from anyond.cli.following.questions import Rules
from anyond.cli.following.screen import Screen
from anyond.cli.following.transcript import Transcript
from anyond.cli.frame.exit_codes import ExitCode
from anyond.cli.frame.failures import CommandFailed
from anyond.cli.rendering.colors import Style
from anyond.cli.rendering.times import duration
from anyond.client import BlockingClient, Refused
from anyond.model.entries import TokenUsage
from anyond.model.http.bodies import FollowUp
from anyond.model.http.summaries import AttemptSummary
from anyond.model.rows import (
    ExecutionProcess,
    ProcessStatus,
    RunReason,
)

_LOOK_S = 0.5
_FOOT_AFTER_S = 0.3


class Ended(NamedTuple):
    """The end of what was followed.

    Args:
        last: the last process of agent or script.
        usage: tokens and cost of the agent's last run, if it reports them.
    """

    last: ExecutionProcess | None
    usage: TokenUsage | None


class Options(NamedTuple):
    """The ways to follow.

    Args:
        can_ask: a person is at the terminal.
        rules: what is decided without a person.
        deadline: when it is given up, by the monotonic clock.
        tail: so many entries of what is there already, of the last run only; None: all of it.
        stays: whether to wait for the next run when nothing runs.
        types: whether lines that are typed are sent to the agent.
        asks: whether questions of the agent are taken up at all.
    """

    can_ask: bool
    rules: Rules = Rules()
    deadline: float | None = None
    tail: int | None = None
    stays: bool = False
    types: bool = False
    asks: bool = True


class Follower:
    """One attempt on one screen."""

    def __init__(
        self,
        client: BlockingClient,
        attempt: AttemptSummary,
        screen: Screen,
        options: Options,
        *,
        verbose: bool = False,
    ) -> None:
        self._client = client
        self._attempt = attempt
        self._screen = screen
        self._options = options
        self._feed = Feed(client)
        self._transcript = Transcript(screen, verbose=verbose)
        self._waiting: deque[ExecutionProcess] = deque()
        self._known: dict[str, ExecutionProcess] = {}
        self._current: str | None = None
        self._asking = Asking(
            client,
            screen,
            self._transcript,
            options.rules,
            awaited_key=self._awaited_key,
            can_ask=options.can_ask,
        )
        self._began = time.monotonic()

    def run(self) -> Ended:
        """Follow until nothing runs any more.

        Raises:
            CommandFailed: the time is up, or a person is needed who is not there.
            ClientError: a stream broke for good.
            KeyboardInterrupt: the person does not want to see more.
        """
        self._feed.follow_processes(self._attempt.id)
        try:
            while True:
                keyboard = sys.stdin.fileno() if self._options.types else None
                happening = self._feed.take(self._time_left(), keyboard)
                if isinstance(happening, Typed):
                    if not self._send(sys.stdin.readline()):
                        return self._ended()
                elif happening is not None:
                    self._take(happening)
                    if isinstance(happening, EntriesOver) and self._is_over():
                        return self._ended()
                if self._known and self._current is None and not self._waiting and self._idle():
                    return self._ended()
                if self._options.asks:
                    self._asking.ask()
                self._show_foot()
        finally:
            self._transcript.flush()
            self._screen.end()

    def _idle(self) -> bool:
        return not self._options.stays and self._is_over()

    def _time_left(self) -> float:
        if self._options.deadline is None:
            return _LOOK_S
        left = self._options.deadline - time.monotonic()
        if left <= 0:
            raise CommandFailed(
                "The time is up; it goes on without being followed.",
                ExitCode.TIME_IS_UP,
                "time_is_up",
            )
        return min(_LOOK_S, left)

    def _take(self, happening: Happening) -> None:
        match happening:
            case ProcessCame(process):
                if process.run_reason is RunReason.DEV_SERVER:
                    return
                if process.id not in self._known:
                    self._waiting.append(process)
                self._known[process.id] = process
                self._next()
            case EntryCame(process_id, frame):
                if process_id == self._current:
                    self._transcript.put(frame)
            case EntriesOver(process_id):
                if process_id == self._current:
                    self._transcript.flush()
                    self._current = None
                self._next()
            case StreamBroke(error):
                raise error

    def _next(self) -> None:
        if self._current is not None or not self._waiting:
            return
        tail = self._options.tail
        if tail is not None:
            # What is there is the past: of that, the last run only.
            while len(self._waiting) > 1:
                self._waiting.popleft()
        process = self._waiting.popleft()
        self._current = process.id
        self._transcript.begin()
        self._feed.follow_entries(process.id, tail)

    def _is_over(self) -> bool:
        """Ask whether anything runs; a chain goes on in the very moment when a link ends."""
        if self._current is not None or self._waiting:
            return False
        asked = processes.ProcessesOfAttempt(task_attempt_id=self._attempt.id)
        rows = [
            row
            for row in self._client.call(processes.LIST_EXECUTION_PROCESSES, asked)
            if row.run_reason is not RunReason.DEV_SERVER
        ]
        for row in reversed(rows):
            if row.id in self._known:
                self._known[row.id] = row
        fresh = [row for row in reversed(rows) if row.id not in self._known]
        for row in fresh:
            self._take(ProcessCame(row))
        running = any(row.status is ProcessStatus.RUNNING for row in rows)
        return not fresh and not running and not self._options.stays

    def _ended(self) -> Ended:
        rows = sorted(self._known.values(), key=lambda row: row.created_at)
        return Ended(rows[-1] if rows else None, self._transcript.usage)

    def _awaited_key(self, keyboard: int) -> bool:
        """Take in what happens; whether a key was pressed."""
        happening = self._feed.take(self._time_left(), keyboard)
        if isinstance(happening, Typed):
            return True
        if happening is not None:
            self._take(happening)
        return False

    def _send(self, text: str) -> bool:
        """Send a line to the agent; False at the end of input."""
        from anyond.api import attempts
        from anyond.api.declaration.params import OfAttempt

        if not text:
            return False
        if text.strip():
            body = FollowUp(prompt=text.strip(), steer=True)
            params = OfAttempt(task_attempt_id=self._attempt.id)
            try:
                self._client.call(attempts.SEND_FOLLOW_UP, params, body)
            except Refused as refused:
                self._screen.line(f"! {refused}", Style.BAD)
        return True

    def _show_foot(self) -> None:
        passed = time.monotonic() - self._began
        if passed < _FOOT_AFTER_S:
            return
        if self._current is None:
            self._screen.foot("● nothing runs · type to send · Ctrl+C leaves")
            return
        process = self._known[self._current]
        words = {RunReason.SETUP_SCRIPT: "setup", RunReason.CLEANUP_SCRIPT: "cleanup"}
        name = words.get(process.run_reason, self._attempt.executor)
        doing = f" · {self._transcript.running}" if self._transcript.running else ""
        # Who types would lose sight of it with each second.
        time_passed = "" if self._options.types else f" · {duration(passed)}"
        self._screen.foot(f"◐ {name}{time_passed}{doing} · Ctrl+C leaves it running")
