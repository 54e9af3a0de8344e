"""The repositories of the submodules of a checkout: where they are, and how git is run in them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import trio
from msgspec import Struct

from anyond.git.disk import plain_files
from anyond.git.program.command import Output, git
from anyond.git.program.parsing import parsed
from anyond.git.program.text import split
from anyond.git.repo.repository import common_dir, git_dir

GITLINK = "160000"
FROM_DISK = ("-c", "protocol.file.allow=always")
"""For a fetch; nothing of the repository on the other side is run by that."""
_DEEPEST = 8
_QUIETLY = ("-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "protocol.version=2")


class Submodule(Struct, frozen=True, kw_only=True):
    """A path of a checkout that stands for a commit of another repository.

    Args:
        path: relative to the checkout; those inside of others have the path of both.
        name: where its repository is below `modules/` of a git directory: what it is called in
            `.gitmodules`, after the name of the one that it is in.
        oid: the commit that the index names.
        store: its repository; None if it is not checked out.
    """

    path: str
    name: str
    oid: str
    store: Path | None


async def run(store: Path, *args: str | Path, work_tree: Path | None = None) -> Output:
    """Run git in the repository of a submodule, whatever lies around it.

    Args:
        work_tree: its files, if they matter.
    """
    return await git(
        *_QUIETLY, *args, cwd=work_tree or store, env=environment(store, work_tree), check=False
    )


def environment(store: Path, work_tree: Path | None = None) -> Mapping[str, str]:
    """Return the environment for git in which it looks for no other repository. Blocks on the
    disk.
    """
    try:
        shared = store / os.fsdecode(plain_files.read(store / "commondir").strip())
    except OSError:
        shared = store  # it is no linked worktree, and all of it is in one place
    return {
        "GIT_DIR": os.fspath(store),
        "GIT_COMMON_DIR": os.fspath(shared),
        # Without one, what is configured counts, and may be gone.
        "GIT_WORK_TREE": os.fspath(work_tree or store),
    }


async def listed(worktree: Path, *, deep: bool = True) -> list[Submodule]:
    """The submodules of a checkout, those inside of others after them."""
    own = await trio.to_thread.run_sync(git_dir, worktree)
    return [] if own is None else await _below(worktree, own, ("", ""), _DEEPEST if deep else 0)


async def stores(worktree: Path) -> dict[str, Path]:
    """All repositories of submodules that would go with a checkout, by path or name.

    Also those of submodules that are not checked out any more.
    """
    found = {
        submodule.path: submodule.store for submodule in await listed(worktree) if submodule.store
    }
    own = await trio.to_thread.run_sync(git_dir, worktree)
    if own is not None:
        known = {store.resolve() for store in found.values()}
        for name, store in (await trio.to_thread.run_sync(left_in, own)).items():
            if store.resolve() not in known:
                found.setdefault(name, store)
    return found


def left_in(own: Path) -> dict[str, Path]:
    """The repositories of submodules in a git directory, by name. Blocks on the disk."""
    found: dict[str, Path] = {}
    waiting = [own / "modules"]
    while waiting:
        place = waiting.pop()
        try:
            inside = sorted(entry for entry in place.iterdir() if entry.is_dir())
        except OSError:
            continue  # there are none
        for entry in inside:
            if (entry / "HEAD").is_file() and (entry / "objects").is_dir():
                found[os.fspath(entry.relative_to(own / "modules"))] = entry
                waiting.append(entry / "modules")
            else:
                waiting.append(entry)
    return found


async def counterpart(repo: Path, path: str, name: str) -> Path | None:
    """The repository of the same submodule in the project's own checkout.

    Also if it is not checked out there now, so that git would use it again.
    """
    there = await trio.to_thread.run_sync(git_dir, repo / path)
    if there is not None:
        return there
    store = below_modules(await common_dir(repo), name)
    if store is None or not await trio.Path(store / "HEAD").is_file():
        return None
    return store if await trio.Path(store / "objects").is_dir() else None


def below_modules(own: Path, name: str) -> Path | None:
    """Return the repository of a submodule in a git directory; None if the name leads elsewhere."""
    modules = own / "modules"
    place = Path(os.path.normpath(modules / name))
    return place if modules in place.parents else None


async def has(store: Path, oid: str) -> bool:
    """Return whether a repository has a commit."""
    return (await run(store, "cat-file", "-e", f"{oid}^{{commit}}")).code == 0


async def _below(
    worktree: Path, own: Path, above: tuple[str, str], deepest: int
) -> list[Submodule]:
    staged = await run(own, "ls-files", "--stage", "-z", work_tree=worktree)
    links = await parsed(staged.out, gitlinks)
    if not links:
        return []
    names = await _names(own, worktree)
    found: list[Submodule] = []
    for path, oid in links.items():
        place = worktree / path
        store = await trio.to_thread.run_sync(git_dir, place)
        full, name = f"{above[0]}{path}", f"{above[1]}{names.get(path, path)}"
        found.append(Submodule(path=full, name=name, oid=oid, store=store))
        if store is not None and deepest > 0:
            found += await _below(place, store, (f"{full}/", f"{name}/modules/"), deepest - 1)
    return found


def gitlinks(staged: bytes) -> dict[str, str]:
    """Path and commit of each submodule, from `git ls-files --stage -z`."""
    mode = f"{GITLINK} ".encode()
    lines = (os.fsdecode(line) for line in staged.split(b"\0") if line.startswith(mode))
    return {
        path: facts.split(" ")[1] for facts, _, path in (line.partition("\t") for line in lines)
    }


async def _names(own: Path, worktree: Path) -> dict[str, str]:
    ask = ("config", "--file", worktree / ".gitmodules", "--null", "--get-regexp")
    result = await run(own, *ask, r"^submodule\..*\.path$", work_tree=worktree)
    pairs = (setting.partition("\n") for setting in split(result.out))
    return {path: key[len("submodule.") : -len(".path")] for key, _, path in pairs}
