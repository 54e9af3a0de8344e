"""The start of a shim, `python -I -S shim.py <start> <spool directory>`, and its failures.

The shim is the supervisor of one program: it alone holds the pipes and writes the spool, and it
outlives the daemon. It takes the lock of the spool first; as long as the lock is held, it lives.
Under the lock it compares its start with the one that the spool was made for: the daemon may have
died meanwhile, and the next one have made another spool in the same place. The lock is let go when
`exit.json` is written. It and the modules that it imports know the standard library only, and
little of that.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import signal
import sys
import time

if __name__ == "__main__":  # isolated mode does not know where we come from
    sys.path.append(os.path.abspath(__file__ + "/../../.."))

from anyond.shim.left_running.services_keeper import ServicesKeeper
from anyond.shim.processes.descendants import SWEEP, Descendants
from anyond.shim.processes.process_table import LINUX
from anyond.shim.program import NotStarted
from anyond.shim.protocol import PROTOCOL, UNNAMED, refusal
from anyond.shim.spool.log import write_exit
from anyond.shim.supervisor import Supervisor

REFUSED = 75  # exit status of a shim that came too late
IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE)


def take_lock() -> int | None:
    """Become the supervisor of this directory: the locked file; None if it is not to be had."""
    try:
        lock = os.open("lock", os.O_RDWR | os.O_CLOEXEC)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        current = os.stat("lock").st_ino == os.fstat(lock).st_ino
    except OSError:
        return None
    late = os.path.exists("run.json") or os.path.exists("exit.json")
    return lock if current and not late else None


def report(line: str) -> None:
    """Tell the launcher, and let go of it."""
    try:
        os.write(1, line.encode() + b"\n")
    except OSError:
        return  # it is dead; whoever comes next finds us by our lock
    finally:
        fd = os.open(os.devnull, os.O_RDWR)
        os.dup2(fd, 1, inheritable=False)
        os.close(fd)


def give_up(reason: str, lock: int) -> None:
    """There will be no program (any more): leave no orphans, and say why."""
    descendants = Descendants(0)
    descendants.start_sweep()
    while descendants.next_scan is not None:
        descendants.scan()
        time.sleep(SWEEP)
    try:
        write_exit(
            {
                "code": None,
                "signal": None,
                "error": reason,
                "leftovers": 0,
                "ended_at": time.time_ns(),
                "protocol": PROTOCOL,
            }
        )
    finally:
        fcntl.flock(lock, fcntl.LOCK_UN)
        report(f"failed {json.dumps(reason)}")


def keep_services(supervisor: Supervisor, lock: int) -> None:
    """The execution is over; what it has left running is not."""
    supervisor.control.leave()
    os.close(lock)
    keeper = ServicesKeeper(supervisor.descendants, supervisor.sources, supervisor.wake)
    keeper.listen()
    keeper.run()


def main(directory: str, start: str) -> int:
    """Keep the program of the spool `directory`; returns the exit status of the shim.

    Args:
        start: names the one start of the program that this shim was made for.
    """
    try:
        os.chdir(directory)
    except OSError:
        return REFUSED
    if os.getsid(0) != os.getpid():
        os.setsid()
    umask = os.umask(0o077)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    lock = take_lock()
    if lock is None:
        return REFUSED
    try:
        with open("spec.json") as file:
            spec = json.load(file)
    except FileNotFoundError:
        return REFUSED
    if spec.get("start", "") != start:
        return REFUSED
    if LINUX:
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    spec["env"]["ANYON_EXECUTION"] = spec["id"]
    try:
        why_not = refusal(spec.get("protocol", UNNAMED))
        if why_not is not None:
            raise NotStarted(f"the daemon is of another version: {why_not}")
        supervisor = Supervisor(spec, umask, lambda: fcntl.flock(lock, fcntl.LOCK_UN))
        supervisor.start()
        report(f"ready {supervisor.program.pid}")
        supervisor.run()
        if supervisor.left_to_run:
            keep_services(supervisor, lock)
    except NotStarted as failure:
        give_up(str(failure), lock)
    except Exception as error:  # a bug of ours, or a disk too full to begin with
        why = os.strerror(error.errno or errno.EIO) if isinstance(error, OSError) else repr(error)
        give_up(f"The shim failed: {why}", lock)
        raise
    return 0


if __name__ == "__main__":
    _, *start, spool = sys.argv
    os._exit(main(os.path.abspath(spool), "".join(start)))  # at once: the lock is all that is left
