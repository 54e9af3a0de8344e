"""Checks of git: its version, who commits, LFS, hooks that hang, and repositories that moved."""

from __future__ import annotations

import os
import shutil
import time
from functools import partial
from pathlib import Path

import psutil
import trio

from anyond.doctor.facts import Facts
from anyond.doctor.findings import Finding, Level, ok
from anyond.git.program.command import INSTALL, MINIMUM, git, version
from anyond.model.errors import AnyondError
from anyond.model.rows import Project

_HOOK_LONG_S = 600.0
_ATTRIBUTES_MOST = 1 << 20


def program(facts: Facts) -> list[Finding]:
    """Check whether git is there, new enough, and knows who commits."""
    try:
        number = trio.run(version)
    except AnyondError as error:
        return [Finding("git", Level.FAIL, str(error), f"{INSTALL}.")]
    text = ".".join(map(str, number))
    if number < MINIMUM:
        return [Finding("git", Level.FAIL, f"git is of version {text}.", f"{INSTALL}.")]
    missing = [name for name in ("user.name", "user.email") if not _setting(name)]
    if missing:
        sentence = (
            f"git {text} does not know your {' and '.join(missing)}; Anyon commits as itself."
        )
        remedy = '`git config --global user.name "…"`, and user.email.'
        return [Finding("git", Level.WARN, sentence, remedy)]
    return ok("git", f"git {text} is there, and knows who you are.")


def _setting(name: str) -> str:
    ask = partial(git, "config", "--get", name, cwd=Path.home(), check=False, timeout=10.0)
    try:
        return trio.run(ask).text.strip()
    except AnyondError:
        return ""


def repositories(facts: Facts) -> list[Finding]:
    """Check whether the repositories of all projects are where they were."""
    found = []
    for project in facts.projects:
        path = project.repository
        if not path.is_dir():
            sentence = f"The repository of the project {project.name} is not at {path} any more."
            remedy = f"Move it back, or `anyon projects set {project.id} git_repo_path=…`."
            found.append(Finding("repositories", Level.FAIL, sentence, remedy))
        elif not (path / ".git").exists():
            sentence = f"{path}, of the project {project.name}, is no checkout any more."
            found.append(Finding("repositories", Level.FAIL, sentence, "Bring .git back."))
    return found or ok("repositories", "Each project's repository is where it was.")


def lfs(facts: Facts) -> list[Finding]:
    """Check whether git-lfs is there, if a project needs it."""
    needing = [project.name for project in facts.projects if _uses_lfs(project)]
    if needing and shutil.which("git-lfs") is None:
        sentence = f"git-lfs is not there, and {', '.join(needing)} needs it."
        remedy = "Install it; without it worktrees have pointers in the place of files."
        return [Finding("lfs", Level.FAIL, sentence, remedy)]
    return ok("lfs", "git-lfs is there." if needing else "No project needs git-lfs.")


def _uses_lfs(project: Project) -> bool:
    try:
        with open(project.repository / ".gitattributes", "rb") as file:
            return b"filter=lfs" in file.read(_ATTRIBUTES_MOST)
    except OSError:
        return False  # there is none


def hooks(facts: Facts) -> list[Finding]:
    """Check whether a hook of a project's repository has been at work for long."""
    folders = [os.path.realpath(p.repository / ".git" / "hooks") for p in facts.projects]
    found = []
    for process in psutil.process_iter():
        try:
            words = [os.path.realpath(word) for word in process.cmdline()[:3] if "/" in word]
            long = time.time() - process.create_time()
        except psutil.Error:
            continue  # it ended in between, or it is somebody else's
        hook = next((w for w in words if os.path.dirname(w) in folders), None)
        if hook is not None and long > _HOOK_LONG_S:
            sentence = (
                f"The hook {hook} has run for {long / 60:.0f} minutes (process {process.pid})."
            )
            remedy = f"If it hangs: kill {process.pid}"
            found.append(Finding("hooks", Level.WARN, sentence, remedy))
    return found or ok("hooks", "No hook hangs.")
