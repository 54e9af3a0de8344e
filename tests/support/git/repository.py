"""A person's git in a repository, in one line, and intents that are written down."""

from __future__ import annotations

import subprocess
from pathlib import Path

from anyond.model.ids import now
from anyond.operations.resources import Resources
from anyond.operations.subject import Subject
from anyond.store.runs import intents
from anyond.store.runs.intents import Intent

WHO = ("-c", "user.name=Ada", "-c", "user.email=ada@localhost")


def run(cwd: Path, *args: str | Path, code: int | None = 0) -> str:
    command = ["git", *WHO, *map(str, args)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert code is None or done.returncode == code, (args, done.stderr)
    return done.stdout.strip()


def commit(cwd: Path, files: dict[str, str], message: str = "change") -> str:
    for name, text in files.items():
        (cwd / name).parent.mkdir(parents=True, exist_ok=True)
        (cwd / name).write_text(text)
    run(cwd, "add", "-A")
    run(cwd, "commit", "-qm", message)
    return run(cwd, "rev-parse", "HEAD")


def status(cwd: Path) -> list[str]:
    return run(cwd, "status", "--porcelain").splitlines()


async def intend(resources: Resources, subject: Subject, kind: str, **more: str | None) -> Intent:
    intent = Intent(attempt_id=subject.attempt.id, kind=kind, created_at=now(), **more)  # type: ignore[arg-type]
    await resources.store.write(lambda tx: intents.put(tx, intent))
    return intent
