"""Reading tasks and conversations into the index for searches, behind what happens.

Theory of operation. The reader follows the change log from a position in the database, which moves
when all before it is in the index: after a crash, it does a part again. Where the change log has
forgotten what comes after the position, it looks for what is missing. What a run has said is read
when the run is over, from its archive, some texts a write, so that nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import structlog
import trio

from anyond.model.entries import (
    AssistantMessage,
    CommandRun,
    FileEdit,
    FileRead,
    NormalizedEntry,
    PlanPresentation,
    Search,
    ToolUse,
    UserFeedback,
    UserMessage,
    WebFetch,
)
from anyond.model.errors import AnyondError, Unavailable
from anyond.model.http.found import FoundKind
from anyond.model.http.frames import EntryFrame
from anyond.model.refusals.daemon import Gone
from anyond.model.rows import Change
from anyond.store.engine.changes import ChangeCursor
from anyond.store.engine.database import Store
from anyond.store.runs import texts
from anyond.store.runs.texts import Text, Unread
from anyond.watchers.logs import Logs

TEXT_MOST = 16 * 1024
"""Characters of a text that can be found; of what is longer, its beginning."""
RUN_MOST = 2 * 1024**2
"""Characters of a run; what comes later in it cannot be found."""
_AT_ONCE = 100
_LET_START_S = 1.0
"""A daemon that has just started has others to answer first."""

_TASK_KINDS = frozenset({"task_created", "task_updated"})
_MARKS = str.maketrans({"\0": " ", "\x02": " ", "\x03": " "})
_decoder = msgspec.json.Decoder(NormalizedEntry)

log = structlog.get_logger()


class SearchIndex:
    """A permanent service that keeps the index up to date."""

    def __init__(self, store: Store, logs: Logs) -> None:
        self._store = store
        self._logs = logs

    async def run(self) -> None:
        """Read for ever; waits for the next change without waking up."""
        await trio.sleep(_LET_START_S)
        cursor = await self._begin()
        while True:
            try:
                page = await cursor.next()
            except Gone:
                cursor = await self._catch_up()
                continue
            await self._read(page)

    async def _begin(self) -> ChangeCursor:
        position = await self._store.read(texts.position)
        if position is not None:
            try:
                return self._store.changes.follow(position)
            except Gone:
                pass  # it is so long ago that only a look at everything helps
        return await self._catch_up()

    async def _catch_up(self) -> ChangeCursor:
        """Bring all into the index that is not in it."""
        position = self._store.changes.end
        cursor = self._store.changes.follow(position)
        await self._read_tasks(await self._store.read(texts.unread_tasks))
        for execution_id in await self._store.read(texts.unread_executions):
            await self._read_execution(execution_id)
        await self._store.write(lambda tx: texts.set_position(tx, position))
        return cursor

    async def _read(self, page: Sequence[Change]) -> None:
        task_ids = {change.key: None for change in page if change.kind in _TASK_KINDS}
        await self._read_tasks([task_id for task_id in task_ids if task_id])
        ended = [change.key for change in page if change.kind == "process_completed"]
        for execution_id in ended:
            await self._read_execution(execution_id or "")
        if task_ids or ended:
            await self._store.write(lambda tx: texts.set_position(tx, page[-1].position))

    async def _read_tasks(self, task_ids: Sequence[str]) -> None:
        for start in range(0, len(task_ids), _AT_ONCE):
            some = task_ids[start : start + _AT_ONCE]
            await self._store.write(lambda tx, some=some: texts.read_tasks(tx, some))  # type: ignore[misc]

    async def _read_execution(self, execution_id: str) -> None:
        run = await self._store.read(lambda r: texts.unread(r, execution_id))
        if run is None:
            return
        await self._store.write(lambda tx: texts.forget_execution(tx, execution_id))
        reader = _ConversationReader(run)
        try:
            async for frames in self._logs.entries(execution_id):
                found = await trio.to_thread.run_sync(reader.read, frames)
                await self._add(run, found)
        except Unavailable:
            raise  # the database or the disk: to be tried again
        except (AnyondError, OSError) as error:
            # Deleted meanwhile, or damaged: what is left of it can be found, and the rest goes on.
            log.warning("conversation_not_indexed", process=execution_id, why=str(error))

    async def _add(self, run: Unread, found: Sequence[Text]) -> None:
        for start in range(0, len(found), _AT_ONCE):
            some = found[start : start + _AT_ONCE]
            await self._store.write(lambda tx, some=some: texts.add(tx, run, some))  # type: ignore[misc]


class _ConversationReader:
    """Takes the texts out of the entries of one run; each path once."""

    def __init__(self, run: Unread) -> None:
        self._ended_at = run.ended_at
        self._paths: set[str] = set()
        self._left = RUN_MOST

    def read(self, frames: Sequence[EntryFrame]) -> list[Text]:
        """The texts of some entries."""
        found = []
        for frame in frames:
            try:
                entry = _decoder.decode(frame.entry)
            except msgspec.MsgspecError:
                continue  # of another version, or damaged
            for kind, text in _texts(entry):
                if kind is FoundKind.PATH and text in self._paths:
                    continue
                if kind is FoundKind.PATH:
                    self._paths.add(text)
                cut = text[: min(TEXT_MOST, self._left)].translate(_MARKS)
                self._left -= len(cut)
                if cut.strip():
                    found.append(Text(kind, frame.index, entry.timestamp or self._ended_at, cut))
        return found


def _texts(entry: NormalizedEntry) -> Iterator[tuple[FoundKind, str]]:
    match entry.entry_type:
        case UserMessage() | AssistantMessage() | UserFeedback():
            yield FoundKind.MESSAGE, entry.content
        case ToolUse(action_type=CommandRun(command=text) | Search(query=text)):
            yield FoundKind.COMMAND, text
        case ToolUse(action_type=FileRead(path=text) | FileEdit(path=text) | WebFetch(url=text)):
            yield FoundKind.PATH, text
        case ToolUse(action_type=PlanPresentation(plan=text)):
            yield FoundKind.MESSAGE, text
