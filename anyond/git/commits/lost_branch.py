"""Restoring a branch that somebody has deleted although a checkout was for it.

Theory of operation. `git update-ref -d`, `git branch -D` after a detached HEAD, and a deleted file
in `.git/refs` take a branch away, and no ref names its commits any more: git collects them. The
checkout has a log of its own of what its HEAD was, and the newest commit in it that was the
branch's is where the branch was. Where the log does not tell, the newest of the commits does that
the caller knows of. The commit is named by another ref too, see `saved_commits`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import trio

from anyond.git.commits import saved_commits
from anyond.git.commits.commit import DURABLE
from anyond.git.disk import plain_files
from anyond.git.program.command import git
from anyond.git.program.text import as_utf8
from anyond.git.repo import branches
from anyond.git.repo.checkouts import current_branch
from anyond.git.repo.repository import common_dir, git_dir

_TAIL_BYTES = 1 << 18
_LINE = re.compile(r"([0-9a-f]{40,64}) ([0-9a-f]{40,64}) [^\t]*(?:\t(.*))?")


async def bring_back(
    repo: Path, worktree: Path, branch: str, attempt_id: str, known: Sequence[str] = ()
) -> list[str]:
    """Make the branch again where it was, if there is a checkout for it and no such branch.

    HEAD, index and files of the checkout are not touched.

    Args:
        repo: anywhere in the repository.
        worktree: the checkout; nothing is done if there is none.
        branch: the attempt's.
        attempt_id: whose it is; the commit is kept in its name.
        known: commits that the branch once was at, the newest first.

    Returns:
        What a person should know of it, in sentences.

    Raises:
        GitFailed: the branch cannot be made; the commit is kept all the same.
    """
    own = await trio.to_thread.run_sync(git_dir, worktree)
    if own is None or not branches.valid_name(branch) or await branches.exists(repo, branch):
        return []
    on_it = await current_branch(worktree) == branch
    if not on_it and await trio.to_thread.run_sync(_was_renamed, own, branch):
        return []
    shared = await common_dir(repo)
    logged = await trio.to_thread.run_sync(_logged, own, shared, branch, on_it)
    for oid in (*logged, *known):
        asked = await git("cat-file", "-t", oid, cwd=repo, check=False)
        if asked.text == "commit":
            break
    else:
        return []
    ref = await saved_commits.keep(repo, attempt_id, "branch", oid)
    # An empty old value: whoever has made it meanwhile is right.
    ask = ("update-ref", "-m", "anyon: bring back", f"refs/heads/{branch}", oid, "")
    await git(*DURABLE, *ask, cwd=repo)
    text = (
        f"The branch {as_utf8(branch)} was deleted meanwhile; it is at {oid[:12]} again, where it "
        f"was, and that commit is kept as {ref}, too."
    )
    return [text]


def _logged(own: Path, shared: Path, branch: str, on_it: bool) -> list[str]:
    """Return the commits that the logs have for the branch, the best first. Blocks on the disk."""
    found: list[str] = []
    left = f"checkout: moving from {branch} to "
    for old, new, why in reversed(_lines(own / "logs" / "HEAD")):
        if on_it:
            found += [new, old]
            break
        if why.startswith(left):
            found.append(old)
            break
    # Whoever deletes a mere file leaves the log of the branch itself.
    for old, new, _ in reversed(_lines(shared / "logs" / "refs" / "heads" / branch)):
        found += [new, old]
        break
    return [oid for oid in found if oid.strip("0")]


def _was_renamed(own: Path, branch: str) -> bool:
    renamed = f"Branch: renamed refs/heads/{branch} to "
    return any(why.startswith(renamed) for _, _, why in _lines(own / "logs" / "HEAD"))


def _lines(path: Path) -> list[tuple[str, str, str]]:
    try:
        with plain_files.opened(path) as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            lines = os.fsdecode(file.read()).split("\n")
    except OSError:
        return []
    found = (_LINE.fullmatch(line) for line in lines)
    return [(one[1], one[2], one[3] or "") for one in found if one is not None]
