"""Checks of the directories and private files: owner, mode, free space, file system."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
import time
from pathlib import Path

from anyond.doctor.facts import Facts
from anyond.doctor.findings import Finding, Fix, Level, ok
from anyond.host.ownership import weakness

_LOW_BYTES = 1024**3
_EMPTY_BYTES = 100 * 1024**2
_OTHERS = stat.S_IRWXG | stat.S_IRWXO

_OF_THE_NETWORK = {
    *("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "ceph", "glusterfs", "lustre"),
    *("fuse.sshfs", "fuse.glusterfs", "afpfs", "webdav", "davfs"),
}
_CLOCK_DIFFERENCE_S = 5.0


def owners(facts: Facts) -> list[Finding]:
    """Check whether nobody else can change what lies in the directories."""
    found = []
    for directory in _directories(facts):
        try:
            reason = weakness(directory)
        except FileNotFoundError:
            continue  # it is made at the first start
        except OSError as error:
            reason = f"it cannot be looked at ({error.strerror})"
        if reason is not None:
            sentence = f"Others could change what lies in {directory}: {reason}."
            found.append(Finding("owners", Level.FAIL, sentence, _first_up(reason)))
    return found or ok("owners", "The directories are yours, and nobody else may write in them.")


def modes(facts: Facts) -> list[Finding]:
    """Check whether secrets can be read by their owner only."""
    found = []
    paths = facts.paths
    for path, right in (
        *((directory, 0o700) for directory in _directories(facts)),
        *((file, 0o600) for file in (paths.config, paths.token, paths.database)),
        *((file, 0o600) for file in _backups(paths.data_dir)),
    ):
        try:
            mode = stat.S_IMODE(os.lstat(path).st_mode)
        except OSError:
            continue  # it is made when it is needed
        if mode & _OTHERS:
            found.append(
                Finding(
                    "modes",
                    Level.FAIL if path == paths.token else Level.WARN,
                    f"{path} can be read by others (its mode is {mode:o}).",
                    f"chmod {right:o} {path}",
                    Fix(_Chmod(path, mode & ~_OTHERS, mode)),
                )
            )
    return found or ok("modes", "Settings, token and database can be read by you only.")


class _Chmod:
    def __init__(self, path: Path, mode: int, former: int) -> None:
        self.path, self.mode, self.former = path, mode, former

    def __call__(self) -> tuple[str, str]:
        self.path.chmod(self.mode)
        return (
            f"The mode of {self.path} is {self.mode:o} now.",
            f"chmod {self.former:o} {self.path}",
        )


def free_space(facts: Facts) -> list[Finding]:
    """Check whether there is room for logs, worktrees and the database."""
    found = []
    seen: dict[int, None] = {}
    config, _ = facts.settings
    for directory in (facts.paths.data_dir, facts.paths.worktrees(config.workspace_dir)):
        place = _there(directory)
        device = os.stat(place).st_dev
        if device in seen:
            continue
        seen[device] = None
        free = shutil.disk_usage(place).free
        if free < _LOW_BYTES:
            level = Level.FAIL if free < _EMPTY_BYTES else Level.WARN
            sentence = f"Only {free / 1e6:,.0f} MB are free where {directory} is."
            remedy = (
                "Make room; `anyon retention --dry-run` tells what old logs and worktrees take."
            )
            found.append(Finding("free_space", level, sentence, remedy))
    return found or ok("free_space", "There is room on the disk.")


def file_system(facts: Facts) -> list[Finding]:
    """Check whether the data lie on a disk of this machine, and whether its clock is ours."""
    found = []
    place = _there(facts.paths.data_dir)
    kind = file_system_of(place)
    if is_of_the_network(kind):
        sentence = (
            f"{place} lies on a file system of the network ({kind}); SQLite is not safe there."
        )
        remedy = "Set ANYON_DATA_DIR to a directory on a local disk, and move the data there."
        found.append(Finding("file_system", Level.FAIL, sentence, remedy))
    if os.access(place, os.W_OK):
        with tempfile.NamedTemporaryFile(dir=place, prefix=".doctor-") as probe:
            difference = os.fstat(probe.fileno()).st_mtime - time.time()
        if abs(difference) > _CLOCK_DIFFERENCE_S:
            sentence = f"The clock of the disk under {place} is {difference:+.0f} s from yours."
            found.append(Finding("file_system", Level.WARN, sentence, "Set one after the other."))
    return found or ok("file_system", f"The data lie on a local disk ({kind or 'of some kind'}).")


def _directories(facts: Facts) -> tuple[Path, ...]:
    paths = facts.paths
    return (paths.data_dir, paths.config_dir, paths.runtime_dir)


def _backups(data_dir: Path) -> list[Path]:
    return sorted(data_dir.glob("anyon.db*.bak"))


def _there(path: Path) -> Path:
    """The nearest directory above that is there."""
    while not path.is_dir():
        path = path.parent
    return path


def _first_up(reason: str) -> str:
    """The remedy that a reason ends with."""
    remedy = reason.rpartition("; ")[2]
    return f"{remedy[:1].upper()}{remedy[1:]}."


def file_system_of(path: Path) -> str | None:
    """The kind of the file system, as mount calls it; None if the system does not tell."""
    if sys.platform != "linux":
        import psutil

        mounts = [(p.mountpoint, p.fstype) for p in psutil.disk_partitions(all=True)]
    else:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
        fields = [line.split(" ") for line in lines]
        mounts = [(one[1].replace("\\040", " "), one[2]) for one in fields if len(one) > 2]
    real = os.path.realpath(path)
    above = [one for one in mounts if _is_below(real, one[0])]
    return max(above, key=lambda one: len(one[0]))[1] if above else None


def is_of_the_network(kind: str | None) -> bool:
    """Return whether a file system of that kind is another machine's."""
    return kind in _OF_THE_NETWORK


def _is_below(path: str, mount: str) -> bool:
    return path == mount or path.startswith(mount.rstrip("/") + "/")
