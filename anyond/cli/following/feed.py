"""Streams of the daemon and the keyboard, as one sequence of things that happen."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from anyond.api import attempts, processes
from anyond.client import BlockingClient
from anyond.model.http.frames import IndexedEntry, LogChunk
from anyond.model.rows import ExecutionProcess


class EntryCame(NamedTuple):
    """A new or changed entry of a process."""

    process_id: str
    frame: IndexedEntry


class EntriesOver(NamedTuple):
    """All entries of a process have come."""

    process_id: str


class OutputCame(NamedTuple):
    """A piece of the output of a process."""

    process_id: str
    chunk: LogChunk


class OutputOver(NamedTuple):
    """All output of a process has come."""

    process_id: str


class ProcessCame(NamedTuple):
    """A new or changed process of the attempt."""

    process: ExecutionProcess


class StreamBroke(NamedTuple):
    """A stream cannot go on."""

    error: Exception


class Typed(NamedTuple):
    """Something is to be read from the keyboard."""


Happening = EntryCame | EntriesOver | OutputCame | OutputOver | ProcessCame | StreamBroke | Typed


class Feed:
    """Things that happen to one attempt; threads put them in, one reader takes them out.

    The threads end with the program, or when their streams do.
    """

    def __init__(self, client: BlockingClient) -> None:
        self._client = client
        self._queue: SimpleQueue[Happening] = SimpleQueue()
        self._readable, self._wakes = os.pipe()
        os.set_blocking(self._readable, False)
        os.set_blocking(self._wakes, False)

    def follow_processes(self, attempt_id: str) -> None:
        """From now on `ProcessCame` for those that are there, and for each change."""
        self._begin(self._processes, attempt_id)

    def follow_entries(self, process_id: str, tail: int | None = None) -> None:
        """From now on `EntryCame`, and `EntriesOver` at the end.

        Args:
            tail: so many of the entries that are there; None: all.
        """
        self._begin(self._entries, process_id, tail)

    def follow_output(self, process_id: str, tail: int | None = None) -> None:
        """From now on `OutputCame`, and `OutputOver` at the end; `tail` as above."""
        self._begin(self._output, process_id, tail)

    def take(self, timeout_s: float, keyboard: int | None = None) -> Happening | None:
        """The next thing that happens; None if nothing does in that time.

        Args:
            keyboard: a descriptor to look at as well.
        """
        with suppress(Empty):
            return self._queue.get_nowait()
        watched = [self._readable] if keyboard is None else [self._readable, keyboard]
        ready, _, _ = select.select(watched, [], [], timeout_s)
        if self._readable in ready:
            with suppress(BlockingIOError):
                os.read(self._readable, 4096)
        with suppress(Empty):
            return self._queue.get_nowait()
        return Typed() if keyboard in ready else None

    def _put(self, item: Happening) -> None:
        self._queue.put(item)
        with suppress(BlockingIOError):  # then it is readable anyway
            os.write(self._wakes, b"x")

    def _begin(self, work: Any, *arguments: Any) -> None:
        def run() -> None:
            try:
                for item in work(*arguments):
                    self._put(item)
            except Exception as error:  # whatever it is: who takes would wait for ever
                self._put(StreamBroke(error))

        threading.Thread(target=run, daemon=True).start()

    def _processes(self, attempt_id: str) -> Iterator[Happening]:
        params = processes.FollowedProcesses(task_attempt_id=attempt_id)
        with self._client.follow(processes.STREAM_EXECUTION_PROCESSES, params) as frames:
            for frame in frames:
                rows = reversed(frame.data) if isinstance(frame.data, list) else [frame.data]
                yield from (ProcessCame(row) for row in rows)

    def _entries(self, process_id: str, tail: int | None) -> Iterator[Happening]:
        params = processes.FollowedLog(execution_process_id=process_id, batch=True, tail=tail)
        with self._client.follow(processes.STREAM_NORMALIZED_LOGS, params) as frames:
            for frame in frames:
                yield EntryCame(process_id, frame)
        yield EntriesOver(process_id)

    def _output(self, process_id: str, tail: int | None) -> Iterator[Happening]:
        params = processes.FollowedLog(execution_process_id=process_id, batch=True, tail=tail)
        with self._client.follow(processes.STREAM_RAW_LOGS, params) as frames:
            for frame in frames:
                yield OutputCame(process_id, frame.value)
        yield OutputOver(process_id)


def changed_files(client: BlockingClient, attempt_id: str) -> list[Any]:
    """The differences of all files that an attempt has changed, without contents."""
    return list(differences(client, attempt_id, stats_only=True))


def differences(client: BlockingClient, attempt_id: str, *, stats_only: bool) -> list[Any]:
    """The differences of all files as they are now, by path."""
    from anyond.model.http.frames import DiffFound, DiffReady, DiffRemoved, DiffResync

    found: dict[str, Any] = {}
    params = attempts.FollowedDiff(task_attempt_id=attempt_id, stats_only=stats_only)
    with client.follow(attempts.STREAM_DIFF, params) as frames:
        for frame in frames:
            match frame:
                case DiffFound():
                    found[frame.path] = frame.data
                case DiffRemoved():
                    found.pop(frame.path, None)
                case DiffResync():
                    found.clear()
                case DiffReady():
                    break
    return [found[path] for path in sorted(found)]
