"""Making git use the attributes of a commit, rather than those of some checkout.

Git reads `.gitattributes` where it is run. What is merged in memory is in no checkout, and the
person may have another branch checked out, with other rules for how files are merged.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import trio

from anyond.git.program.command import git
from anyond.git.program.parsing import parsed
from anyond.git.program.text import split
from anyond.git.repo.repository import common_dir

_NAME = ".gitattributes"
_RULES = f":(top,glob)**/{_NAME}"


class Place(NamedTuple):
    """A directory to run git in, with further options for it."""

    cwd: Path
    env: Mapping[str, str]


@asynccontextmanager
async def of(repo: Path, commit: str) -> AsyncIterator[Place]:
    """A place in which the attributes of `commit` hold; only for what needs no other file.

    That is `repo` itself if it has the same ones: a merge driver may be a file there.
    """
    if await _has_those_of(repo, commit):
        yield Place(repo, {})
        return
    with tempfile.TemporaryDirectory(prefix="anyon-", ignore_cleanup_errors=True) as name:
        place = Path(name)
        listed = await git("ls-tree", "-r", "-z", "--full-tree", commit, cwd=repo)
        for path, oid in await parsed(listed.out, _rules):
            text = (await git("cat-file", "blob", oid, cwd=repo)).out
            await trio.to_thread.run_sync(_write, place / path, text)
        common = os.fspath(await common_dir(repo))
        env = {"GIT_DIR": common, "GIT_COMMON_DIR": common, "GIT_WORK_TREE": name}
        yield Place(place, env)


async def _has_those_of(repo: Path, commit: str) -> bool:
    ask = ("diff", "--quiet", "--no-ext-diff", commit, "--", _RULES)
    if (await git(*ask, cwd=repo, check=False)).code != 0:
        return False  # they differ, or there are no files here
    return not (await git("ls-files", "--others", "-z", "--", _RULES, cwd=repo)).out


def _rules(listed: bytes) -> list[tuple[PurePosixPath, str]]:
    """Paths and blobs of files with attributes; git takes no others than regular ones."""
    found = []
    for line in split(listed):
        facts, _, name = line.partition("\t")
        path = PurePosixPath(name)
        regular = facts.startswith("100") and path.name == _NAME
        if regular and not path.is_absolute() and ".." not in path.parts:
            found.append((path, facts.split(" ")[2]))
    return found


def _write(file: Path, text: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text)
