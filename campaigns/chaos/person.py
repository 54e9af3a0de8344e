"""The person beside the agents: commits of their own on the branches that attempts aim at."""

from __future__ import annotations

import subprocess
from pathlib import Path

import trio

from campaigns.chaos.world import TIMEOUT_S, World


async def commit(world: World, repository: Path, branch: str, name: str, text: str) -> bool:
    """A commit of one file on a branch, in the checkout if that is on it.

    Returns:
        False if git was in the way all the time.
    """
    until = trio.current_time() + TIMEOUT_S
    while trio.current_time() < until:
        try:
            if world.git(repository, "symbolic-ref", "--short", "HEAD") == branch:
                made = _in_checkout(world, repository, name, text)
            else:
                made = _in_memory(world, repository, branch, name, text)
        except subprocess.CalledProcessError:
            await trio.sleep(0.05)  # a lock of the daemon's git, or the branch has moved
            continue
        world.persons.setdefault(str(repository), []).append((branch, made))
        return True
    return False


def _in_checkout(world: World, repository: Path, name: str, text: str) -> str:
    (repository / name).write_text(text)
    world.git(repository, "add", name)
    world.git(repository, "commit", "-qm", f"Theirs: {name}", "--", name)
    return world.git(repository, "rev-parse", "HEAD")


def _in_memory(world: World, repository: Path, branch: str, name: str, text: str) -> str:
    index = world.root / "persons.index"
    index.unlink(missing_ok=True)
    own = {"GIT_INDEX_FILE": str(index)}
    before = world.git(repository, "rev-parse", f"refs/heads/{branch}")
    world.git(repository, "read-tree", before, env=own)
    scratch = world.root / "persons.file"
    scratch.write_text(text)
    blob = world.git(repository, "hash-object", "-w", str(scratch))
    world.git(repository, "update-index", "--add", "--cacheinfo", f"100644,{blob},{name}", env=own)
    tree = world.git(repository, "write-tree", env=own)
    made = world.git(repository, "commit-tree", tree, "-p", before, "-m", f"Theirs: {name}")
    world.git(repository, "update-ref", f"refs/heads/{branch}", made, before)
    return made
