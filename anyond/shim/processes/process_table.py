"""The process table of the system, read without any library.

Part of the shim: the standard library only.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # the real one would load `typing`, which costs a megabyte
if TYPE_CHECKING:
    Process = tuple[int, int, int, int, str]  # pid, ppid, pgid, sid, start time

LINUX = sys.platform.startswith("linux")


def processes() -> list[Process]:
    """Every live process that can be seen: (pid, ppid, pgid, sid, start time). Blocks: ~2 ms."""
    return _linux_processes() if LINUX else _ps_processes()


def children(parent: int) -> list[Process]:
    """The live children of one process, on Linux the oldest first. Blocks: ~0.1 ms, or as long as
    `processes` where the kernel does not tell them.
    """
    if LINUX:
        try:
            found = _linux_stats(_linux_children(parent))
        except OSError:
            found = _linux_processes()
        theirs = [process for process in found if process[1] == parent]
        return sorted(theirs, key=lambda child: (int(child[4]), child[0]))
    return [process for process in processes() if process[1] == parent]


def _linux_children(parent: int) -> list[str]:
    """Their pids. One that ends meanwhile may hide those that came to the process after it."""
    found: list[str] = []
    for thread in os.listdir(f"/proc/{parent}/task"):
        with open(f"/proc/{parent}/task/{thread}/children") as file:
            found += file.read().split()
    return found


def _linux_processes() -> list[Process]:
    return _linux_stats(os.listdir("/proc"))


def _linux_stats(names: list[str]) -> list[Process]:
    found = []
    for name in names:
        if name.isdigit():
            try:
                fd = os.open(f"/proc/{name}/stat", os.O_RDONLY)
                try:
                    stat = os.read(fd, 2048)
                finally:
                    os.close(fd)
            except OSError:
                continue  # it ended while we were looking
            # The name of the program may contain blanks and parentheses; the last one ends it.
            words = stat[stat.rfind(b")") + 2 :].split()
            # A dead main thread with live siblings looks like a zombie and is none.
            if words[0] in b"ZX" and int(words[17]) <= 1:
                continue
            ids = (int(name), int(words[1]), int(words[2]), int(words[3]))
            found.append((*ids, words[19].decode()))
    return found


def _ps_processes() -> list[Process]:
    import subprocess  # only where there is no /proc: it doubles our memory

    command = ["/bin/ps", "-axo", "pid=,ppid=,pgid=,stat=,lstart="]
    environment = {"LC_ALL": "C", "TZ": "UTC"}
    found = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as ps:
        lines = ps.communicate()[0].splitlines()
    for line in lines:
        pid, ppid, pgid, state, *start = line.split()
        if state.startswith(b"Z") or int(pid) == ps.pid:
            continue
        try:
            sid = os.getsid(int(pid))
        except OSError:
            sid = 0  # gone, or somebody else's
        found.append((int(pid), int(ppid), int(pgid), sid, b" ".join(start).decode()))
    return found


def started(pid: int) -> str:
    """Return the start time of `pid`, in whatever notation the system has; "" if there is no such
    process.
    """
    if LINUX:
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                stat = file.read()
        except OSError:
            return ""
        return stat[stat.rfind(b")") + 2 :].split()[19].decode()
    return next((process[4] for process in processes() if process[0] == pid), "")


def boot_id() -> str:
    """A name of this run of the machine: pids of another one mean nothing."""
    if LINUX:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip()
    import subprocess

    command = ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]
    return subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout.decode().strip()


def descendants(table: list[Process], roots: set[int]) -> set[int]:
    """The pids of all children of `roots`, their children, and so on; the roots are not in it."""
    children: dict[int, list[int]] = {}
    for pid, parent, *_ in table:
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    ahead = list(roots)
    while ahead:
        for child in children.get(ahead.pop(), ()):
            if child not in found and child not in roots:
                found.add(child)
                ahead.append(child)
    return found
