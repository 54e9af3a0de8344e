"""Checks of the limits that the system sets: open files, and inotify for agents' programs."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from anyond.doctor.facts import Facts
from anyond.doctor.findings import Finding, Level, ok

_LEAST_FILES = 8192
_INOTIFY = Path("/proc/sys/fs/inotify")
_LEAST = {"max_user_watches": 65_536, "max_user_instances": 256}


def open_files(facts: Facts) -> list[Finding]:
    """Check whether the daemon may have as many descriptors as many agents and listeners need."""
    soft, hard = _limits(facts)
    if hard != resource.RLIM_INFINITY and hard < _LEAST_FILES:
        sentence = f"No more than {hard} files may be open at once."
        remedy = "Raise the limit: LimitNOFILE= of the service, or /etc/security/limits.conf."
        return [Finding("open_files", Level.WARN, sentence, remedy)]
    most = "any number of" if hard == resource.RLIM_INFINITY else f"{hard:,}"
    return ok("open_files", f"The daemon may have {most} files open ({soft:,} without asking).")


def _limits(facts: Facts) -> tuple[int, int]:
    """The limits of the daemon that runs, or those that one would have."""
    file = facts.daemon_file
    if file is not None and sys.platform == "linux":
        try:
            return resource.prlimit(file.pid, resource.RLIMIT_NOFILE)
        except (OSError, ValueError):
            pass  # it has ended, or is somebody else's
    return resource.getrlimit(resource.RLIMIT_NOFILE)


def inotify(facts: Facts) -> list[Finding]:
    """Check whether agents' dev servers and test runners can watch files."""
    if sys.platform != "linux":
        return ok("inotify", "This system has no such limits.")
    found = []
    for name, least in _LEAST.items():
        try:
            value = int((_INOTIFY / name).read_text())
        except (OSError, ValueError):
            continue  # a kernel without it
        if value < least:
            sentence = (
                f"fs.inotify.{name} is {value:,}; each worktree with a dev server needs many."
            )
            remedy = f"sudo sysctl fs.inotify.{name}={least * 2} (and a file in /etc/sysctl.d)."
            found.append(Finding("inotify", Level.WARN, sentence, remedy))
    return found or ok("inotify", "Programs may watch enough files.")
