"""Checks of worktrees and rows against each other, of shims, and of locks that git has left."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil

from anyond.doctor.facts import Facts
from anyond.doctor.findings import Finding, Fix, Level, ok
from anyond.model.errors import Unavailable
from anyond.model.rows import TaskAttempt
from anyond.shim.processes.lineage import SHIMS
from anyond.store.board import attempts
from anyond.store.engine.transaction import Reader
from anyond.store.runs import processes
from anyond.store.upkeep import cleanups, data_directory, planned_worktrees

_MOST_NAMED = 20
_LOCK_OLD_S = 600.0


def worktrees(facts: Facts) -> list[Finding]:
    """Check whether each worktree has a row, and each row that needs one a worktree."""
    try:
        rows, known = facts.read(_worktree_rows)
    except Unavailable:
        return ok("worktrees", "There are no attempts yet.")
    found = [
        Finding(
            "worktrees",
            Level.WARN,
            f"The worktree {row.container_ref} of the attempt {row.id} is gone.",
            "It is made again from its branch when it is needed; uncommitted changes are lost.",
        )
        for row in rows
        if not row.worktree_deleted
        and row.container_ref is not None
        and not os.path.isdir(row.container_ref)
    ]
    config, _ = facts.settings
    root = facts.paths.worktrees(config.workspace_dir)
    here = {os.path.realpath(path) for path in known}
    own = root.is_relative_to(facts.paths.data_dir)
    for path in sorted(_second_level(root)):
        if os.path.realpath(path) in here:
            continue
        remedy = "If nothing in it is of use, remove it, and then `git worktree prune`."
        fix = Fix(_MoveAside(facts, path)) if own else None
        sentence = f"The worktree {path} belongs to no attempt."
        found.append(Finding("worktrees", Level.WARN, sentence, remedy, fix))
    return found[:_MOST_NAMED] or ok("worktrees", "Worktrees and attempts belong to each other.")


def _worktree_rows(reader: Reader) -> tuple[list[TaskAttempt], list[str]]:
    rows = attempts.fetch_all(reader)
    others = data_directory.elsewhere(reader)
    known = [row.container_ref for row in rows if row.container_ref is not None]
    known += [job.worktree_path for job in cleanups.fetch_all(reader)]
    known += planned_worktrees.paths(reader)
    return [row for row in rows if row.id not in others], known


class _MoveAside:
    """A worktree without a row is moved to where files are that no row is about."""

    def __init__(self, facts: Facts, path: Path) -> None:
        self.path = path
        self.to = facts.paths.set_aside / "worktrees"

    def __call__(self) -> tuple[str, str]:
        self.to.mkdir(mode=0o700, parents=True, exist_ok=True)
        number, target = 1, self.to / self.path.name
        while target.exists():
            number += 1
            target = self.to / f"{self.path.name}-{number}"
        self.path.rename(target)
        undo = f"mv {target} {self.path}, and there `git worktree repair`"
        return f"{self.path} is {target} now.", undo


def _second_level(root: Path) -> list[Path]:
    found = []
    for project in _directories(root):
        found += _directories(project)
    return found


def _directories(place: Path) -> list[Path]:
    try:
        with os.scandir(place) as entries:
            return [Path(e.path) for e in entries if e.is_dir(follow_symlinks=False)]
    except OSError:  # there is none yet, or nobody may look
        return []


def shims(facts: Facts) -> list[Finding]:
    """Check whether each shim that runs supervises a process that a row says to be running."""
    root = os.path.realpath(facts.paths.executions)
    running: set[str] | None
    try:
        running = {row.id for row in facts.read(processes.running)}
    except Unavailable:
        running = None if facts.paths.database.exists() else set()
    stray = [
        (pid, name)
        for pid, name in _shims_of(root)
        if running is not None and name not in running and not _is_settling(pid)
    ]
    if not stray:
        return ok("shims", "Each shim that runs has a row.")
    named = ", ".join(f"{pid} ({name})" for pid, name in stray[:_MOST_NAMED])
    sentence = f"{len(stray)} shims run that no row is about: {named}."
    remedy = "What they supervise nobody sees; `kill` with the number ends one with its program."
    return [Finding("shims", Level.WARN, sentence, remedy)]


def _shims_of(root: str) -> list[tuple[int, str]]:
    found = []
    for process in psutil.process_iter():
        try:
            arguments: list[bytes] = [os.fsencode(word) for word in process.cmdline()]
        except psutil.Error:
            continue  # it ended in between, or it is somebody else's
        if len(arguments) > 1 and any(word.endswith(SHIMS) for word in arguments):
            spool = os.fsdecode(arguments[-1])
            if os.path.dirname(os.path.realpath(spool)) == root:
                found.append((process.pid, os.path.basename(spool)))
    return found


def _is_settling(pid: int) -> bool:
    """Return whether a shim is so young that its row may be written just now, or was just ended."""
    try:
        return bool(time.time() - psutil.Process(pid).create_time() < 10)
    except psutil.Error:
        return True


def locks(facts: Facts) -> list[Finding]:
    """Check whether git has left a lock, which makes all later ones fail."""
    now = time.time()
    found = []
    for place in dict.fromkeys(project.repository for project in facts.projects):
        for lock in _locks_in(place):
            try:
                age = now - os.lstat(lock).st_mtime
            except OSError:
                continue  # it is gone again
            if age > _LOCK_OLD_S:
                sentence = f"{lock} is {age / 60:.0f} minutes old: a git was killed, or hangs."
                remedy = f"If no git works there, remove it: rm {lock}"
                found.append(Finding("locks", Level.WARN, sentence, remedy, Fix(_PutAside(lock))))
    return found or ok("locks", "No git has left a lock.")


class _PutAside:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self) -> tuple[str, str]:
        other = self.path.with_name(f"{self.path.name}-stale-{time.time_ns()}")
        self.path.rename(other)
        return f"{self.path} is called {other.name} now.", f"mv {other} {self.path}"


def _locks_in(repository: Path) -> list[Path]:
    """The locks of a repository and of its worktrees."""
    git = repository / ".git"
    found = [git / name for name in ("index.lock", "HEAD.lock", "config.lock", "packed-refs.lock")]
    found += [folder / "index.lock" for folder in _directories(git / "worktrees")]
    return [path for path in found if path.is_file()]
