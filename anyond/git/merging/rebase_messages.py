"""Restoring lines of commit messages that git has taken for comments.

Whoever continues a rebase after a conflict, or amends a commit, with git's defaults loses every
line that begins with "#", and titles such as "#42 Fix the login" are such lines.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import trio
from msgspec import Struct

from anyond.git.diff.status import in_progress
from anyond.git.merging.merge_in_memory import Maker
from anyond.git.program.command import git
from anyond.git.repo import branches
from anyond.git.repo.checkouts import current_branch
from anyond.git.repo.repository import Repositories

MOST_COMMITS = 1000


class _Commit(Struct, frozen=True):
    oid: str
    parents: tuple[str, ...]
    name: str
    email: str
    date: str
    message: str

    @property
    def made(self) -> tuple[str, str, str]:
        """The facts that stay when a commit is made again somewhere else."""
        return (self.name, self.email, self.date)


async def restore(repos: Repositories, worktree: Path, branch: str, *, tip: str, onto: str) -> bool:
    """Give the commits of a rebased branch the messages that they had before.

    Only if nothing else than such lines is missing. Files and index are not touched.

    Args:
        worktree: the checkout of `branch`.
        tip: the branch's commit before.
        onto: what it stands on now.

    Returns:
        Whether anything was changed.
    """
    comment = await _comment(worktree)
    if comment is None:
        return False
    originals: dict[tuple[str, str, str], list[str]] = {}
    for commit in await _commits(worktree, onto, tip):
        originals.setdefault(commit.made, []).append(commit.message)
    if not any(
        _stripped(text, comment) != _tidy(text) for one in originals.values() for text in one
    ):
        return False
    async with repos.lock(worktree):
        if await current_branch(worktree) != branch or await in_progress(worktree) is not None:
            return False
        now = await branches.commit(worktree, f"refs/heads/{branch}")
        rebased = await _commits(worktree, onto, now)
        new = await _made_again(worktree, rebased, onto, originals, comment)
        if new in (None, now):
            return False
        with trio.CancelScope(shield=True):
            # By way of HEAD, so that the log of this checkout knows.
            ask = ("update-ref", "-m", "anyon: messages", "HEAD", str(new), now)
            await git(*ask, cwd=worktree)
    return True


async def _made_again(
    worktree: Path,
    rebased: list[_Commit],
    onto: str,
    originals: dict[tuple[str, str, str], list[str]],
    comment: str,
) -> str | None:
    """The tip of the commits with their messages; None if they are no single line on `onto`."""
    maker, parent, moved = await Maker.of(worktree), onto, False
    expected = onto
    for commit in rebased:
        if commit.parents != (expected,):
            return None
        expected = commit.oid
        message = _original(commit, originals, comment)
        moved = moved or message is not None
        if not moved:
            parent = commit.oid
            continue
        author = {
            "GIT_AUTHOR_NAME": commit.name or maker.who["GIT_AUTHOR_NAME"],
            "GIT_AUTHOR_EMAIL": commit.email,
            "GIT_AUTHOR_DATE": f"@{commit.date}",
        }
        text = (message or commit.message).rstrip("\n") + "\n"
        data = text.encode("utf-8", "surrogateescape")
        parent = await maker.commit(await maker.tree(commit.oid), [parent], data, author)
    return parent


def _original(
    commit: _Commit, originals: dict[tuple[str, str, str], list[str]], comment: str
) -> str | None:
    found = {
        text for text in originals.get(commit.made, []) if _tidy(text) != _tidy(commit.message)
    }
    fitting = [text for text in found if _stripped(text, comment) == _tidy(commit.message)]
    return fitting[0] if len(fitting) == 1 else None


async def _commits(worktree: Path, since: str, tip: str) -> list[_Commit]:
    """Return the commits that `tip` has and `since` has not, the oldest first."""
    fields = ("%H", "%P", "%an", "%ae", "%ad", "%B")
    ask = ("log", "--reverse", "--topo-order", "--no-show-signature", "--encoding=UTF-8")
    how = ("--date=raw", f"--format={'%x00'.join(fields)}%x00", f"--max-count={MOST_COMMITS}")
    result = await git(*ask, *how, f"{since}..{tip}", "--", cwd=worktree)
    words = os.fsdecode(result.out).split("\0")[:-1]
    count = len(fields)
    rows = [words[at : at + count] for at in range(0, len(words), count)]
    return [
        _Commit(oid.lstrip("\n"), tuple(parents.split()), name, email, date, message)
        for oid, parents, name, email, date, message in (row for row in rows if len(row) == count)
    ]


async def _comment(worktree: Path) -> str | None:
    """Return the beginning of a comment; None if that is chosen for each message anew."""
    for key in ("core.commentString", "core.commentChar"):
        found = await git("config", "--get", key, cwd=worktree, check=False)
        if found.code == 0 and found.text:
            return None if found.text == "auto" else found.text
    return "#"


def _stripped(message: str, comment: str) -> str:
    return _tidy("\n".join(ln for ln in message.split("\n") if not ln.startswith(comment)))


def _tidy(message: str) -> str:
    """Tidy a message up as git does: no spaces at ends of lines, one empty line for several."""
    lines = "\n".join(line.rstrip() for line in message.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n")
