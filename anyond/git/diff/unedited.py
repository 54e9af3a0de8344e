"""Files that git takes for changed only because of its conversions, and telling git that nobody has
edited them.

Theory of operation. A file is unedited if its bytes are what a checkout of its entry in the index
writes, or what is stored; or if a filter may write something else each time, and the file is as
git has left it. Git asks something else: whether what it would store of the file is what
is stored. The two differ if files were committed before an attribute wanted them converted, if an
attribute has changed since the checkout, or if a filter does not come back to where it began. Then
`git add` takes up files that nobody has touched, and merge and rebase refuse to. But git does not
ask at all if a file looks as its entry in the index says. So unedited files are checked here, byte
by byte, and their entries are made to say how the files look.
"""

from __future__ import annotations

import filecmp
import hashlib
import os
import shutil
import stat
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import trio

from anyond.git.disk import disk_clock, locks
from anyond.git.disk.scratch import scratch
from anyond.git.files.blobs import open_file
from anyond.git.files.conversions import any_replaced, converted, with_filter
from anyond.git.files.earlier_attributes import differing
from anyond.git.files.index_stat import freshen, untouched
from anyond.git.program.command import NOT_INSIDE, git
from anyond.git.program.parsing import parsed
from anyond.git.program.text import join, split
from anyond.git.repo.checkouts import head
from anyond.git.repo.repository import git_dir
from anyond.model.refusals.git import Locked
from anyond.model.refusals.requests import NotFound

_TIMEOUT_S = 1800
"""For filters, which are programs of the person's."""

Files = dict[str, os.stat_result]


class _Candidate(NamedTuple):
    path: str
    oid: str


async def settle(worktree: Path) -> None:
    """Let git know of all files of a checkout that look changed, and that nobody has edited.

    Raises:
        NotFound: there is no checkout.
        Locked: somebody else changes its index.
    """
    own = _own(worktree)
    candidates = await _candidates(worktree, {})
    if not candidates:
        return
    with scratch(own) as private:
        found = await _unedited(worktree, own, candidates, {}, private)
        # Git trusts only what is older than its index, and looks at whole seconds.
        soon = int(await disk_clock.now(private)) + 1
        found = {path: file for path, file in found.items() if file.st_mtime < soon}
        if not found:
            return
        newest = max(int(file.st_mtime) + 1 for file in found.values())
        await disk_clock.reached(private, newest)
        await _unsplit(worktree, own, {})
        index = await trio.to_thread.run_sync((own / "index").resolve)
        lock = index.with_name("index.lock")
        until = trio.current_time() + locks.LOCK_TIMEOUT_S
        while not await trio.to_thread.run_sync(_write_index, index, lock, worktree, found):
            if not await locks.gone(lock, until - trio.current_time()):
                raise Locked(lock)


async def settle_copy(worktree: Path, index: Path, paths: Sequence[str] | None = None) -> bool:
    """The same for a copy of the index that is nobody else's.

    Args:
        index: the copy.
        paths: those that may be concerned; None: all.

    Returns:
        Whether there was any such file.
    """
    env = {"GIT_INDEX_FILE": os.fspath(index)}
    own = _own(worktree)
    candidates = await _candidates(worktree, env, paths)
    if not candidates:
        return False
    with scratch(own) as private:
        found = await _unedited(worktree, own, candidates, env, private)
    if found:
        await _unsplit(worktree, own, env)
        await trio.to_thread.run_sync(_freshen_copy, index, worktree, found)
    return bool(found)


def _own(worktree: Path) -> Path:
    own = git_dir(worktree)
    if own is None:
        raise NotFound("worktree", worktree)
    return own


# ---------------------------------------------------------------- which


async def _candidates(
    worktree: Path, env: Mapping[str, str], paths: Sequence[str] | None = None
) -> list[_Candidate]:
    """The regular files that differ in their contents at most, and that git converts."""
    ask = ("diff-files", "--raw", "-z", "--no-abbrev", "--no-renames", "--ignore-submodules=all")
    result = await git(*ask, "--diff-filter=M", cwd=worktree, env=env)
    found = await parsed(result.out, _regular)
    if paths is not None:
        asked = set(paths)
        found = [candidate for candidate in found if candidate.path in asked]
    if not found or await _attributes_changed(worktree, env) or await differing(worktree):
        return found
    if await any_replaced(worktree):
        return found
    concerned = set(await converted(worktree, [candidate.path for candidate in found]))
    return [candidate for candidate in found if candidate.path in concerned]


def _regular(listed: bytes) -> list[_Candidate]:
    fields = split(listed)
    found = []
    for facts, path in zip(fields[::2], fields[1::2], strict=True):
        old_mode, new_mode, oid, *_ = facts[1:].split(" ")
        if old_mode == new_mode and stat.S_ISREG(int(old_mode, 8)):
            found.append(_Candidate(path, oid))
    return found


async def _attributes_changed(worktree: Path, env: Mapping[str, str]) -> bool:
    ask = ("status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", NOT_INSIDE)
    result = await git(*ask, "--", ":(glob)**/.gitattributes", cwd=worktree, env=env)
    return bool(result.out)


async def _unedited(
    worktree: Path,
    own: Path,
    candidates: Sequence[_Candidate],
    env: Mapping[str, str],
    private: Path,
) -> Files:
    found = await trio.to_thread.run_sync(_as_stored, worktree, candidates)
    left = [candidate for candidate in candidates if candidate.path not in found]
    if left:
        written = private / "now"
        ask = ("checkout-index", "--quiet", f"--prefix={written}/", "-z", "--stdin")
        names = join(candidate.path for candidate in left)
        await git(*ask, cwd=worktree, env=env, input=names, check=False, timeout=_TIMEOUT_S)
        found |= await trio.to_thread.run_sync(_as_written, worktree, written, left)
    left = [candidate for candidate in left if candidate.path not in found]
    changed = bool(left) and await _attributes_changed(worktree, env) and await head(worktree)
    earlier = [*(["HEAD"] if changed else []), *(await differing(worktree) if left else [])]
    for number, commit in enumerate(earlier):
        if left:
            written = private / f"before-{number}"
            await _write_as_at(own, private, written, left, commit)
            found |= await trio.to_thread.run_sync(_as_written, worktree, written, left)
            left = [candidate for candidate in left if candidate.path not in found]
    if left:
        found |= await _not_written_since(worktree, own, left, env, private)
    return found


async def _not_written_since(
    worktree: Path,
    own: Path,
    left: Sequence[_Candidate],
    env: Mapping[str, str],
    private: Path,
) -> Files:
    """Those that go through a filter which may write something else each time (a date, a random
    number), and look as when git wrote them itself."""
    filtered = set(await with_filter(worktree, [candidate.path for candidate in left]))
    if not filtered:
        return {}
    index = private / "as-recorded"
    source = Path(env["GIT_INDEX_FILE"]) if "GIT_INDEX_FILE" in env else own / "index"
    await trio.to_thread.run_sync(shutil.copy2, source, index)
    await _unsplit(worktree, own, {"GIT_INDEX_FILE": os.fspath(index)})
    return await trio.to_thread.run_sync(_as_recorded, worktree, index, filtered)


async def _write_as_at(
    own: Path, private: Path, written: Path, left: Sequence[_Candidate], commit: str
) -> None:
    """Check files out of a commit with the attributes that are there: as before somebody changed
    those.

    Where there is no `.gitattributes` on the disk, git takes the one in the index.
    """
    await trio.Path(written).mkdir()
    env = {
        "GIT_DIR": os.fspath(own),
        "GIT_WORK_TREE": os.fspath(written),
        "GIT_INDEX_FILE": os.fspath(private / "then"),
    }
    await git("read-tree", commit, cwd=written, env=env)
    names = join(candidate.path for candidate in left)
    listed = await git("ls-files", "--stage", "-z", cwd=written, env=env)
    same = await parsed(listed.out, _staged)
    names = join(c.path for c in left if same.get(c.path) == c.oid)
    ask = ("checkout-index", "--quiet", "-z", "--stdin")
    await git(*ask, cwd=written, env=env, input=names, check=False, timeout=_TIMEOUT_S)


def _staged(listed: bytes) -> dict[str, str]:
    lines = (line.partition("\t") for line in split(listed))
    return {path: facts.split(" ")[1] for facts, _, path in lines}


async def _unsplit(worktree: Path, own: Path, env: Mapping[str, str]) -> None:
    """Have all entries in one file, if they are in two."""
    if any(await trio.to_thread.run_sync(lambda: list(own.glob("sharedindex.*")))):
        await git("update-index", "--no-split-index", cwd=worktree, env=env)


# ---------------------------------------------------------------- on the disk


def _as_stored(worktree: Path, candidates: Sequence[_Candidate]) -> Files:
    found: Files = {}
    for path, oid in candidates:
        digest = hashlib.sha1 if len(oid) == 40 else hashlib.sha256
        try:
            before = (worktree / path).lstat()
            state = digest(b"blob %d\0" % before.st_size, usedforsecurity=False)
            with open_file(worktree / path) as data:
                while chunk := data.read(1 << 20):
                    state.update(chunk)
            if state.hexdigest() == oid and _same(before, (worktree / path).lstat()):
                found[path] = before
        except OSError:
            continue  # gone, or not to be read: then it is not as it was
    return found


def _as_written(worktree: Path, written: Path, candidates: Sequence[_Candidate]) -> Files:
    found: Files = {}
    for path, _ in candidates:
        file, other = worktree / path, written / path
        try:
            before = file.lstat()
            if (
                stat.S_ISREG(before.st_mode)
                and filecmp.cmp(file, other, shallow=False)
                and _same(before, file.lstat())
            ):
                found[path] = before
        except OSError:
            continue  # gone, or git could not write it
    filecmp.clear_cache()
    return found


def _as_recorded(worktree: Path, index: Path, paths: set[str]) -> Files:
    files: Files = {}
    for path in paths:
        try:
            files[path] = (worktree / path).lstat()
        except OSError:
            continue  # gone
    try:
        same = untouched(index.read_bytes(), files)
    except (ValueError, struct.error):
        return {}  # of a version that we do not know
    return {path: files[path] for path in same}


def _same(a: os.stat_result, b: os.stat_result) -> bool:
    return (a.st_mtime_ns, a.st_ctime_ns, a.st_size, a.st_ino) == (
        b.st_mtime_ns,
        b.st_ctime_ns,
        b.st_size,
        b.st_ino,
    )


def _still(worktree: Path, files: Files) -> Files:
    """Those that nobody has touched since they were compared."""
    found: Files = {}
    for path, before in files.items():
        try:
            if _same(before, (worktree / path).lstat()):
                found[path] = before
        except OSError:
            continue  # gone since
    return found


def _freshen_copy(index: Path, worktree: Path, files: Files) -> None:
    files = _still(worktree, files)
    index.write_bytes(_fresh(index, files))
    newest = max((int(file.st_mtime) + 1 for file in files.values()), default=0)
    if newest > index.stat().st_mtime:
        os.utime(index, (newest, newest))


def _fresh(index: Path, files: Files) -> bytes:
    since, content = int(index.stat().st_mtime), index.read_bytes()
    try:
        return freshen(content, since, files)
    except (ValueError, struct.error):
        return content  # of a version that we do not know: git goes on as it would without us


def _write_index(index: Path, lock: Path, worktree: Path, files: Files) -> bool:
    """Replace the index, by git's own rules; False if somebody else is changing it."""
    try:
        descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return False
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(_fresh(index, _still(worktree, files)))
        shutil.copymode(index, lock)
        lock.replace(index)
    except BaseException:  # cancelled or failed: the lock must not stay; it is raised again
        lock.unlink(missing_ok=True)
        raise
    return True
