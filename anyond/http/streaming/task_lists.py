"""The tasks of each project as the bytes of an answer, kept and changed as the tasks change."""

from __future__ import annotations

import io
import secrets
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from itertools import count, islice
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import trio

from anyond.host.memory import give_back
from anyond.http.answer.envelope import Known, encode, success
from anyond.model.refusals.daemon import Gone
from anyond.model.rows import Change
from anyond.store.board import projects, tasks

if TYPE_CHECKING:
    from anyond.store.engine.database import Store
    from anyond.store.engine.transaction import Reader

MOST_BYTES = 16 * 1024**2
"""How much of all answers is kept; the one that was asked for last is kept in any case."""
STORED_SECONDS = 30.0
"""How long a list that alone is larger than that is kept when nobody asks for it."""
AT_ONCE = 1000
"""So many tasks are put together without giving way to others."""
FARTHEST = 2000
"""After so many changes, to read the tasks again costs less than to follow."""

_HEAD, _TAIL = success(b"|").split(b"|")


class Listed(NamedTuple):
    """All tasks of a project, newest first: everything up to `position` is in it, once."""

    position: int
    known: Known

    @property
    def rows(self) -> bytes:
        """The JSON list without the envelope."""
        return self.known.body[len(_HEAD) : -len(_TAIL)]


class _Created(msgspec.Struct):
    created_at: str


_created = msgspec.json.Decoder(_Created)


class _Board:
    """One project; whoever changes it holds the lock.

    Args:
        tag: what the ETag begins with.

    Attributes:
        listed: what was answered last; None if there is nothing, or nothing any more.
    """

    def __init__(self, tag: str) -> None:
        self.lock = trio.Lock()
        self.listed: Listed | None = None
        self._tag = tag
        self._numbers = count()
        self._rows: dict[str, bytes] = {}  # the oldest first, so that new ones come last

    async def fill(self, rows: dict[str, bytes], position: int) -> Listed:
        """Begin again with all tasks, by their ids."""
        self._rows = rows
        listed = await self._written(position)
        if not rows:
            self.listed = None  # nobody would tell that the project is gone
        return listed

    async def apply(self, changes: list[Change], position: int) -> Listed | None:
        """Move on to `position`; None if that cannot be done without reading everything again."""
        touched = False
        for change in changes:
            key = change.key or ""
            if change.kind == "task_deleted":
                self._rows.pop(key, None)
            elif key not in self._rows and not self._is_newest(change.data):
                return None
            else:
                self._rows[key] = change.data
            touched = True
        if not self._rows:
            return None  # perhaps the project is gone, too
        if touched or self.listed is None:
            return await self._written(position)
        self.listed = self.listed._replace(position=position)
        return self.listed

    def _is_newest(self, data: bytes) -> bool:
        """Return whether a task comes after all others; it need not, if somebody has set the
        clock.
        """
        last = next(reversed(self._rows.values()), None)
        return last is None or _created.decode(data).created_at >= _created.decode(last).created_at

    async def _written(self, position: int) -> Listed:
        """Whoever calls holds the lock, so nothing changes meanwhile."""
        if len(self._rows) <= AT_ONCE:
            body = assembled(self._rows)
        else:
            body = await trio.to_thread.run_sync(assembled, self._rows)
        number = next(self._numbers) if self._rows else "empty"
        known = Known(body, f'"{self._tag}-{number}"')
        self.listed = Listed(position, known)
        return self.listed


def assembled(rows: dict[str, bytes]) -> bytes:
    """The answer that has all `rows`, the last one first.

    Piece by piece, so that even the largest holds the interpreter's lock for moments only.
    """
    body = io.BytesIO()
    body.write(_HEAD + b"[")
    for number, some in enumerate(batched(reversed(rows.values()))):
        body.write((b"," if number else b"") + b",".join(some))
    body.write(b"]" + _TAIL)
    return body.getvalue()  # which shares its memory, and copies nothing


def batched(rows: Iterable[bytes]) -> Iterator[list[bytes]]:
    """`rows` in lists of `AT_ONCE`."""
    found = iter(rows)
    while some := list(islice(found, AT_ONCE)):
        yield some


class TaskLists:
    """The lists of tasks that clients ask for again and again.

    A list is read once; later, the changes in the change log say all that became of it, since they
    carry whole tasks in the very words of the list. So a board costs the same to show whether it
    has ten tasks or ten thousand, and nobody else waits for it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._boards: OrderedDict[str, _Board] = OrderedDict()
        self._forgets = 0.0
        self._is_forgetting = False

    async def of(self, project_id: str) -> Listed:
        """The tasks as they are now. Raises `NotFound` if there is no such project."""
        board = self._boards.get(project_id)
        if board is None:
            board = self._boards[project_id] = _Board(secrets.token_hex(8))
        listed = board.listed
        if listed is None or listed.position != self._store.changes.end:
            listed = await self._now(board, project_id)
        if project_id in self._boards:  # it may have been put out meanwhile
            self._boards.move_to_end(project_id)
        self._put_out()
        if len(listed.known.body) > MOST_BYTES:
            self._forget_later()
        return listed

    async def _now(self, board: _Board, project_id: str) -> Listed:
        async with board.lock:
            found = await self._followed(board, project_id)
            if found is None:
                # The position comes first: what is committed in between is then applied twice.
                position = self._store.changes.end
                try:
                    rows = await self._store.read(lambda r: _rows(r, project_id))
                except BaseException:  # cancelled too: the next to ask must read anew
                    board.listed = None
                    if self._boards.get(project_id) is board:
                        del self._boards[project_id]
                    raise
                found = await board.fill(rows, position)
            return found

    async def _followed(self, board: _Board, project_id: str) -> Listed | None:
        changes, before = self._store.changes, board.listed
        end = changes.end
        if before is None or end - before.position > FARTHEST:
            return None
        batch: list[Change] = []
        try:
            cursor = changes.follow(before.position)
            while cursor.position < end:
                batch += [change for change in await cursor.next() if _is_of(change, project_id)]
        except Gone:
            return None
        return await board.apply(batch, cursor.position)

    def _forget_later(self) -> None:
        """Put out the largest list too, when nobody has asked for it for a while."""
        self._forgets = trio.current_time() + STORED_SECONDS
        if not self._is_forgetting:
            self._is_forgetting = True
            # It belongs to no request. It only ends early when all of Trio does.
            trio.lowlevel.spawn_system_task(self._forget)

    async def _forget(self) -> None:
        while trio.current_time() < self._forgets:  # noqa: ASYNC110  # moved by each question
            await trio.sleep_until(self._forgets)
        self._is_forgetting = False
        self._boards.clear()
        await trio.to_thread.run_sync(give_back)

    def _put_out(self) -> None:
        sizes = [len(b.listed.known.body) if b.listed else 0 for b in self._boards.values()]
        surplus = sum(sizes) - MOST_BYTES
        for size in sizes[:-1]:
            if surplus <= 0:
                return
            self._boards.popitem(last=False)
            surplus -= size


def _is_of(change: Change, project_id: str) -> bool:
    return change.project_id == project_id and change.kind.startswith("task_")


def _rows(reader: Reader, project_id: str) -> dict[str, bytes]:
    """Row by row, so that the interpreter's lock is never held for long, and each task is an object
    for a moment only.
    """
    projects.get(reader, project_id)
    found = [(task.id, encode(task)) for task in tasks.each_with_status(reader, project_id)]
    found.reverse()
    return dict(found)
