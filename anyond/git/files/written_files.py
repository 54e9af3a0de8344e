"""Progress of a git that was killed, or gave up, in writing the files of a commit."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import trio

from anyond.git.disk.scratch import scratch
from anyond.git.program.command import git
from anyond.git.program.parsing import parsed
from anyond.git.program.text import join, split
from anyond.git.repo.checkouts import is_there
from anyond.git.repo.repository import git_dir
from anyond.model.refusals.requests import NotFound


async def as_in(worktree: Path, commit: str, paths: Iterable[str]) -> set[str]:
    """Those of `paths` whose files are as they would be in a checkout of `commit`.

    A path that the commit does not have is so if there is nothing.
    """
    own = git_dir(worktree)
    if own is None:
        raise NotFound("worktree", worktree)
    with scratch(own) as private:
        env = {"GIT_INDEX_FILE": os.fspath(private / "index")}
        await git("read-tree", commit, cwd=worktree, env=env)
        known = set(await parsed((await git("ls-files", "-z", cwd=worktree, env=env)).out, split))
        await git("update-index", "-q", "--refresh", cwd=worktree, env=env, check=False)
        ask = ("diff-files", "--name-only", "-z", "--ignore-submodules=none")
        result = await git(*ask, cwd=worktree, env=env)
    others = set(await parsed(result.out, split))
    return {
        path
        for path in paths
        if (path not in others if path in known else not is_there(worktree / path))
    }


async def put_back(checkout: Path, before: str, after: str) -> None:
    """Undo what a git has done to the files that gave up before it wrote the index.

    Only where the index has what `before` has, and files are as `after` has them or gone; nobody
    had changed them when it began.

    Raises:
        GitFailed: some could not be written; the others are.
    """
    listing = ("diff-tree", "-r", "-z", "--no-renames", "--name-status")
    fields = await parsed((await git(*listing, before, after, cwd=checkout)).out, split)
    changes = dict(zip(fields[1::2], fields[::2], strict=True))
    staging = ("diff-index", "-z", "--name-only", "--cached", before)
    staged = set(await parsed((await git(*staging, cwd=checkout)).out, split))
    paths = [path for path in changes if path not in staged]
    written = await as_in(checkout, after, paths) - await as_in(checkout, before, paths)
    new = [path for path in written if changes[path] == "A"]
    await trio.to_thread.run_sync(_delete, checkout, new, new)
    lost = [path for path in paths if changes[path] != "A" and not is_there(checkout / path)]
    old = dict.fromkeys([*(path for path in written if changes[path] != "A"), *lost])
    if old:
        ask = ("checkout-index", "--force", "-z", "--stdin")
        await git(*ask, cwd=checkout, input=join(old), timeout=1800, lasting=True)
        await git("update-index", "-q", "--refresh", cwd=checkout, check=False)


async def take_back(worktree: Path, commit: str, snapshot: str) -> int:
    """Delete the files of `commit` that a killed git had written, and not yet into the index.

    Only what was not there in the state `snapshot`, is in no index, and has exactly the content
    that git has written, or its beginning.

    Returns:
        How many went.
    """
    ask = ("diff-tree", "-r", "-z", "--no-renames", "--name-only", "--diff-filter=A")
    result = await git(*ask, f"{snapshot}^{{tree}}", f"{commit}^{{tree}}", cwd=worktree)
    tracked = await parsed((await git("ls-files", "-z", cwd=worktree)).out, split)
    added = set(await parsed(result.out, split)) - set(tracked)
    found = [path for path in added if is_there(worktree / path)]
    whole = await as_in(worktree, commit, found) if found else set()
    torn = [path for path in found if path not in whole and await _is_torn(worktree, commit, path)]
    await trio.to_thread.run_sync(_delete, worktree, [*whole, *torn], added)
    return len(whole) + len(torn)


async def _is_torn(worktree: Path, commit: str, path: str) -> bool:
    file = worktree / path
    if file.is_symlink() or not file.is_file():
        return False
    blob = await git("cat-file", "blob", f"{commit}:{path}", cwd=worktree, check=False)
    return blob.code == 0 and blob.out.startswith(file.read_bytes())


def _delete(worktree: Path, paths: Iterable[str], others: Iterable[str]) -> None:
    for path in paths:
        (worktree / path).unlink(missing_ok=True)
    for path in others:  # git makes a directory before it writes the first file in it
        parent = (worktree / path).parent
        with suppress(OSError):  # there is something else in it
            while parent != worktree:
                parent.rmdir()
                parent = parent.parent
