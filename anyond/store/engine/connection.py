"""A connection to SQLite whose worker thread answers Trio tasks instead of asyncio futures."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

import aiosqlite
import trio
from aiosqlite.core import _STOP_RUNNING_SENTINEL

from anyond.model.errors import Unavailable

R = TypeVar("R")
Work = Callable[[sqlite3.Connection], R]


class Entry:
    """The way from the worker thread back into Trio, in the words of an asyncio loop."""

    __slots__ = ("_token",)

    def __init__(self) -> None:
        self._token = trio.lowlevel.current_trio_token()

    def call_soon_threadsafe(self, function: Callable[..., object], *arguments: object) -> None:
        # When Trio is over, nobody waits for the answer; the thread must live on to be stopped.
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(function, *arguments)


class Answer(Generic[R]):
    """One result that one task waits for; to aiosqlite it looks like a future.

    Args:
        entry: where results come in from another thread; None if they never do.
        on_done: called in the Trio thread, once, as soon as the result is there.
    """

    __slots__ = ("_done", "_entry", "_error", "_on_done", "_result", "_task")

    def __init__(
        self, entry: Entry | None = None, on_done: Callable[[Answer[R]], object] | None = None
    ) -> None:
        self._entry = entry
        self._on_done = on_done
        self._task: trio.lowlevel.Task | None = None
        self._done = False
        self._result: R | None = None
        self._error: BaseException | None = None

    def get_loop(self) -> Entry:
        assert self._entry is not None
        return self._entry

    def done(self) -> bool:
        return self._done

    def set_result(self, result: R) -> None:
        self._result = result
        self._settle()

    def set_exception(self, error: BaseException) -> None:
        self._error = error
        self._settle()

    def result(self) -> R:
        """The result of a finished answer, or its error raised."""
        assert self._done
        if self._error is not None:
            error, self._error = self._error, None
            try:
                raise error
            finally:
                del error  # its traceback holds this frame: no cycle through here
        return self._result  # type: ignore[return-value]

    async def wait(self) -> R:
        """Wait for the result. If the caller is cancelled, the result is dropped, not the work."""
        if self._done:
            await trio.lowlevel.checkpoint()
        else:
            self._task = trio.lowlevel.current_task()

            def give_up(_: object) -> trio.lowlevel.Abort:
                self._task = None
                return trio.lowlevel.Abort.SUCCEEDED

            await trio.lowlevel.wait_task_rescheduled(give_up)
        return self.result()

    def _settle(self) -> None:
        self._done = True
        task, self._task = self._task, None
        if task is not None:
            trio.lowlevel.reschedule(task)
        if self._on_done is not None:
            self._on_done(self)


class Connection(Protocol):
    """A SQLite connection that does one closure after another, in order."""

    def submit(self, work: Work[R], on_done: Callable[[Answer[R]], object]) -> None:
        """Do `work` some time; `on_done` gets its finished answer in the Trio thread."""

    async def run(self, work: Work[R]) -> R:
        """Do `work` in its turn. A cancelled caller drops the result, but the work is done."""

    def interrupt(self) -> None:
        """Make the statement that runs now fail; from any thread."""

    async def close(self) -> None:
        """Do what was submitted before, then close."""


class ThreadConnection(aiosqlite.Connection):
    """aiosqlite without asyncio: its public interface works under Trio, and `submit` and `run` too.

    It relies on private names of aiosqlite 0.22; a contract test guards each of them.
    """

    _entry: Entry

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        # A store that was not closed must not keep the interpreter from ending; SQLite's
        # transactions survive a thread that stops in the middle.
        self._thread.daemon = True

    @classmethod
    async def open(cls, connector: Callable[[], sqlite3.Connection]) -> ThreadConnection:
        """Start the thread and connect on it. Raises what `connector` raises."""
        self = cls(connector)
        self._entry = Entry()
        self._thread.start()
        return await self._connect()

    def submit(self, work: Work[R], on_done: Callable[[Answer[R]], object]) -> None:
        self._put(Answer(self._entry, on_done), work, self._open_connection())

    async def run(self, work: Work[R]) -> R:
        answer: Answer[R] = Answer(self._entry)
        self._put(answer, work, self._open_connection())
        return await answer.wait()

    def interrupt(self) -> None:  # type: ignore[override]
        if self._connection is not None:
            self._connection.interrupt()

    async def close(self) -> None:
        if self._running:
            await self.stop().wait()

    def _open_connection(self) -> sqlite3.Connection:
        if not self._running or self._connection is None:
            raise Unavailable("The database connection is closed.")
        return self._connection

    def _put(
        self, answer: Answer[R], function: Callable[..., R], *args: Any, **kwargs: Any
    ) -> None:
        self._tx.put_nowait((answer, partial(function, *args, **kwargs)))  # type: ignore[arg-type]

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._open_connection()
        answer: Answer[Any] = Answer(self._entry)
        self._put(answer, fn, *args, **kwargs)
        return await answer.wait()

    async def _connect(self) -> ThreadConnection:
        def connect() -> None:
            # Set on the thread, so that `stop` finds it even if nobody waits here any more.
            self._connection = self._connector()

        answer: Answer[None] = Answer(self._entry)
        self._put(answer, connect)
        try:
            await answer.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> Answer[object]:  # type: ignore[override]
        """Close after everything queued, and end the thread. Never waits by itself."""
        self._running = False

        def close_and_stop() -> object:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            return _STOP_RUNNING_SENTINEL

        answer: Answer[object] = Answer(self._entry)
        self._put(answer, close_and_stop)
        return answer


class InlineConnection:
    """The same without a thread, for tests whose virtual clock must not run ahead of one."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        self._connection: sqlite3.Connection | None = connector()

    def submit(self, work: Work[R], on_done: Callable[[Answer[R]], object]) -> None:
        if self._connection is None:
            raise Unavailable("The database connection is closed.")
        answer: Answer[R] = Answer(on_done=on_done)
        try:
            result = work(self._connection)
        except BaseException as error:
            answer.set_exception(error)
        else:
            answer.set_result(result)

    async def run(self, work: Work[R]) -> R:
        answers: list[Answer[R]] = []
        self.submit(work, answers.append)
        return await answers[0].wait()

    def interrupt(self) -> None:
        if self._connection is not None:
            self._connection.interrupt()

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        await trio.lowlevel.checkpoint()
