"""The life of a shim: it reads, writes, obeys, and cleans up at the end.

Theory of operation. The supervisor waits in one selector for output of the program, commands at
the control socket, room in the program's stdin, and SIGCHLD. It never polls: timers exist only
while something is unfinished. Whatever passes through it is in the log before anyone else learns of
it. Part of the shim: the standard library only.
"""

from __future__ import annotations

import os
import selectors
import signal
import time

from anyond.shim.control_socket import ControlSocket
from anyond.shim.left_running.services import services
from anyond.shim.processes.descendants import Descendants
from anyond.shim.processes.peers import is_foreign
from anyond.shim.processes.process_table import LINUX, boot_id, started
from anyond.shim.program import Program, Stdin
from anyond.shim.protocol import UNNAMED
from anyond.shim.spool.log import Log, write_exit, write_json
from anyond.shim.spool.output import Source

TYPE_CHECKING = False  # the real one would load `typing`, which costs a megabyte
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from anyond.shim.spool.files import Run

HELD = 8 << 20  # bytes kept in memory while the disk is full
DRAIN = 0.25  # seconds that open pipes may outlive the program
KILL_AFTER_S = 0.5  # seconds between SIGTERM and SIGKILL for what is left over
RETRY = 1.0  # seconds between two attempts to write to a full disk
MOST_NAMED = 100  # commands of what the program has left running and that ends with it
BUSY_PAUSE_S = 0.005  # seconds that a chatty program may get ahead


class Supervisor:
    """One execution from its start to `exit.json`. The working directory is the spool.

    Args:
        release: lets go of the lock, when all is written down.
    """

    def __init__(self, spec: dict[str, Any], umask: int, release: Callable[[], None]) -> None:
        self.selector = selectors.DefaultSelector()
        wake, wakeup = os.pipe()
        self.wake = wake
        os.set_blocking(wake, False)
        os.set_blocking(wakeup, False)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.selector.register(wake, selectors.EVENT_READ, lambda _: os.read(wake, 4096))
        key = spec.pop("key", "").encode()
        self.protocol = spec.get("protocol", UNNAMED)
        root = os.path.dirname(os.getcwd())
        self.control = ControlSocket(
            self.selector,
            self._obey,
            lambda: b"#%d\n" % self.protocol + (b"E" if self.in_trouble else b""),
            lambda sock: is_foreign(sock, root),
            key,
        )
        self.spec = spec
        self.release = release
        self.program = program = Program(spec, umask)
        self.descendants = Descendants(program.pid)
        self.stdin = Stdin(program.stdin, self.selector)
        self.log = Log(spec["limit"], self.stdin.put)
        out = Source(b"stdout", program.stdout, self.log)
        self.sources = [out, Source(b"stderr", program.stderr, self.log)]
        self.reading: set[int] = set()
        self.phase = "running"
        self.deadline: float | None = None
        self.left_running = spec.get("left_running", "end")
        self.left_to_run: list[str] = []
        self.ended: list[str] = []
        self.is_ending_asked = False
        self.in_trouble = False
        self.exit_unwritten = False
        self.retry_at: float | None = None
        self.over = False

    def start(self) -> None:
        """Put the program on record, and let it run.

        Raises:
            NotStarted: the system refused it.
        """
        pid = self.program.pid
        run: Run = {
            "shim_pid": os.getpid(),
            "shim_started": started(os.getpid()),
            "pid": pid,
            "pid_started": started(pid),
            "boot_id": boot_id(),
            "started_at": time.time_ns(),
            "protocol": self.protocol,
        }
        write_json("run.json", run, lasting=False)
        # From here on it is never started again, so its secrets need not lie about.
        public = {**self.spec, "env": sorted(self.spec["env"])}
        public.pop("start", None)  # what has none was started
        write_json("spec.json", public, lasting=False)
        self.program.go()

    def run(self) -> None:
        """Serve until the program has ended and all of it is written down."""
        crumbs, last = 0, 0.0
        while not self.over:
            self._choose_sources()
            before = self.log.size
            for key, mask in self.selector.select(self._timeout()):
                key.data(mask)
            self._step()
            now = time.monotonic()
            # A program that writes line by line would wake us for each: let some gather.
            small = 0 < self.log.size - before < 1 << 14
            crumbs = crumbs + 1 if small and now - last < 0.001 else 0
            if crumbs > 8 and not self.over:
                time.sleep(BUSY_PAUSE_S)
                now = time.monotonic()
            last = now

    def _choose_sources(self) -> None:
        """While too much is held in memory the program has to wait."""
        full = self.log.held > HELD
        fds = {source.fd for source in self.sources if source.open and not full}
        for fd in self.reading - fds:
            self.selector.unregister(fd)
        for source in self.sources:
            if source.fd in fds - self.reading:
                self.selector.register(source.fd, selectors.EVENT_READ, self._reader(source))
        self.reading = fds

    def _reader(self, source: Source) -> Callable[[int], None]:
        def read(_: int) -> None:
            if source.read() == 0:
                # Not later: the number of a closed pipe may be given out again.
                self.selector.unregister(source.fd)
                self.reading.discard(source.fd)

        return read

    def _timeout(self) -> float | None:
        times = [source.due for source in self.sources]
        times += [self.retry_at, self.deadline, self.descendants.next_scan]
        due = [moment for moment in times if moment is not None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _step(self) -> None:
        now = time.monotonic()
        for source in self.sources:
            if source.due is not None and now >= source.due:
                source.expire()
        if self.retry_at is not None and now >= self.retry_at:
            self.retry_at = None
            self.log.retry()
        self.descendants.reap()
        if self.descendants.next_scan is not None and now >= self.descendants.next_scan:
            self.descendants.scan()
        if self.descendants.status is not None and self.descendants.next_scan is None:
            self._end(now)
        if self.over:
            return
        self._mind_the_disk(now)
        if self.stdin.ending and not self.stdin.queue and not self.log.waiting:
            self.stdin.close()
        if self.log.grown:
            self.control.notify_growth()
        self.log.grown = False

    def _mind_the_disk(self, now: float) -> None:
        trouble = self.log.trouble or self.exit_unwritten
        if not trouble:
            self.retry_at = None
        elif self.retry_at is None:
            self.retry_at = now + RETRY
        if trouble != self.in_trouble:
            self.in_trouble = trouble
            self.control.send(b"E" if trouble else b"e")

    def _obey(self, verb: bytes, payload: bytes) -> None:
        """Execute a command of the daemon. Raises ValueError if there is no such command."""
        if verb not in COMMANDS:
            raise ValueError("unknown verb")
        *_, execute = COMMANDS[verb]
        execute(self, payload)

    def _append_stdin(self, payload: bytes) -> None:
        if self.stdin.open:  # else nobody is told, so it is not on record either
            self.log.append(b"stdin", payload)

    def _append_note(self, payload: bytes) -> None:
        self.log.append(b"note", payload)

    def _end_stdin(self, _: bytes) -> None:
        self.stdin.ending = True

    def _signal(self, payload: bytes) -> None:
        if int(payload) != signal.SIGINT:
            self._note_orphans()
        self.is_ending_asked = True
        self.descendants.signal(int(payload))

    def _kill(self, _: bytes) -> None:
        self._note_orphans()
        self.is_ending_asked = True
        self.descendants.start_sweep()

    def _answer_sync(self, payload: bytes) -> None:
        self.control.send(b"=" + payload + b"\n")

    def _end(self, now: float) -> None:
        """The program has ended: first its pipes, then what is left of its descendants, then we."""
        if self.phase == "running":
            self.phase, self.deadline = "draining", now + DRAIN
        late = self.deadline is not None and now >= self.deadline
        if self.phase == "draining":
            drained = not any(source.open for source in self.sources)
            if not (drained or late or self.descendants.certainly_gone()):
                return
            found = self.descendants.remaining()
            if found and self.left_running != "end" and not self.is_ending_asked:
                if not late:
                    return  # many are just about to end
                if self._keep(found):
                    self._finish()
                    return
            elif found and not self.is_ending_asked:
                if not late:
                    return
                self.ended = services(found)[:MOST_NAMED]
            self.descendants.send(found, signal.SIGTERM)
            self.phase, self.deadline = ("ending", now + KILL_AFTER_S) if found else ("last", None)
        elif self.phase == "ending" and (late or not self.descendants.remaining()):
            self.phase, self.deadline = "last", None
            self.descendants.start_sweep()
            return
        if self.phase == "last":
            self._finish()

    def _keep(self, found: set[int]) -> bool:
        """Return whether what the program has left running lives on; if not, the log says that it
        ends.
        """
        commands = services(found)
        if not commands:
            return False
        if self.left_running == "keep" and LINUX and self.descendants.status == 0:
            self.left_to_run, self.phase, self.deadline = commands, "last", None
            return True
        what = "1 process" if len(commands) == 1 else f"{len(commands)} processes"
        listed = "".join(f"\n  {command}" for command in commands[:10])
        text = f"Anyon: the script has left {what} running, ended now with it:{listed}\n"
        self.log.append(b"stderr", text.encode(errors="replace"))
        return False

    def _note_orphans(self) -> None:
        """Before the program is ended: what it does not wait for any more, it has left running."""
        if not self.ended and not self.is_ending_asked and self.left_running == "end":
            found = self.descendants.orphans()
            self.ended = services(found)[:MOST_NAMED] if found else []

    def _finish(self) -> None:
        for fd in self.reading:
            self.selector.unregister(fd)
        self.reading.clear()
        for source in self.sources:
            while source.read() > 0:
                pass
            if source.open and self.left_to_run:
                source.expire()
            elif source.open:
                source.end()  # a process that is no descendant holds the pipe
        self.control.clear_up()
        if self.log.trouble:
            return
        assert self.descendants.status is not None
        code = os.waitstatus_to_exitcode(self.descendants.status)
        stuck = ", ".join(map(str, sorted(self.descendants.immune)))
        try:
            self.log.sync()  # before the end: an end on the disk says that the log is, too
            write_exit(
                {
                    "code": code if code >= 0 else None,
                    "signal": -code if code < 0 else None,
                    "error": f"could not be killed: {stuck}" if stuck else None,
                    "leftovers": len(self.descendants.removed - self.descendants.immune),
                    "kept": self.left_to_run,
                    "ended": self.ended,
                    "ended_at": time.time_ns(),
                    "protocol": self.protocol,
                }
            )
        except OSError:
            self.exit_unwritten = os.stat(".").st_nlink > 0  # else the spool was deleted
        else:
            self.exit_unwritten = False
        self.over = not self.exit_unwritten
        if self.over:
            self.control.remove()
            self.release()  # first, so that whoever hears of the end finds it true
            self.control.close()


# What a daemon can send: a verb with its payload and meaning, as README.md has them, and what
# executes it. A payload that it cannot read raises ValueError.
COMMANDS: dict[bytes, tuple[str, str, Callable[[Supervisor, bytes], None]]] = {
    b"stdin": (
        "bytes",
        "on record, then to the program; nothing if its stdin is closed",
        Supervisor._append_stdin,
    ),
    b"note": ("bytes", "on record", Supervisor._append_note),
    b"eof": (
        "",
        "the program's stdin is closed when all before it is passed on",
        Supervisor._end_stdin,
    ),
    b"signal": ("a number", "sent to the program's process group", Supervisor._signal),
    b"kill": (
        "",
        "all that descends from the shim is killed, until two looks find nobody",
        Supervisor._kill,
    ),
    b"sync": ("a token", "answered when all before it is executed", Supervisor._answer_sync),
}
