"""The peer of a control socket, as the system identifies it; both sides look first.

Part of the shim: the standard library only.
"""

from __future__ import annotations

import os
import socket
import struct
import sys

from anyond.shim.processes.lineage import descends_from_execution
from anyond.shim.processes.process_table import LINUX

TYPE_CHECKING = False  # the real one would load `typing`, which costs a megabyte
if TYPE_CHECKING:
    from typing import Any

SOL_LOCAL, LOCAL_PEERPID = 0, 2  # macOS, <sys/un.h>


def peer_pid(sock: Any) -> int | None:
    """The process that connected or, seen from there, the one that listens.

    Args:
        sock: a connected Unix socket, anything with `getsockopt`.

    Returns:
        Its pid; 0 for another user's process and for one that cannot be seen from here; None if
        this system does not tell.
    """
    try:
        if LINUX:
            credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            pid, uid, _ = struct.unpack("3i", credentials)
            return int(pid) if uid in (os.getuid(), 0) else 0
        if sys.platform == "darwin":
            return int(sock.getsockopt(SOL_LOCAL, LOCAL_PEERPID))
    except OSError:
        return 0  # it has left already
    return None


def is_foreign(sock: Any, root: str) -> bool:
    """Return whether the peer is nobody to deal with: another user, somebody gone, an agent's
    process.

    Where the system does not tell who it is, nobody is; the key has to do then.

    Args:
        root: the directory of the spools, as the system calls it.
    """
    pid = peer_pid(sock)
    if pid is None:
        return False
    return not _lives(pid) or descends_from_execution(pid, root)


def _lives(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
