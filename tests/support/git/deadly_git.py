"""A git that is killed in the middle of its work, and what is looked at afterwards."""

from __future__ import annotations

import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from anyond.model.errors import AnyondError
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.store.runs import intents
from tests.support.git.repository import run

OLD, NEW = "refs/heads/anyon/x", "refs/heads/anyon/y"

REAL = shutil.which("git") or "git"

DeadlyGit = Callable[[str, str], Path]


@pytest.fixture
def deadly_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeadlyGit:
    """Let the next git that is asked `words` do `script` instead ("$@" is the whole), and die."""

    def put(words: str, script: str) -> Path:
        bin, armed = tmp_path / "bin", tmp_path / "armed"
        bin.mkdir()
        armed.touch()
        fake = bin / "git"
        fake.write_text(
            "#!/bin/sh\n"
            f"if [ -e '{armed}' ]; then case \" $* \" in *' {words} '*)\n"
            f"  rm '{armed}'; git() {{ '{REAL}' \"$@\"; }}\n"
            f"  {{ {script}\n  }} >/dev/null 2>&1\n"
            "  kill -9 $$;;\nesac; fi\n"
            f"exec '{REAL}' \"$@\"\n"
        )
        fake.chmod(0o755)
        monkeypatch.setenv("PATH", f"{bin}{os.pathsep}{os.environ['PATH']}")
        return armed

    return put


async def outcome(asked: Awaitable[object]) -> bool:
    """Whether it was said to have happened."""
    try:
        await asked
    except AnyondError:
        return False
    return True


async def no_intent(resources: Resources, subject: Subject) -> bool:
    return await resources.store.read(lambda r: intents.get(r, subject.attempt.id)) is None


def git_file(worktree: Path, name: str) -> Path:
    return Path(run(worktree, "rev-parse", "--path-format=absolute", "--git-path", name))
