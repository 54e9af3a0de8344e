"""What programs get of the environment that the daemon was started with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.daemon import Daemon

pytestmark = pytest.mark.cold_start

PARENTS = {
    "CLAUDECODE": "1",
    "CLAUDE_CODE_ENTRYPOINT": "cli",
    "CODEX_SANDBOX": "seatbelt",
    "INVOCATION_ID": "of-a-service",
    "NOTIFY_SOCKET": "/nowhere",
    "PORT": "1234",
    "TMUX": "/tmp/tmux,1,0",
    "ELECTRON_RUN_AS_NODE": "1",
}
PERSONS = {"ANTHROPIC_API_KEY": "sk-mine", "CLAUDE_CONFIG_DIR": "/mine", "LC_ALL": "C.UTF-8"}
OURS = ("ANYON_DATA_DIR", "ANYON_CONFIG_DIR", "ANYON_RUNTIME_DIR", "ANYON_GITHUB_URL", "GIT_DIR")


@pytest.fixture
async def started_in_a_hook(tmp_path: Path) -> AsyncIterator[Daemon]:
    """A daemon that an agent has started, within a hook of some other repository."""
    made = Daemon(tmp_path / "daemon")
    clean = dict(made.environment)
    other = made.repository("other")
    inside = {"GIT_DIR": str(other / ".git"), "GIT_INDEX_FILE": ".git/index", "GIT_PREFIX": ""}
    made.environment = {**clean, **PARENTS, **PERSONS, **inside}
    async with made:
        made.environment = clean  # of the git that tests run
        yield made
        assert made.git(other, "for-each-ref").count("\n") == 1, "nobody worked there"


def seen(file: Path) -> dict[str, str]:
    return dict(
        line.split("=", 1)
        for line in file.read_text().splitlines()
        if "=" in line and line[0] > " "
    )


def check(environ: dict[str, str], cwd: str, port: bool = False) -> None:
    left = {*PARENTS, *OURS, "GIT_INDEX_FILE", "GIT_PREFIX"} & set(environ)
    assert left == ({"PORT"} if port else set())
    assert environ.get("PORT") != PARENTS["PORT"]
    assert environ.items() >= PERSONS.items()
    assert environ["PWD"] == cwd


async def test_no_program_is_taken_for_a_part_of_what_started_the_daemon(
    started_in_a_hook: Daemon,
) -> None:
    daemon, out = started_in_a_hook, started_in_a_hook.root / "seen"
    out.mkdir()
    programs = daemon.root / "programs"
    programs.mkdir()

    def program(name: str, script: str) -> None:
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)

    note = f"env > '{out}/NAME.new'; mv '{out}/NAME.new' '{out}/NAME'"
    program("code", note.replace("NAME", "editor"))
    program("amp", f"{note.replace('NAME', 'version')}; echo 1.2.3")
    await daemon.use_fake_agent()
    project = await daemon.project(
        setup_script=note.replace("NAME", "setup"),
        cleanup_script=note.replace("NAME", "cleanup"),
        dev_script=note.replace("NAME", "dev"),
    )
    work = f"run {note.replace('NAME', 'command')}; echo x > new.txt"
    attempt = await daemon.attempt(project, work)
    question = await daemon.question()
    path = f"/api/approvals/{question['id']}/respond"
    await daemon.ask("POST", path, {"status": {"status": "approved"}})
    await daemon.over(attempt)
    path = f"/api/task-attempts/{attempt['id']}"
    worktree = (await daemon.ask("GET", path))["container_ref"]
    await daemon.ask("POST", f"{path}/start-dev-server")
    await daemon.ask("POST", f"{path}/open-editor", {"editor_type": "VS_CODE"})
    await daemon.ask("GET", "/api/info")
    for name in ("setup", "command", "cleanup", "dev", "editor", "version"):

        async def there(file: Path = out / name) -> bool:
            return file.exists()

        await daemon.until(there, name)
        check(seen(out / name), "/" if name == "version" else worktree, port=name == "dev")
    log = daemon.git(daemon.root / "project", "log", "-1", "--format=%s", attempt["branch"])
    assert log.strip() == "Do it"
