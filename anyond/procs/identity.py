"""The processes of an execution, as far as the daemon can see that for itself.

What stands in a spool is no evidence for this: the agent can write there, and whatever is taken for
its processes is killed some day. The system is asked instead: who listens at the other end of the
connection, with which arguments that was started, and whose parent it is.
"""

from __future__ import annotations

from typing import Any

from anyond.model.records import LaunchedProcesses
from anyond.shim.processes.lineage import is_shim_of, program_of
from anyond.shim.processes.peers import peer_pid
from anyond.shim.processes.process_table import boot_id, started


def identify(sock: Any, execution_id: str) -> LaunchedProcesses | None:
    """The shim at the other end, and its program. Blocks: some ms.

    Args:
        sock: a connected Unix socket, anything with `getsockopt`.

    Returns:
        None if that is no shim of this execution, or nobody can tell.
    """
    pid = peer_pid(sock)
    if not pid:
        return None
    start = started(pid)
    if not is_shim_of(pid, execution_id):
        return None
    program = program_of(pid)
    if not start or started(pid) != start:
        return None  # it has ended, and its pid may be another's by now
    return LaunchedProcesses(boot_id=boot_id(), shim=(pid, start), program=program)


def still_running(processes: LaunchedProcesses) -> tuple[set[int], tuple[int, str] | None]:
    """Return the processes that its pids can mean: the shim if it lives, and the program."""
    if processes.boot_id != boot_id():
        return set(), None
    pid, start = processes.shim
    return ({pid} if started(pid) == start else set()), processes.program
