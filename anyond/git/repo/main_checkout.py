"""The main checkout of a repository, and whether git would update its files.

Theory of operation. `git worktree list` derives the main checkout from the name of the repository:
it takes away `/.git` and believes the rest. That is wrong for a submodule (its repository lies in
`.git/modules` and names its checkout in `core.worktree`), for `git init --separate-git-dir`, for a
bare repository whose `core.bare` moved to `config.worktree`, and for one whose `core.bare` a tool
has flipped. So the configuration is read here, and a place counts only if its `.git` leads back.
"""

from __future__ import annotations

import os
from pathlib import Path

import trio
from msgspec import Struct

from anyond.git.disk import locations, plain_files
from anyond.git.program.command import git
from anyond.git.program.parsing import parsed
from anyond.git.program.text import as_utf8, split
from anyond.git.repo.repository import common_dir, git_dir

_FILES_COMPARED = 2000
"""So many tracked files are looked for to tell a checkout from an index that was left behind."""


class MainCheckout(Struct, frozen=True, kw_only=True):
    """The checkout of the HEAD of the repository itself.

    Args:
        path: the checkout, or the repository if it has none or its place is unknown.
        branch: what HEAD names; None if it is detached, or not to be read in a file.
        bare: there is no checkout, as far as git knows.
        unreachable: why files of `branch` may exist that git does not update; None if all is well.
    """

    path: Path
    branch: str | None
    bare: bool = False
    unreachable: str | None = None


async def find(repo: Path) -> MainCheckout:
    """The main checkout of the repository that `repo` belongs to.

    Args:
        repo: anywhere in one of its checkouts, or in itself.

    Raises:
        NotFound: there is no repository.
    """
    common = await common_dir(repo)
    settings = await _settings(common / "config")
    if settings.get("extensions.worktreeconfig") == "true":
        settings |= await _settings(common / "config.worktree")
    place = await trio.to_thread.run_sync(_place, repo, common, settings.get("core.worktree"))
    branch, indexed = await trio.to_thread.run_sync(_head_and_index, common)
    if settings.get("core.bare") == "true":
        return await _bare(common, place, branch, indexed)
    if place is not None and _leads_to(place, common):
        return MainCheckout(path=place, branch=branch)
    if not indexed:
        return MainCheckout(path=common, branch=None, bare=True)
    if place is not None:
        text = f"The files of {_name(branch)} are in {place}, where git does not find {common}."
    else:
        text = (
            f"Git does not say where the files of {_name(branch)} are whose index is in {common}."
        )
    text += " Merge into another branch, or check out another one there first."
    return MainCheckout(path=place or common, branch=branch, unreachable=text)


def top(path: Path) -> Path | None:
    """The checkout that `path` is in, whatever the repository says of it. Blocks on the disk."""
    for place in (path, *path.parents):
        if os.path.lexists(place / ".git"):
            return place
    return None


async def _bare(
    common: Path, place: Path | None, branch: str | None, indexed: bool
) -> MainCheckout:
    """Return whether a repository that calls itself bare is so."""
    if not indexed:
        return MainCheckout(path=common, branch=None, bare=True)
    if place is None:
        text = (
            f"{common} is a bare repository with an index, so files of {_name(branch)} may be "
            f"checked out somewhere. If there are none, delete {common / 'index'}."
        )
        return MainCheckout(path=common, branch=branch, bare=True, unreachable=text)
    # With the repository as its own top, or git would list what is below it in the checkout.
    where = dict.fromkeys(("GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE"), os.fspath(common))
    listed = await git("ls-files", "-z", cwd=common, env=where, check=False)
    tracked = await parsed(listed.out, split)
    if not await trio.to_thread.run_sync(_any_there, place, tracked):
        return MainCheckout(path=common, branch=None, bare=True)
    text = (
        f"core.bare is true in the configuration of {common}, so git does not update the files of "
        f"{_name(branch)} in {place}. To mend it: git --git-dir={common} config core.bare false"
    )
    return MainCheckout(path=place, branch=branch, unreachable=text)


async def _settings(file: Path) -> dict[str, str]:
    """Those of a file that say where a checkout is; booleans as `true` and `false`."""
    keys = r"^(core\.(bare|worktree)|extensions\.worktreeconfig)$"
    ask = ("config", "--includes", "--null", "--file", file, "--get-regexp", keys)
    # Not in the repository: git refuses to begin where `core.worktree` does not exist.
    result = await git(*ask, cwd=Path("/"), check=False)
    found: dict[str, str] = {}
    for setting in split(result.out):
        key, given, value = setting.partition("\n")
        if key != "core.worktree":
            value = "true" if not given or value.lower() in {"true", "yes", "on", "1"} else "false"
        found[key] = value
    return found


def _place(repo: Path, common: Path, named: str | None) -> Path | None:
    """Return the expected place of the checkout."""
    if named is not None:
        return Path(os.path.realpath(common / named))
    if common.name == ".git":
        return common.parent
    here = top(repo)
    # From a linked worktree the way to it is not written down anywhere: a project is one that has
    # been looked at from there.
    candidates = [*([here] if here is not None else []), *locations.main_checkouts(common)]
    return next((place for place in candidates if _leads_to(place, common)), None)


def _leads_to(place: Path, common: Path) -> bool:
    own = git_dir(place)
    return own is not None and os.path.realpath(own) == os.fspath(common)


def _head_and_index(common: Path) -> tuple[str | None, bool]:
    try:
        head = os.fsdecode(plain_files.read(common / "HEAD").strip())
    except OSError:
        head = ""  # unreadable, or a link to nowhere: git will say more of it
    name = head.removeprefix("ref: ").strip().removeprefix("refs/heads/")
    known = head.startswith("ref: ") and name != ".invalid"
    return (name if known else None), (common / "index").exists()


def _any_there(place: Path, tracked: list[str]) -> bool:
    return any(os.path.lexists(place / path) for path in tracked[:_FILES_COMPARED])


def _name(branch: str | None) -> str:
    return f"the branch {as_utf8(branch)}" if branch else "HEAD"
