"""Processes that a script has left running, by their commands.

Part of the shim: the standard library only.
"""

from __future__ import annotations

from anyond.shim.processes.process_table import LINUX

LONGEST = 300  # characters of a command that are shown
_OF_A_PROFILE = b"ANYON_READS_PROFILE=1"


def services(pids: set[int]) -> list[str]:
    """The commands of `pids`, without those that a profile of the person has started."""
    return [text for pid in sorted(pids) if (text := _command(pid))]


def _command(pid: int) -> str:
    if not LINUX:
        import subprocess  # half a megabyte that a shim on Linux does without

        ask = ["ps", "-o", "command=", "-p", str(pid)]
        return subprocess.run(ask, capture_output=True, check=False, text=True).stdout.strip()
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            if _OF_A_PROFILE in file.read().split(b"\0"):
                return ""
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            text = file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""  # it has just ended, or is somebody else's
    return "".join(c if c.isprintable() else "?" for c in text)[:LONGEST]
