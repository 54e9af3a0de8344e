"""The execution to which the other end of a connection belongs, whatever is sent through it.

An agent need not show its token, and can read that of its person. What it cannot choose is whose
child it is: the processes below the shims, and those that carry the mark of an execution, are asked
for the connection.
"""

from __future__ import annotations

import os

from anyond.shim.processes.lineage import execution_of, members
from anyond.shim.processes.process_table import LINUX, processes

UNKNOWN = ""
"""In the place of an execution: it belongs to one, and cannot be named."""

Ends = tuple[tuple[str, int], tuple[str, int]]
"""Address and port as the client has them: its own, and the daemon's."""


def execution_of_process(pid: int, root: str) -> str | None:
    """The execution that a process belongs to, as the peer of a Unix socket. Blocks: some ms.

    Args:
        root: the directory of the spools, as the system calls it (no links).

    Returns:
        Its id, `UNKNOWN`, or None if it belongs to none. A process that has ended is `UNKNOWN`:
        nobody can tell any more whose it was.
    """
    if pid <= 0:
        return None  # another user's, or not to be seen from here; executions are always seen
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return UNKNOWN
    except PermissionError:
        return None
    return execution_of(pid, root)


def execution_of_connection(inode: int | None, ends: Ends, root: str) -> str | None:
    """The execution one of whose processes holds a TCP connection. Blocks: some ms.

    A process whose descriptors may not be looked at (it forbids that to others) counts as one that
    holds it, if it belongs to an execution and no process outside of them is seen to hold it.

    Args:
        inode: of the client's socket; None where the system tells none (macOS).
        ends: the same connection by its addresses, which is looked for there.
        root: the directory of the spools, as the system calls it (no links).

    Returns:
        Its id, `UNKNOWN`, or None if it belongs to none.
    """

    def holds(pid: int) -> bool | None:
        return _holds_socket(pid, inode) if LINUX and inode is not None else _connects(pid, ends)

    inside = members(root)
    hidden: str | None = None
    for pid, execution in inside.items():
        held = holds(pid)
        if held:
            return execution
        if held is None:
            hidden = execution
    if hidden is None:
        return None
    outside = (pid for pid, *_ in processes() if pid not in inside and pid != os.getpid())
    return None if any(map(holds, outside)) else hidden


def _holds_socket(pid: int, inode: int) -> bool | None:
    """None if that may not be known."""
    name = f"socket:[{inode}]"
    folder = f"/proc/{pid}/fd"
    try:
        for descriptor in os.listdir(folder):
            try:
                if os.readlink(f"{folder}/{descriptor}") == name:
                    return True
            except FileNotFoundError:
                continue  # closed meanwhile
    except PermissionError:
        return None
    except OSError:
        return False  # it has ended meanwhile
    return False


def _connects(pid: int, ends: Ends) -> bool | None:
    """The same by the addresses of the connection; None if that may not be known."""
    import psutil  # only where there is no /proc

    try:
        for one in psutil.Process(pid).net_connections("tcp"):
            if one.raddr and (tuple(one.laddr), tuple(one.raddr)) == ends:
                return True
    except psutil.AccessDenied:
        return None
    except (psutil.Error, OSError):
        return False  # it has ended meanwhile
    return False
