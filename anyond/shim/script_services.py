"""A program that stands for what a script has left running: `python script_services.py SPOOL`.

To everybody it is a program like any other, with a row, a log and an end: it shows what the
services write, ends when they have ended, and they end when it is ended. The services themselves
are kept by the shim of the script (`services_keeper`). Standard library only.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time

if __name__ == "__main__":  # isolated mode does not know where we come from
    sys.path.append(os.path.abspath(__file__ + "/../../.."))

from anyond.shim.left_running.services_keeper import VERSION
from anyond.shim.processes.lineage import find_shims
from anyond.shim.processes.orphans import end_orphans

KNOCK_S = 5.0
"""How long a keeper may take to open its socket."""


def command_line(spool: str) -> tuple[str, ...]:
    """Return the command that starts this program for the services of the execution in `spool`."""
    return (sys.executable, "-I", "-S", os.path.abspath(__file__), spool)


def connect(spool: str) -> socket.socket | None:
    """The line to the keeper; None if it is over."""
    os.chdir(spool)  # the path of a socket may not be long
    deadline = time.monotonic() + KNOCK_S
    while True:
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.connect("k")
            return line
        except OSError:
            line.close()
            # The exit is written, and we may be started, before the keeper opens its socket.
            coming = os.path.exists("k") or find_shims(os.getcwd())
            if time.monotonic() > deadline or not coming:
                return None
        time.sleep(0.05)


def main(spool: str) -> int:
    """Follow the services to their end; the exit status."""
    try:
        line = connect(spool)
    except OSError:
        line = None  # the spool is gone
    if line is not None:
        # All that it takes is to let go; the keeper closes its end when they are gone.
        signal.signal(signal.SIGTERM, lambda *_: line.shutdown(socket.SHUT_WR))
        _show(line)
    # Usually there is nobody. But a keeper can be killed.
    end_orphans(os.path.basename(os.path.normpath(spool)), None)
    return 0


def _show(line: socket.socket) -> None:
    head = b""
    try:
        while len(head) < len(VERSION) and (data := line.recv(1 << 16)):
            head += data
        out = head.removeprefix(VERSION)
        while True:
            while out:
                out = out[os.write(1, out) :]
            out = line.recv(1 << 16)
            if not out:
                return
    except OSError:
        return  # the keeper is gone, or nobody reads us any more


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
