"""A person at a terminal, as far as git is concerned."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import trio


class Checkout:
    """A directory under git, driven as a person would drive it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def git(self, *args: str | Path, code: int = 0, **env: str) -> str:
        command = ["git", *(os.fspath(arg) for arg in args)]
        done = subprocess.run(
            command, cwd=self.path, env={**os.environ, **env}, capture_output=True, check=False
        )
        assert done.returncode == code, (command, done.returncode, done.stderr.decode())
        return os.fsdecode(done.stdout).rstrip("\n")

    def write(self, name: str, text: str | bytes = "text\n") -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    def read(self, name: str) -> str:
        return (self.path / name).read_text()

    def commit(self, files: dict[str, str | bytes], message: str = "change") -> str:
        for name, text in files.items():
            self.write(name, text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.oid()

    def oid(self, rev: str = "HEAD") -> str:
        return self.git("rev-parse", "--verify", rev)

    def hook(self, name: str, script: str) -> None:
        directory = Path(self.git("rev-parse", "--path-format=absolute", "--git-path", "hooks"))
        directory.mkdir(exist_ok=True)
        (directory / name).write_text(f"#!/bin/sh\n{script}\n")
        (directory / name).chmod(0o755)

    def status(self) -> list[str]:
        return self.git("status", "--porcelain", GIT_OPTIONAL_LOCKS="0").splitlines()

    def index(self) -> Path:
        return Path(self.git("rev-parse", "--path-format=absolute", "--git-path", "index"))

    def index_bytes(self) -> tuple[bytes, int]:
        """What the index is, and since when."""
        return self.index().read_bytes(), self.index().stat().st_mtime_ns

    def worktree(self, name: str, branch: str, base: str = "main") -> Checkout:
        path = self.path.parent / name
        self.git("worktree", "add", "-q", "-b", branch, path, base)
        return Checkout(path)


async def until(condition: Callable[[], object]) -> None:
    """Wait for something outside of this process; 30 s is for a machine that is very busy."""
    with trio.fail_after(30):
        while not condition():
            await trio.sleep(0.005)


def run_unprivileged(program: str, *args: str) -> list[str]:
    """The lines that a program in Python prints which may read only what it is allowed to."""
    command = [sys.executable, "-c", program, *args]
    if os.geteuid() == 0:
        less = "-dac_override,-dac_read_search,-fowner"
        command = ["setpriv", f"--bounding-set={less}", f"--inh-caps={less}", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
