"""Requests about the conversations of attempts, as parts of all their runs together."""

from __future__ import annotations

import msgspec

from anyond.model.entries import NormalizedEntry
from anyond.model.http.conversation import ConversationEntry, ConversationPage, ConversationRun
from anyond.model.http.frames import EntryFrame
from anyond.model.rows import RunReason
from anyond.store.board import attempts
from anyond.store.engine.database import Store
from anyond.store.engine.transaction import Reader
from anyond.store.runs import processes
from anyond.watchers.logs import Logs

_decoder = msgspec.json.Decoder(NormalizedEntry)


class Conversations:
    """Reads conversations from their end."""

    def __init__(self, store: Store, logs: Logs) -> None:
        self._store = store
        self._logs = logs

    async def part(self, attempt_id: str, tail: int, before: int | None) -> ConversationPage:
        """The last entries, or those before a position.

        Args:
            tail: how many at most.
            before: the position of the entry after them.

        Raises:
            NotFound: there is no such attempt.
        """

        def rows(reader: Reader) -> list[ConversationRun]:
            attempts.place(reader, attempt_id)
            return [
                ConversationRun(
                    execution_process_id=row.id,
                    run_reason=row.run_reason,
                    status=row.status,
                    started_at=row.started_at,
                    start=0,
                    count=0,
                )
                for row in reversed(processes.of_attempt(reader, attempt_id))
                if row.run_reason is not RunReason.DEV_SERVER
            ]

        runs: list[ConversationRun] = []
        total = 0
        for run in await self._store.read(rows):
            count = await self._logs.count(run.execution_process_id)
            runs.append(msgspec.structs.replace(run, start=total, count=count))
            total += count
        end = total if before is None else min(before, total)
        start = max(0, end - tail)
        entries: list[ConversationEntry] = []
        for run in runs:
            low, high = max(start - run.start, 0), min(end - run.start, run.count)
            if low < high:
                frames = await self._logs.part(run.execution_process_id, low, high)
                entries += [one for frame in frames if (one := _entry(run, frame)) is not None]
        return ConversationPage(
            entries=entries, total=total, before=start if start > 0 else None, runs=runs
        )


def _entry(run: ConversationRun, frame: EntryFrame) -> ConversationEntry | None:
    try:
        entry = _decoder.decode(frame.entry)
    except msgspec.MsgspecError:
        return None  # of another version, or damaged: the others can be read
    return ConversationEntry(
        position=run.start + frame.index,
        execution_process_id=run.execution_process_id,
        index=frame.index,
        seq=frame.seq,
        entry=entry,
    )
