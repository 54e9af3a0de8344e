"""Editors that are opened at attempts and projects."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.support.daemon import Daemon, Refused, alive
from tests.support.worked_attempt import worked_attempt


def editor(daemon: Daemon, name: str, script: str) -> Path:
    """A program in PATH that notes what it was given."""
    programs = daemon.root / "programs"
    programs.mkdir(exist_ok=True)
    reported = daemon.root / f"{name}.told"
    program = programs / name
    program.write_text(
        f'#!/bin/sh\nfor a in "$@"; do echo "$a"; done > "{reported}.new"\n'
        f'mv "{reported}.new" "{reported}"\n{script}\n'
    )
    program.chmod(0o755)
    return reported


async def test_every_editor_is_started_with_the_path(daemon: Daemon) -> None:
    commands = {
        "VS_CODE": "code",
        "CURSOR": "cursor",
        "WINDSURF": "windsurf",
        "INTELLI_J": "idea",
        "ZED": "zed",
        "XCODE": "xed",
    }
    reported = {type: editor(daemon, name, "exit 0") for type, name in commands.items()}
    at = await worked_attempt(daemon)
    for type, file in reported.items():
        assert await at.press("open-editor", {"editor_type": type}) == {"url": None}
        assert file.read_text() == f"{at.worktree}\n"
    project = (await daemon.ask("GET", "/api/projects"))[0]
    path = f"/api/projects/{project['id']}/open-editor"
    answer = await daemon.request(
        "POST", path, content=b"null", headers={"Content-Type": "application/json"}
    )
    assert answer.json()["data"] == {"url": None}
    assert reported["VS_CODE"].read_text() == f"{at.repository}\n"
    await at.press("open-editor", {"file_path": "own.txt"})
    assert reported["VS_CODE"].read_text() == f"{at.worktree / 'own.txt'}\n"
    refusal = await at.refused("open-editor", {"editor_type": "EMACS"})
    assert refusal.status == 400
    assert "VS_CODE" in refusal.body["message"]


async def test_a_custom_command_is_split_as_a_shell_does_and_leaves_no_zombie(
    daemon: Daemon,
) -> None:
    pid_file = daemon.root / "editor.pid"
    reported = editor(daemon, "my editor", f"echo $$ > {pid_file}; exec sleep 600")
    at = await worked_attempt(daemon)
    custom = "'my editor' --wait \"two words\""
    settings = {"editor": {"editor_type": "CUSTOM", "custom_command": custom}}
    await daemon.ask("PUT", "/api/config", settings)
    assert await at.press("open-editor") == {"url": None}
    assert reported.read_text() == f"--wait\ntwo words\n{at.worktree}\n"
    pid = int(pid_file.read_text())
    assert alive(pid)
    os.kill(pid, signal.SIGKILL)

    async def reaped() -> bool:
        return not psutil.pid_exists(pid)

    await daemon.until(reaped, "the end of the editor")
    for wrong in ("", "'open"):
        await daemon.ask("PUT", "/api/config", {"editor": {"custom_command": wrong}})
        assert (await at.refused("open-editor")).status == 422


async def test_an_editor_that_does_not_start_is_named(daemon: Daemon) -> None:
    editor(daemon, "code", "exit 7")
    at = await worked_attempt(daemon)
    refusal = await at.refused("open-editor")
    assert (refusal.status, refusal.type) == (502, "tool_failed")
    assert "code exited with code 7" in refusal.body["message"]
    refusal = await at.refused("open-editor", {"editor_type": "XCODE"})
    assert (refusal.status, refusal.type) == (422, "program_missing")
    assert "xed" in refusal.body["message"]


async def test_a_project_that_is_gone_is_not_the_editors_fault(daemon: Daemon) -> None:
    editor(daemon, "code", "exit 0")
    project = await daemon.project()
    where = Path(project["git_repo_path"])
    where.rename(where.with_name("elsewhere"))
    with pytest.raises(Refused) as refusal:
        await daemon.ask("POST", f"/api/projects/{project['id']}/open-editor", {})
    assert refusal.value.status == 404
    assert f"no directory {where}" in refusal.value.body["message"]


async def test_a_remote_host_gets_a_url_and_nothing_is_started(daemon: Daemon) -> None:
    at = await worked_attempt(daemon)
    remote = {"remote_ssh_host": "build.example", "remote_ssh_user": "ada"}
    await daemon.ask("PUT", "/api/config", {"editor": remote})
    opened = await at.press("open-editor")
    where = "vscode-remote/ssh-remote+ada@build.example"
    assert opened == {"url": f"vscode://{where}{at.worktree}"}
    opened = await at.press("open-editor", {"editor_type": "CURSOR", "file_path": "own.txt"})
    assert opened == {"url": f"cursor://{where}{at.worktree}/own.txt:1:1"}


async def test_files_outside_of_the_worktree_are_not_shown(daemon: Daemon, tmp_path: Path) -> None:
    at = await worked_attempt(daemon)
    (tmp_path / "secret").write_text("s\n")
    (at.worktree / "link").symlink_to(tmp_path / "secret")
    for wrong in ("../x", "/etc/passwd", "link", ".git"):
        assert (await at.refused("open-editor", {"file_path": wrong})).status == 400
    for missing in ("nothing", "x" * 5000):
        assert (await at.refused("open-editor", {"file_path": missing})).status == 404
