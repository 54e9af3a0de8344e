"""The place of a repository, the identity of its commits, and the lock for changing it."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from weakref import WeakValueDictionary

import trio

from anyond.git.disk import locations, plain_files
from anyond.git.program.command import failure, git
from anyond.model.refusals.git import RepositoryMissing
from anyond.model.refusals.requests import NotFound
from anyond.real_path import real_path, same_place

NAME = "Anyon"
EMAIL = "anyon@localhost"

_IDENT = re.compile(r"(.+) <(.+)> \d+ [-+]\d+", re.DOTALL)


class Repositories:
    """One lock per repository, whichever of its worktrees is named."""

    def __init__(self) -> None:
        # A lock lives as long as somebody holds or awaits it.
        self._locks: WeakValueDictionary[Path, trio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def lock(self, path: Path) -> AsyncIterator[None]:
        """Be the only one who changes the repository at `path` meanwhile. Not reentrant.

        Raises:
            NotFound: there is no repository.
        """
        async with self._lock(await common_dir(path)):
            yield

    @asynccontextmanager
    async def making(self, path: Path) -> AsyncIterator[None]:
        """Be the only one who makes a repository at `path` meanwhile."""
        async with self._lock(_real(str(path))):
            yield

    def _lock(self, key: Path) -> trio.Lock:
        return self._locks.setdefault(key, trio.Lock())


async def common_dir(path: Path) -> Path:
    """The directory that all worktrees of the repository share.

    Raises:
        NotFound: `path` belongs to no repository.
    """
    if _is_dir(path):
        known = _known_common_dir(path)
        if known is not None:
            return known
        ask = ("rev-parse", "--path-format=absolute", "--git-common-dir")
        answer = await git(*ask, cwd=path, check=False)
        if answer.code == 0:
            return _real(answer.text)
        missing = answer.refusal is None or isinstance(answer.refusal, RepositoryMissing)
        if not missing or "not a git repository" not in answer.err:
            raise failure(ask, answer)
    raise NotFound("git repository at", path)


def _known_common_dir(path: Path) -> Path | None:
    place = locations.locate(path)
    there = place is not None and os.path.lexists(place.git_dir / "HEAD")
    return place.common_dir if place is not None and there else None


def git_dir(worktree: Path) -> Path | None:
    """Return the directory of a checkout's HEAD and index, or None if `worktree` is not the top of
    one.

    Of a checkout that is known, it is what is known, and not where its `.git` leads.
    """
    place = locations.locate(worktree)
    if place is None or place.nested or place.work_tree is None:
        return locations.named_git_dir(worktree)
    if not same_place(place.work_tree, worktree):
        return None
    there = os.path.lexists(worktree / ".git") and os.path.lexists(place.git_dir / "HEAD")
    return place.git_dir if there else None


async def adopt(path: Path) -> Path | None:
    """Have git find the checkout at `path` itself, this once, and know it from now on.

    Git's own check of who owns it applies; none of its programs are run.

    Returns:
        The directory that all worktrees share; None if there is no repository.

    Raises:
        GitFailed: git does not want to have to do with it.
    """
    locations.forget(path)
    if not _is_dir(path):
        return None
    ask = ("rev-parse", "--path-format=absolute", "--git-common-dir", "--absolute-git-dir")
    result = await git(*ask, cwd=path, check=False, known=False)
    if result.code != 0:
        if "not a git repository" in result.err:
            return None
        raise failure(ask, result)
    common, own = map(_real, os.fsdecode(result.out).splitlines())
    top = await git("rev-parse", "--show-toplevel", cwd=path, check=False, known=False)
    bare = top.code != 0
    locations.remember(path if bare else Path(top.text), common, own, bare=bare)
    return common


def common_dir_at(checkout: Path) -> Path | None:
    """Return the result of `common_dir` for the top of a checkout, or for a git directory itself.

    Read without git. Blocks on the disk.
    """
    own = git_dir(checkout)
    if own is None:
        itself = all(os.path.exists(checkout / name) for name in ("HEAD", "objects", "refs"))
        return Path(os.path.realpath(checkout)) if itself else None
    try:
        return Path(
            os.path.realpath(own / os.fsdecode(plain_files.read(own / "commondir").strip()))
        )
    except OSError:
        return Path(os.path.realpath(own))  # the main checkout has no such file


async def identity(path: Path) -> dict[str, str]:
    """Return the identity of commits in `path`, as environment for git; never written anywhere.

    The person's, as git itself knows it. Where it does not, what is missing of it is Anyon's.
    """
    who: dict[str, str] = {}
    for role in ("AUTHOR", "COMMITTER"):
        name, email = await _ident(path, role)
        who |= {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": email}
    return who


async def _ident(path: Path, role: str) -> tuple[str, str]:
    # What git only guesses (the name of the account, that of the host) counts if it would commit
    # with it. If it would not, Anyon's part is offered for what nobody has told.
    configured_only = ("-c", "user.useConfigOnly=true")
    email, name = f"GIT_{role}_EMAIL", f"GIT_{role}_NAME"
    tries: list[tuple[tuple[str, ...], dict[str, str]]] = [((), {})]
    if not os.environ.get(email):
        tries.append((configured_only, {email: os.environ.get("EMAIL") or EMAIL}))
    if not os.environ.get(name):
        tries.append((() if os.environ.get("EMAIL") else configured_only, {name: NAME}))
    for options, offered in tries:
        ask = (*options, "var", f"GIT_{role}_IDENT")
        result = await git(*ask, cwd=path, env=offered, check=False)
        found = _IDENT.fullmatch(result.text)
        if result.code == 0 and found is not None:
            return found[1], found[2]
    return NAME, EMAIL


async def signing(path: Path) -> tuple[str, ...]:
    """The option that makes `commit-tree` sign, if the user wants commits signed."""
    ask = ("config", "--type=bool", "--get", "commit.gpgsign")
    return ("-S",) if (await git(*ask, cwd=path, check=False)).text == "true" else ()


async def empty_tree(path: Path) -> str:
    """The id of the tree without files, in the hash of that repository."""
    return (await git("hash-object", "-t", "tree", "--stdin", cwd=path, input=b"")).text


def _is_dir(path: Path) -> bool:
    # Unlike Path.is_dir, this does not raise for what may not be looked at.
    return os.path.isdir(path)


def _real(path: str) -> Path:
    return real_path(path, "git_repo_path")
