"""Listing the files of a checkout, and noticing changes of the listing without looking at each
file.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

import trio
from msgspec import Struct

from anyond.git.disk import plain_files
from anyond.git.program.command import git
from anyond.git.program.parsing import parsed
from anyond.git.program.text import split

MOST_IGNORED = 20_000
"""How many ignored entries are looked at, those near the top first."""
_BUDGET_S = 0.008
_RACY_NS = 50_000_000


class FileListing(Struct, frozen=True):
    """The files of one checkout at one moment.

    Args:
        head: the commit that is checked out; None if there is none yet.
        files: relative paths of all files.
        directories: relative paths of directories that count although no file in them does.
        watch: what tells whether all this is still so.
    """

    head: str | None
    files: list[str]
    directories: list[str]
    watch: Watch


async def take(root: Path, *, ignored: bool, most_ignored: int = MOST_IGNORED) -> FileListing:
    """List the files of the checkout at `root`: tracked ones, and new ones that git would add.

    Args:
        ignored: whether what git ignores counts too.
        most_ignored: how much of that.

    Raises:
        ToolFailed: there is no checkout.
    """
    started = time.time_ns()
    ask = ("rev-parse", "--path-format=absolute", "--git-dir", "--git-common-dir")
    git_dir, common = (Path(os.fsdecode(line)) for line in (await _lines(root, *ask))[:2])
    watch = await trio.to_thread.run_sync(Watch, root, git_dir, common)
    head = await git("rev-parse", "-q", "--verify", "HEAD^{commit}", cwd=root, check=False)
    listing = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
    files, directories = await parsed((await git(*listing, cwd=root)).out, _files_and_directories)
    if ignored:
        listing = ("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
        left_out = await parsed((await git(*listing, cwd=root)).out, split)
        more, below = await trio.to_thread.run_sync(_look_into, root, left_out, most_ignored)
        files += more
        directories += below
    await trio.to_thread.run_sync(watch.cover, files, directories, started)
    return FileListing(head.text if head.code == 0 else None, files, directories, watch)


def _files_and_directories(listed: bytes) -> tuple[list[str], list[str]]:
    found = split(listed)
    files = [path for path in found if not path.endswith("/")]
    return files, [path.rstrip("/") for path in found if path.endswith("/")]


class Watch:
    """The traces that changes leave: git's own files, and the times of directories.

    Nothing is watched in between: whoever wants to know asks. All methods block on the disk.

    Args:
        root: the top of the checkout.
        git_dir: where it has its HEAD and index.
        common: where its refs are.
    """

    def __init__(self, root: Path, git_dir: Path, common: Path) -> None:
        self._root = root
        self._git_dir = git_dir
        self._common = common
        self._rules: list[Path] = []
        self._marks = self._look()
        self._times: dict[str, int] = {}
        self._order: list[str] = []
        self._next = 0
        self._racy = True

    def cover(self, files: Iterable[str], directories: Iterable[str], started: int) -> None:
        """Remember how things are, after the files were listed.

        Args:
            started: Unix nanoseconds before the listing. What changed since then may or may not
                be in it, so that it has to be made again.
        """
        moved = self._look() != self._marks
        inside = {"", *directories}
        for path in files:
            inside.add(path.rpartition("/")[0])
            if path.endswith(".gitignore"):
                self._rules.append(self._root / path)
        for path in list(inside):
            inside.update(_above(path))
        self._order = sorted(inside, key=lambda path: path.count("/"))
        self._times = {path: _time(f"{self._root}/{path}") for path in self._order}
        self._marks = self._look()
        self._racy = moved or max(self._times.values()) > started - _RACY_NS

    def unchanged(self) -> bool:
        """Return whether nothing seems to have changed.

        Git's files are always looked at. Directories are for at most 8 ms; the next call goes on
        with those that were not reached.
        """
        if self._racy or self._look() != self._marks:
            return False
        until = time.monotonic() + _BUDGET_S
        for _ in range(len(self._order)):
            path = self._order[self._next]
            if _time(f"{self._root}/{path}") != self._times[path]:
                return False
            self._next = (self._next + 1) % len(self._order)
            if time.monotonic() > until:
                break
        return True

    def _look(self) -> tuple[object, ...]:
        try:
            head = plain_files.read(self._git_dir / "HEAD")
        except OSError:
            head = b""  # gone: that is a change, and the next listing will say what is wrong
        ref = os.fsdecode(head.removeprefix(b"ref: ").strip())
        return (
            head,
            *(
                _identity(path)
                for path in (
                    self._git_dir / "index",
                    self._common / "packed-refs",
                    self._common / "reftable" / "tables.list",
                    self._common / "info" / "exclude",
                    self._common / (ref if head.startswith(b"ref: refs/") else "HEAD"),
                    *self._rules,
                )
            ),
        )


async def _lines(root: Path, *ask: str) -> list[bytes]:
    return (await git(*ask, cwd=root)).out.splitlines()


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _identity(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _time(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def _look_into(root: Path, entries: Iterable[str], most: int) -> tuple[list[str], list[str]]:
    """The files and directories among ignored `entries`, and in them, level by level."""
    files: list[str] = []
    directories: list[str] = []
    waiting: deque[str] = deque()
    for path in entries:
        if path.endswith("/"):
            waiting.append(path.rstrip("/"))
        else:
            files.append(path)
    while waiting and len(files) + len(directories) < most:
        directory = waiting.popleft()
        directories.append(directory)
        try:
            with os.scandir(root / directory) as found:
                inside = sorted(found, key=lambda entry: entry.name)
        except OSError:
            continue  # unreadable, or gone in between: its name is all that can be offered
        for entry in inside:
            if entry.is_dir(follow_symlinks=False):
                if entry.name != ".git":
                    waiting.append(f"{directory}/{entry.name}")
            else:
                files.append(f"{directory}/{entry.name}")
    return files[:most], directories
