"""Which files git is told to ignore without a word in any tracked file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import trio

from anyond.git.repository import Repositories, common_dir
from anyond.model.errors import Invalid


async def exclude(repos: Repositories, path: Path, patterns: Sequence[str]) -> None:
    """Have git ignore `patterns` in all checkouts of the repository, without touching a tracked
    file; those that are ignored so already are not written twice."""
    for pattern in patterns:
        if not pattern.strip() or "\n" in pattern or "\0" in pattern:
            raise Invalid("patterns", f"{pattern!r} is not one pattern.")
    file = await common_dir(path) / "info" / "exclude"
    async with repos.lock(path):
        await trio.to_thread.run_sync(_append_missing, file, patterns)


def _append_missing(file: Path, patterns: Sequence[str]) -> None:
    file = file.resolve()
    old = file.read_bytes() if file.exists() else b""
    lines = old.split(b"\n")
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
