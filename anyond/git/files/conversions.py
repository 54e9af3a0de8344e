"""Files that git converts when it stores them, and the results."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import trio

from anyond.git.disk import plain_files
from anyond.git.disk.scratch import scratch
from anyond.git.program.command import git
from anyond.git.program.parsing import parsed
from anyond.git.program.text import join, quoted_element
from anyond.git.repo.repository import common_dir, git_dir
from anyond.model.refusals.requests import NotFound

_ATTRIBUTES = ("text", "crlf", "eol", "working-tree-encoding", "ident", "filter")
_NONE = {"unspecified", "unset"}
_AS_IT_IS = ("-c", "core.safecrlf=false")


async def converted(worktree: Path, paths: Sequence[str]) -> list[str]:
    """Those of `paths` that git does not store byte by byte.

    Args:
        worktree: the top of the checkout, whose attributes count.
    """
    if not paths:
        return []
    everything = False
    found: dict[str, dict[str, str]] = {}

    async def read_setting() -> None:
        nonlocal everything
        ends = await git("config", "--get", "core.autocrlf", cwd=worktree, check=False)
        everything = ends.text.lower() not in {"", "false", "no", "off", "0"}

    async def read_attributes() -> None:
        # Of most files there is nothing to say, and git says nothing.
        ask = ("check-attr", "-z", "--stdin", "--all")
        result = await git(*ask, cwd=worktree, input=join(paths))
        found.update(await parsed(result.out, _by_path))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read_setting)
        nursery.start_soon(read_attributes)
    return [path for path in paths if _is_converted(found.get(path, {}), everything)]


async def any_replaced(worktree: Path) -> bool:
    """Return whether other objects stand for some (see git-replace): then a file that git has
    written is not what the index names.
    """
    return await trio.to_thread.run_sync(_any_replaced, await common_dir(worktree))


def _any_replaced(common: Path) -> bool:
    replacing = common / "refs" / "replace"
    if replacing.is_dir() and any(replacing.iterdir()):
        return True
    try:
        return b" refs/replace/" in plain_files.read(common / "packed-refs")
    except OSError:
        return False  # there is none


async def with_filter(worktree: Path, paths: Sequence[str]) -> list[str]:
    """Those of `paths` whose attributes name a filter."""
    if not paths:
        return []
    ask = ("check-attr", "-z", "--stdin", "filter")
    answer = await git(*ask, cwd=worktree, input=join(paths))
    found = await parsed(answer.out, _by_path)
    return [path for path in paths if found.get(path, {}).get("filter", "unset") not in _NONE]


async def stored(worktree: Path, paths: Sequence[str]) -> dict[str, bytes]:
    """Return git's stored form of each of these files of a checkout; nothing is written to the
    repository.

    Of a file that git cannot convert there is no answer.
    """
    own = git_dir(worktree)
    if own is None:
        raise NotFound("worktree", worktree)
    # The paths are lines here.
    left = [path for path in paths if "\n" not in path and not path.startswith('"')]
    left = await trio.to_thread.run_sync(_regular, worktree, left)
    found: dict[str, bytes] = {}
    if not left:
        return found
    with scratch(own) as private:
        env = {
            "GIT_OBJECT_DIRECTORY": os.fspath(private),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": quoted_element(
                await common_dir(worktree) / "objects"
            ),
        }
        oids: dict[str, str] = {}
        while left:
            lines = b"".join(os.fsencode(path) + b"\n" for path in left)
            ask = (*_AS_IT_IS, "hash-object", "-w", "--stdin-paths")
            result = await git(*ask, cwd=worktree, env=env, input=lines, check=False, timeout=1800)
            done = result.out.decode("ascii").split()
            oids |= zip(left, done, strict=False)
            # It ends with the first that it cannot convert, which is left out.
            left = left[len(done) + 1 :] if result.code != 0 else []
        asked = "".join(f"{oid}\n" for oid in oids.values()).encode("ascii")
        out = (await git("cat-file", "--batch", cwd=worktree, env=env, input=asked)).out
    at = 0
    for path in oids:
        end = out.index(b"\n", at)
        size = int(out[at:end].rsplit(b" ", 1)[1])
        found[path] = out[end + 1 : end + 1 + size]
        at = end + 1 + size + 1
    return found


def _by_path(result: bytes) -> dict[str, dict[str, str]]:
    # Not `split`: a value may be empty.
    fields = [os.fsdecode(field) for field in result.split(b"\0")[:-1]]
    found: dict[str, dict[str, str]] = {}
    for path, attribute, value in zip(fields[::3], fields[1::3], fields[2::3], strict=True):
        found.setdefault(path, {})[attribute] = value
    return found


def _regular(worktree: Path, paths: Sequence[str]) -> list[str]:
    # Git would follow a link here, to wherever it leads.
    root = os.path.realpath(worktree)
    return [
        path
        for path in paths
        if os.path.realpath(os.path.join(root, path)) == os.path.join(root, path)
        and os.path.isfile(os.path.join(root, path))
    ]


def _is_converted(attributes: dict[str, str], everything: bool) -> bool:
    text = attributes.get("text", "unspecified")
    if everything and text != "unset":
        return True
    if text == "unset":
        # Then `eol` means nothing.
        return any(attributes.get(a, "unset") not in _NONE for a in _ATTRIBUTES[3:])
    return any(attributes.get(a, "unset") not in _NONE for a in _ATTRIBUTES)
