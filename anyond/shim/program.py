"""Starting a program so that it runs as if nobody stood behind it.

Part of the shim: the standard library only.
"""

from __future__ import annotations

import fcntl
import os
import resource
import selectors
import signal
import sys
from collections import deque

TYPE_CHECKING = False  # the real one would load `typing`, which costs a megabyte
if TYPE_CHECKING:
    from typing import Any


class NotStarted(Exception):
    """The program could not be started; the text says why."""


class Program:
    """The program before it runs: forked, with its pipes, waiting for the word.

    The word is given after `run.json` is written: a program that runs is always on record.
    """

    def __init__(self, spec: dict[str, Any], umask: int) -> None:
        self.spec = spec
        self.umask = umask
        self.stdin: int | None = None
        if spec["stdin"]:
            theirs, self.stdin = os.pipe()
        else:
            theirs = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        self.stdout, out = os.pipe()
        self.stderr, err = os.pipe()
        self.failure, complaint = os.pipe()
        word, self.word = os.pipe()
        try:
            self.pid = os.fork()
        except OSError as error:
            raise NotStarted(f"no process for {spec['program']!r}: {error.strerror}") from error
        if not self.pid:
            self._become((theirs, out, err), word, complaint)
        for fd in (theirs, out, err, complaint, word):
            os.close(fd)
        for fd in (self.stdout, self.stderr):
            os.set_blocking(fd, False)
        _widen(self.stdout)

    def go(self) -> None:
        """Let it run.

        Raises:
            NotStarted: the system refused.
        """
        os.write(self.word, b"g")
        os.close(self.word)
        with open(self.failure, "rb") as file:
            complaint = file.read()
        if complaint:
            os.waitpid(self.pid, 0)
            raise NotStarted(complaint.decode(errors="surrogateescape"))

    def _become(self, pipes: tuple[int, int, int], word: int, complaint: int) -> None:
        spec = self.spec
        what = f"cannot prepare {spec['program']!r}"
        try:
            os.close(self.word)  # else we would not see the shim's death
            os.setsid()
            for number, fd in enumerate(pipes):
                os.dup2(fd, number)
            for number in signal.valid_signals():
                if signal.getsignal(number) == signal.SIG_IGN:
                    signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            os.umask(self.umask)
            if os.read(word, 1) == b"g":
                what = f"cannot enter the directory {spec['cwd']!r}"
                os.chdir(spec["cwd"])
                if "open_files" in spec:  # not if the daemon is of an earlier version
                    resource.setrlimit(resource.RLIMIT_NOFILE, tuple(spec["open_files"]))
                what = f"cannot run {spec['program']!r}"
                os.execve(spec["program"], spec["argv"], spec["env"])
        except BaseException as error:  # whatever it is, two shims are worse
            why = error.strerror if isinstance(error, OSError) else str(error)
            missing = isinstance(error, FileNotFoundError) and os.path.exists(spec["program"])
            if missing and what.startswith("cannot run"):
                why = "the interpreter that it names in its first line does not exist"
            os.write(complaint, f"{what}: {why}".encode(errors="surrogateescape"))
        os._exit(127)


def _widen(fd: int) -> None:
    """Ask for a pipe of 1 MiB. Only stdout gets one: a user may have but 64 MiB of pipes."""
    if sys.platform == "linux":
        try:
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, 1 << 20)
        except OSError:
            return  # a small pipe is a slower one, no more


class Stdin:
    """The pending input of the program: any amount, at the pace at which it reads.

    Args:
        fd: the pipe, or None if the program was given nothing to listen to.
    """

    def __init__(self, fd: int | None, selector: selectors.BaseSelector) -> None:
        self.fd = fd
        self.selector = selector
        self.queue: deque[memoryview] = deque()
        self.ending = False
        if fd is not None:
            os.set_blocking(fd, False)

    @property
    def open(self) -> bool:
        """True if more can be said."""
        return self.fd is not None and not self.ending

    def put(self, data: bytes) -> None:
        if self.fd is not None and data:
            self.queue.append(memoryview(data))
            if len(self.queue) == 1:
                self._write(0)

    def close(self) -> None:
        """Say no more; what is queued is dropped."""
        self.queue.clear()
        if self.fd is not None:
            self._forget()
            os.close(self.fd)
        self.fd, self.ending = None, False

    def _forget(self) -> None:
        if self.fd is not None and self.fd in self.selector.get_map():
            self.selector.unregister(self.fd)

    def _write(self, _: int) -> None:
        if self.fd is None:
            return  # closed by what was served just before
        try:
            while self.queue:
                done = os.write(self.fd, self.queue[0][: 1 << 16])
                rest = self.queue.popleft()[done:]
                if rest:
                    self.queue.appendleft(rest)
        except BlockingIOError:
            if self.fd not in self.selector.get_map():
                self.selector.register(self.fd, selectors.EVENT_WRITE, self._write)
        except OSError:  # nobody reads any more: what is left is not wanted
            self.close()
        else:
            self._forget()
