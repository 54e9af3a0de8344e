"""Finding shims, their spools, and processes that descend from an execution.

The answers come from the system's table of processes, never from files, which an agent can write.
Part of the shim: the standard library only.
"""

from __future__ import annotations

import os

from anyond.shim.processes.process_table import LINUX, children, processes

# How the path of a shim ends: ours, and that of versions before.
SHIMS = (b"/shim/shim.py", b"/procs/shim.py")
DELETED = " (deleted)"  # what the system puts behind a directory that is gone


def spool_of(pid: int) -> str | None:
    """The spool whose shim `pid` is; None if it is no shim, or not one that we may look at."""
    if not LINUX:
        return _spool_in(_commands({pid}).get(pid, b""))
    arguments = _read(pid, "cmdline").rstrip(b"\0").split(b"\0")
    if not any(argument.endswith(SHIMS) for argument in arguments):
        return None
    try:
        here = os.readlink(f"/proc/{pid}/cwd").removesuffix(DELETED)
    except OSError:
        return None
    # It begins in the root directory. Later only this is known of a directory that was moved.
    return here if here != "/" else os.fsdecode(arguments[-1])


def find_shims(spool: str) -> set[int]:
    """The shims of ours of one spool, which may be deleted. Blocks: some ms.

    Where they are is not enough: whoever can rename or link the spool of another execution brings
    the shim of that one here. Its arguments nobody else can change.
    """
    real = os.path.realpath(spool)
    execution_id = os.path.basename(spool)
    if not LINUX:
        commands = _commands(set())
        found = {pid for pid, command in commands.items() if _spool_in(command) in (spool, real)}
    else:
        found = set()
        for name in os.listdir("/proc"):
            if name.isdigit() and _names_shim(_read(int(name), "cmdline")):
                theirs = spool_of(int(name))
                if theirs is not None and os.path.realpath(theirs) == real:
                    found.add(int(name))
    return {pid for pid in found if is_shim_of(pid, execution_id)} - {os.getpid()}


def is_shim_of(pid: int, execution_id: str) -> bool:
    """Return whether `pid` is a process of ours that was started as a shim of this execution."""
    if not LINUX:
        spool = _spool_in(_commands({pid}).get(pid, b""))
        return spool is not None and os.path.basename(spool) == execution_id
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            if os.fstat(file.fileno()).st_uid != os.geteuid():
                return False
            arguments = file.read().rstrip(b"\0").split(b"\0")
    except OSError:
        return False
    shim = any(argument.endswith(SHIMS) for argument in arguments[-3:-1])
    return shim and os.path.basename(arguments[-1]) == os.fsencode(execution_id)


def program_of(shim: int) -> tuple[int, str] | None:
    """Pid and start time of the program that a shim runs; None if it has ended. Blocks: ~0.1 ms.

    It is the first child that a shim has; others are orphans that came to it later.
    """
    programs = [(pid, start) for pid, _, _, sid, start in children(shim) if sid == pid]
    return programs[0] if programs else None


def descends_from_execution(pid: int, root: str) -> bool:
    """Return whether `pid` runs below a shim whose spool is in `root`, or is marked as if it did.

    A shim itself does not descend from its own execution.

    Args:
        root: the directory of the spools, as the system calls it (no links).
    """
    return execution_of(pid, root) is not None


def execution_of(pid: int, root: str) -> str | None:
    """The execution that `pid` descends from, as `descends_from_execution` has it.

    Returns:
        Its id; "" if that cannot be known; None if it descends from none.
    """
    parents = {child: parent for child, parent, *_ in processes()} if not LINUX else {}
    for _ in range(1000):  # deeper than any tree, and the end of a circle of reused pids
        if pid <= 1:
            return None
        marked = _marked(pid, root) if LINUX else None
        if marked is not None:
            return marked
        pid = _parent(pid) if LINUX else parents.get(pid, 0)
        spool = spool_of(pid) if pid > 1 else None
        if spool is not None and os.path.dirname(spool) == root:
            return os.path.basename(spool)
    return ""


def members(root: str) -> dict[int, str]:
    """All processes of all executions whose spools are in `root`, with the executions. Blocks:
    some ms.

    The shims themselves are not among them.
    """
    table = processes()
    found: dict[int, str] = {}
    commands = _commands(set()) if not LINUX else {}
    below: dict[int, list[int]] = {}
    for pid, parent, *_ in table:
        below.setdefault(parent, []).append(pid)
    ahead: list[tuple[int, str]] = []
    for pid, *_ in table:
        command = _read(pid, "cmdline") if LINUX else commands.get(pid, b"")
        if _names_shim(command):
            spool = spool_of(pid) if LINUX else _spool_in(command)
            if spool is not None and os.path.dirname(spool) == root:
                ahead += [(child, os.path.basename(spool)) for child in below.get(pid, ())]
        elif LINUX and (marked := _marked(pid, root)) is not None:
            ahead.append((pid, marked))
    while ahead:
        pid, execution = ahead.pop()
        if pid not in found:
            found[pid] = execution
            ahead += [(child, execution) for child in below.get(pid, ())]
    return found


def _names_shim(command: bytes) -> bool:
    return any(shim in command for shim in SHIMS)


def _marked(pid: int, root: str) -> str | None:
    """The execution in `root` whose mark is in the environment of `pid`."""
    for variable in _read(pid, "environ").split(b"\0"):
        if variable.startswith(b"ANYON_EXECUTION="):
            name = os.fsdecode(variable.split(b"=", 1)[1])
            return name if "/" not in name and os.path.isdir(f"{root}/{name}") else None
    return None


def _parent(pid: int) -> int:
    stat = _read(pid, "stat")
    return int(stat[stat.rfind(b")") + 2 :].split()[1]) if stat else 0


def _read(pid: int, what: str) -> bytes:
    try:
        with open(f"/proc/{pid}/{what}", "rb") as file:
            return file.read()
    except OSError:
        return b""  # it is gone, or somebody else's


def _commands(pids: set[int]) -> dict[int, bytes]:
    """The command lines of `pids`, or of all of ours; for systems without /proc."""
    import subprocess

    which = ["-p", ",".join(map(str, pids))] if pids else ["-x", "-U", str(os.geteuid())]
    command = ["/bin/ps", "-ww", *which, "-o", "pid=,command="]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as ps:
        lines = ps.communicate()[0].splitlines()
    words = (line.split(None, 1) for line in lines)
    return {int(pair[0]): pair[1] for pair in words if len(pair) == 2}


def _spool_in(command: bytes) -> str | None:
    """The last argument of a shim's command line; a path may contain blanks."""
    for path in SHIMS:
        _, shim, arguments = command.partition(path + b" ")
        start = arguments.find(b"/")
        if shim and start >= 0:
            return os.fsdecode(arguments[start:])
    return None
