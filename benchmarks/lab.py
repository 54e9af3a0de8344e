"""The place of measurements: a directory that goes away, with the repositories in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks.root import ROOT

if TYPE_CHECKING:
    from benchmarks.daemon import Daemon

FILES = 20_000


class Lab:
    """Everything below one temporary directory.

    Args:
        root: empty, and on a disk, not in memory.
        short: whether a few rounds of everything are enough.
    """

    def __init__(self, root: Path, *, short: bool = False) -> None:
        self.root = root
        self.short = short
        self._count = 0
        home = root / "home"
        home.mkdir()
        (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@localhost\n")
        self.environment = {
            "HOME": str(home),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "GIT_CONFIG_NOSYSTEM": "1",
        }

    @classmethod
    @contextmanager
    def open(cls, *, short: bool = False) -> Iterator[Lab]:
        """A lab that leaves nothing behind: no file, and no process."""
        root = Path(tempfile.mkdtemp(prefix="anyon-bench-")).resolve()
        try:
            yield cls(root, short=short)
        finally:
            _end_all_below(root)
            shutil.rmtree(root, ignore_errors=True)

    def rounds(self, number: int) -> int:
        """So many rounds, or the three that show whether a row works."""
        return min(number, 3) if self.short else number

    def path(self, name: str) -> Path:
        """A path below the lab that nobody else has."""
        self._count += 1
        return self.root / f"{name}-{self._count}"

    @contextmanager
    def daemon(self, *options: str) -> Iterator[Daemon]:
        """A daemon with an empty data directory, serving."""
        # Other daemons are measured in a lab as well, and nothing of ours is imported for them.
        from benchmarks.daemon import Daemon

        daemon = Daemon(self.path("daemon"), self.environment)
        daemon.start(*options)
        try:
            yield daemon
        finally:
            daemon.stop()

    # ------------------------------------------------------------ repositories and programs

    def run(self, *argv: str, cwd: Path | None = None, **more: Any) -> bytes:
        """Return the output of a program, which must succeed."""
        done = subprocess.run(
            argv,
            cwd=cwd or self.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            check=True,
            **more,
        )
        return bytes(done.stdout)

    def timed(self, *argv: str, cwd: Path) -> float:
        """Return the seconds that a program takes whose output goes nowhere."""
        began = time.perf_counter()
        subprocess.run(
            argv,
            cwd=cwd,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        return time.perf_counter() - began

    def repository(self) -> Path:
        """One commit with one file."""
        path = self._imported({"README.md": b"line one\n"})
        self.run("git", "reset", "-q", "--hard", cwd=path)
        return path

    def large_repository(self, files: int = FILES) -> Path:
        """One commit with 20,000 files of about 1 KB, in 400 directories; or with so many."""
        names = (f"part{n // 1000:02}/piece{n // 50 % 20:02}/file{n:05}.py" for n in range(files))
        path = self._imported({name: f"value = {name!r}\n".encode() * 25 for name in names})
        self.run("git", "-c", "checkout.workers=2", "reset", "-q", "--hard", cwd=path)
        return path

    def old_repository(self, commits: int) -> Path:
        """The large repository after so many more commits, each of five files."""
        path = self.large_repository()
        names = self.run("git", "ls-files", cwd=path).decode().split()
        stream = bytearray()
        for n in range(commits):
            stream += b"commit refs/heads/main\ncommitter Ada <ada@localhost> %d +0000\n" % (
                1735690000 + n
            )
            stream += b"data 4\nMore\n"
            if n == 0:
                stream += b"from refs/heads/main^0\n"
            for k in range(5):
                content = b"value = %d\n" % n
                name = names[(n * 7 + k * k * 997) % (len(names) if k else 500)].encode()
                stream += b"M 100644 inline %s\ndata %d\n%s\n" % (name, len(content), content)
        self.run("git", "fast-import", "--quiet", cwd=path, input=stream)
        self.run("git", "-c", "checkout.workers=2", "reset", "-q", "--hard", cwd=path)
        return path

    def _imported(self, files: dict[str, bytes]) -> Path:
        path = self.path("repository")
        self.run("git", "init", "-q", "-b", "main", str(path))
        stream = bytearray(
            b"commit refs/heads/main\ncommitter Ada <ada@localhost> 1735689600 +0000"
        )
        stream += b"\ndata 5\nFirst\n"
        for name, content in files.items():
            stream += b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(content), content)
        self.run("git", "fast-import", "--quiet", cwd=path, input=stream)
        return path

    def program(self, text: str) -> Path:
        """An executable shell script."""
        path = self.path("program")
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path


def _end_all_below(root: Path) -> None:
    """Shims outlive their daemon, so a measurement that failed may have left some, and itself."""
    for left in psutil.process_iter(["cmdline", "environ"]):
        words = (*(left.info["cmdline"] or ()), (left.info["environ"] or {}).get("HOME", ""))
        if any(word.startswith(f"{root}/") for word in words):
            with suppress(psutil.NoSuchProcess):
                for process in (*left.children(recursive=True), left):
                    with suppress(psutil.NoSuchProcess):
                        process.kill()
