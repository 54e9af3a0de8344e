"""Listing a directory of this machine, within bounds of size and time."""

from __future__ import annotations

import heapq
import os
import threading
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

import trio

from anyond.files.home import home
from anyond.model.errors import Forbidden, TimedOut
from anyond.model.http.answers import DirectoryEntry, Listing
from anyond.model.refusals.requests import Invalid, NotFound
from anyond.real_path import real_path, unreadable

T = TypeVar("T")

ENTRIES_MOST = 5_000
"""How many entries are told."""
READ = 500_000
"""How many entries are looked at, to find those that come first."""
READ_TIMEOUT_S = 15.0
"""Seconds after which a disk that does not answer is given up."""

# A disk of the network can hang for ever, and its threads with it; it must not take those that
# all others need.
_THREADS = trio.CapacityLimiter(8)


def place(text: str | None) -> Path:
    """The directory that a person means by `text`; the home directory if they say nothing, and the
    root for a person without one.

    Raises:
        Invalid: it is not absolute.
        Forbidden: a link on its way may not be followed.
    """
    if not text:
        return home() or Path("/")
    if "\0" in text:
        raise Invalid("path", "must not contain NUL characters")
    path, own = Path(text), home()
    if own is not None and (text == "~" or text.startswith("~/")):
        path = own / text[2:]
    if not path.is_absolute():
        raise Invalid("path", f"{text} must be absolute")
    return real_path(path) if ".." in path.parts else path


async def in_thread(work: Callable[[threading.Event], T], what: object) -> T:
    """Do `work` in a thread of its own sort; if the caller is cancelled, it is left to itself.

    Args:
        work: given an event that is set when nobody waits for it any more.
        what: the place that is read, for the error.

    Raises:
        TimedOut: it took longer than `READ_TIMEOUT_S`.
    """
    abandoned = threading.Event()
    try:
        with trio.fail_after(READ_TIMEOUT_S):
            return await trio.to_thread.run_sync(
                work, abandoned, abandon_on_cancel=True, limiter=_THREADS
            )
    except trio.TooSlowError:
        raise TimedOut(f"{what} does not answer; its disk may be out of reach.") from None
    finally:
        abandoned.set()


def list_directory(path: Path, abandoned: threading.Event, most: int = ENTRIES_MOST) -> Listing:
    """List `path`: directories first, then by name; hidden entries are left out. Blocking.

    Entries that cannot be examined are told with what is known of them.

    Args:
        abandoned: when it is set, the work is given up, and its result means nothing.

    Raises:
        NotFound, Invalid, Forbidden: there is nothing, it is no directory, it cannot be read.
    """
    try:
        with os.scandir(path) as entries:
            visible = (_seen(e) for e in _some(entries, abandoned) if not e.name.startswith("."))
            # Only those that will be told are held, however many there are.
            first = heapq.nsmallest(most + 1, visible)
    except OSError as error:
        raise refusal(path, error) from error
    return Listing(
        entries=[_entry(path, seen) for seen in first[:most] if not abandoned.is_set()],
        current_path=str(path),
        truncated=len(first) > most,
    )


def describe(path: Path, *, is_directory: bool) -> DirectoryEntry:
    """`path` itself as an entry."""
    return _entry(path.parent, _Seen(not is_directory, "", path.name))


def refusal(path: Path, error: OSError) -> NotFound | Invalid | Forbidden:
    """The reason why a directory cannot be read, in words that name it."""
    match error:
        case FileNotFoundError():
            return NotFound("directory", path)
        case NotADirectoryError():
            return Invalid("path", f"{path} is not a directory")
        case _:
            return unreadable(path, error)


class _Seen(NamedTuple):
    """An entry as it sorts."""

    is_file: bool
    folded: str
    name: str


def _some(
    entries: Iterator[os.DirEntry[str]], abandoned: threading.Event
) -> Iterator[os.DirEntry[str]]:
    for entry in islice(entries, READ):
        if abandoned.is_set():
            return
        yield entry


def _seen(entry: os.DirEntry[str]) -> _Seen:
    try:
        is_directory = entry.is_dir()
    except OSError:
        is_directory = False  # a link that cannot be followed leads nowhere one could go
    return _Seen(not is_directory, entry.name.casefold(), entry.name)


def _entry(parent: Path, seen: _Seen) -> DirectoryEntry:
    path = os.path.join(parent, seen.name)
    try:
        modified = os.stat(path).st_mtime_ns // 1_000_000
    except OSError:
        modified = None  # a dangling link, or something that vanished or hides
    return DirectoryEntry(
        name=seen.name,
        path=path,
        is_directory=not seen.is_file,
        is_git_repo=not seen.is_file and os.path.exists(os.path.join(path, ".git")),
        last_modified=modified,
    )
