"""The cache of file lists that searches in projects use, and its expiry."""

from __future__ import annotations

import os
import stat
from collections import OrderedDict
from pathlib import Path

import structlog
import trio
from msgspec import Struct, field

from anyond.git.files import file_listing
from anyond.git.program.text import as_utf8
from anyond.git.repo import history
from anyond.machines.search import PathIndex
from anyond.model.errors import AnyondError, Unavailable
from anyond.model.http.search import SearchMode, SearchResult
from anyond.operations.resources import Resources
from anyond.store.board import projects

log = structlog.get_logger()

RESULTS = 50
_MOST_INDEXES = 8
_MOST_PATHS = 500_000


class _Slot(Struct, eq=False):
    """The knowledge about one repository in one mode."""

    index: PathIndex | None = None
    watch: file_listing.Watch | None = None
    building: trio.Event | None = None
    error: Exception | None = None


class _History(Struct):
    head: str
    counts: history.Counts = field(default_factory=dict)


class Searches:
    """Indexes of the repositories that were searched last.

    An index is made when it is asked for and looks out of date, by a task of its own: a person who
    types on abandons one request after the other, and must not abandon the index with them.

    Args:
        nursery: where the indexes are made; it gets no errors from them.
    """

    def __init__(self, nursery: trio.Nursery, resources: Resources) -> None:
        self._nursery = nursery
        self._resources = resources
        self._slots: OrderedDict[tuple[str, SearchMode], _Slot] = OrderedDict()
        self._histories: OrderedDict[str, _History] = OrderedDict()

    async def find(self, project_id: str, text: str, mode: SearchMode) -> list[SearchResult]:
        """The files and directories whose path contains `text`, the likeliest first.

        Raises:
            NotFound: there is no such project.
            ToolFailed: its repository cannot be read.
        """
        project = await self._resources.store.read(lambda r: projects.get(r, project_id))
        root = Path(project.git_repo_path)
        slot = self._slots.setdefault((str(root), mode), _Slot())
        self._slots.move_to_end((str(root), mode))
        if slot.building is None:
            found = await trio.to_thread.run_sync(_ask, slot, root, text, False)
            if found is not None:
                return found
        if slot.building is None:
            slot.building = trio.Event()
            self._nursery.start_soon(self._build, slot, root, mode, slot.building)
        await slot.building.wait()
        if slot.error is not None:
            raise slot.error
        return await trio.to_thread.run_sync(_ask, slot, root, text, True) or []

    async def _build(self, slot: _Slot, root: Path, mode: SearchMode, ready: trio.Event) -> None:
        slot.error = Unavailable("The search was broken off, since the daemon stops.")
        try:
            taken = await file_listing.take(root, ignored=mode is SearchMode.SETTINGS)
            ranks = await self._ranks(root, taken.head)
            files = taken.files[:_MOST_PATHS]
            slot.index = await trio.to_thread.run_sync(PathIndex, files, taken.directories, ranks)
            slot.watch, slot.error = taken.watch, None
        except Exception as error:
            slot.error = error  # for everyone who waits; the next question tries again
            slot.index = None
        finally:
            slot.building = None
            ready.set()
        self._forget()

    async def _ranks(self, root: Path, head: str | None) -> history.Counts:
        """Counted once per commit; what has come since the last time is added."""
        if head is None:
            return {}
        key = str(root)
        known = self._histories.get(key)
        if known is None or known.head != head:
            try:
                if known is not None and await history.is_ancestor(root, known.head, head):
                    counts = dict(known.counts)
                    newer = await history.counts(root, f"{known.head}..{head}")
                    for path, (number, at) in newer.items():
                        before, latest = counts.get(path, (0, 0))
                        counts[path] = before + number, max(latest, at)
                else:
                    counts = await history.counts(root, head)
            except AnyondError as error:
                # A shallow or damaged history still leaves files to be found.
                log.warning("no_ranks", repository=key, why=str(error))
                counts = {}
            known = self._histories[key] = _History(head, counts)
        self._histories.move_to_end(key)
        return known.counts

    def _forget(self) -> None:
        """Let go of what was not asked for longest, until the rest is not too much."""
        while len(self._histories) > _MOST_INDEXES:
            self._histories.popitem(last=False)
        while len(self._slots) > 1 and (
            len(self._slots) > _MOST_INDEXES
            or sum(len(slot.index or ()) for slot in self._slots.values()) > _MOST_PATHS
        ):
            self._slots.popitem(last=False)


def _ask(slot: _Slot, root: Path, text: str, fresh: bool) -> list[SearchResult] | None:
    """Ask the index, in a thread; None if it is out of date.

    Args:
        fresh: whether it was made just now.
    """
    if slot.index is None or slot.watch is None or not (fresh or slot.watch.unchanged()):
        return None
    results = []
    for path, match_type in slot.index.find(text, 2 * RESULTS):
        is_file = _is_file(f"{root}/{path}")
        if is_file is None:
            continue  # deleted in the working tree, though git still has it
        results.append(SearchResult(path=as_utf8(path), is_file=is_file, match_type=match_type))
        if len(results) == RESULTS:
            break
    return results


def _is_file(path: str) -> bool | None:
    try:
        return not stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return None
