"""Processes of git that could hold a lock: old enough, and at work in that repository."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

# What a helper in the background is called; it holds no lock for longer than a moment.
_LASTING = ("daemon", "credential-cache")
_PATH_VARIABLES = ("GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "PWD")
_CLOCK_S = 1.0


def may_be_held(lock: Path, made: float) -> bool:
    """Return whether a git is alive that was there when `lock` was made, and that may be its maker.

    A git counts out only if it is known to be at work elsewhere: neither its directory, nor what
    its environment and its arguments name, lies in the repository or one of its worktrees. A git
    that waits for ever somewhere else (for a password, in a hook) so keeps no lock alive here.

    Args:
        lock: a file in a git directory.
        made: when, in seconds of the epoch.
    """
    import psutil  # seldom needed, and not small

    roots = list(_roots(lock))
    for process in psutil.process_iter():
        # It ended in between, or tells nothing; a zombie holds nothing.
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if not process.name().startswith("git") or process.create_time() > made + _CLOCK_S:
                continue
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            if any(word in part for part in process.cmdline()[1:3] for word in _LASTING):
                continue
            try:
                if roots and not any(_below(place, roots) for place in _paths_of(process)):
                    continue
            except psutil.AccessDenied:
                pass  # of another user: nobody knows where it is
            return True
    return False


def _roots(lock: Path) -> Iterator[str]:
    """The directories in which a git at work in the repository of `lock` can be."""
    common = next((p for p in lock.parents if (p / "objects").is_dir()), None)
    if common is None:
        return
    yield os.path.realpath(common)
    if common.name == ".git":
        yield os.path.realpath(common.parent)
    for link in common.glob("worktrees/*/gitdir"):
        with suppress(OSError):
            yield os.path.realpath(Path(os.fsdecode(link.read_bytes().strip())).parent)
    with suppress(OSError):
        for line in (common / "config").read_text(errors="surrogateescape").splitlines():
            name, _, value = line.strip().partition("=")
            if name.strip().lower() == "worktree" and value:
                yield os.path.realpath(common / value.strip())


def _paths_of(process: Any) -> Iterator[str]:
    cwd = process.cwd()
    yield cwd
    environ = process.environ()
    for name in _PATH_VARIABLES:
        if value := environ.get(name):
            yield os.path.join(cwd, value)
    for part in process.cmdline()[1:]:
        value = part.partition("=")[2] if part.startswith("--") else part
        if value.startswith(("/", ".")):
            yield os.path.join(cwd, value)


def _below(place: str, roots: list[str]) -> bool:
    real = os.path.realpath(place)
    return any(real == root or real.startswith(root.rstrip("/") + "/") for root in roots)
