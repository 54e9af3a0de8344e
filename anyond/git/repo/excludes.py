"""Ignoring files without a word in any tracked file."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import trio

from anyond.git.disk import plain_files
from anyond.git.program.command import git
from anyond.git.program.parsing import parsed
from anyond.git.program.text import join, split
from anyond.git.repo.repository import Repositories, common_dir
from anyond.model.refusals.requests import Invalid


async def exclude(repos: Repositories, path: Path, patterns: Sequence[str]) -> None:
    """Have git ignore `patterns` in all checkouts of the repository, without touching a tracked
    file; those that are ignored so already are not written twice."""
    for pattern in patterns:
        if not pattern.strip() or "\n" in pattern or "\0" in pattern:
            raise Invalid("patterns", f"{pattern!r} is not one pattern.")
    file = await common_dir(path) / "info" / "exclude"
    async with repos.lock(path):
        await trio.to_thread.run_sync(_append_missing, file, patterns)


async def hide(repos: Repositories, path: Path, files: Sequence[str]) -> list[str]:
    """Have git ignore the files `files` of the checkout at `path`, whatever they are called; they
    need not be there yet.

    Returns:
        Those that git does not track; if it ignored them before, nothing was written for them.
    """
    if not files:
        return []
    tracked = await parsed((await git("ls-files", "-z", cwd=path)).out, _names)
    hidden = [file for file in files if file not in tracked]
    if hidden:
        # Answers 1 if nothing is ignored, which is none of our mistakes.
        ask = ("check-ignore", "-z", "--stdin")
        result = await git(*ask, cwd=path, input=join(hidden), check=False)
        ignored = await parsed(result.out, _names)
        patterns = [f"/{_literally(file)}" for file in hidden if file not in ignored]
        await exclude(repos, path, patterns)
    return hidden


def _names(out: bytes) -> set[str]:
    return set(split(out))


def _literally(file: str) -> str:
    """A pattern that matches `file`; what cannot be written in it, any letter may stand for."""
    return re.sub(r"[\\*?\[ ]", r"\\\g<0>", re.sub(r"[\r\n]", "\0", file)).replace("\0", "?")


def _append_missing(file: Path, patterns: Sequence[str]) -> None:
    file = file.resolve()
    old = plain_files.read(file) if file.exists() else b""
    lines = set(old.split(b"\n"))
    missing = [line for line in map(os.fsencode, dict.fromkeys(patterns)) if line not in lines]
    if not missing:
        return
    file.parent.mkdir(exist_ok=True)
    start = old if not old or old.endswith(b"\n") else old + b"\n"
    fresh = file.with_name(f"{file.name}.anyon")
    fresh.write_bytes(start + b"\n".join(missing) + b"\n")
    if file.exists():
        shutil.copymode(file, fresh)
    fresh.replace(file)
