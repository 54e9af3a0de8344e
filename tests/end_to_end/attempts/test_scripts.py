"""Scripts of projects: their variables, their line ends, the shell of the person."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from tests.support.daemon import Daemon, Refused

VARIABLES = {"TEA": "green", "PORT": "4711", "LANG": None}


async def test_variables_of_a_project_reach_its_agents_and_scripts(daemon: Daemon) -> None:
    daemon.environment["LANG"] = "C.UTF-8"
    await daemon.stop()
    await daemon.start()
    seen = daemon.root / "seen"
    look = f"echo $TEA$PORT${{LANG-}} >> '{seen}'"
    project = await daemon.project(setup_script=look, environment=VARIABLES)
    assert project["environment"] == VARIABLES
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, f"run {look}")
    question = await daemon.question()
    path = f"/api/approvals/{question['id']}/respond"
    await daemon.ask("POST", path, {"status": {"status": "approved"}})
    await daemon.over(attempt)
    assert seen.read_text() == "green4711\n" * 2
    path = f"/api/projects/{project['id']}"
    for keep in ({"name": "Other"}, {"environment": None}):
        assert (await daemon.ask("PUT", path, keep))["environment"] == VARIABLES
    assert (await daemon.ask("PUT", path, {"environment": {"A": "b"}}))["environment"] == {"A": "b"}
    assert (await daemon.ask("PUT", path, {"environment": {}}))["environment"] == {}


@pytest.mark.parametrize(
    "environment", [{"": "x"}, {"A=B": "x"}, {"A": 1}, ["A"], "A=b", {"A": "x" * 70_000}]
)
async def test_variables_that_are_none_are_refused(daemon: Daemon, environment: object) -> None:
    with pytest.raises(Refused) as refusal:
        await daemon.project(environment=environment)
    assert refusal.value.status == 400
    assert "environment" in refusal.value.body["message"]


async def test_a_profile_leads_git_into_no_other_repository(daemon: Daemon) -> None:
    files = daemon.home / "dotfiles.git"
    daemon.git(daemon.home, "init", "-q", "--bare", str(files))
    (daemon.home / ".bashrc").write_text(
        f"export GIT_DIR={files} GIT_WORK_TREE={daemon.home} GIT_SSH_COMMAND=mine\n"
    )
    shell = shutil.which("bash")
    assert shell is not None
    daemon.environment["SHELL"] = shell
    await daemon.stop()
    await daemon.start()
    seen = daemon.root / "seen"
    send = f"git rev-parse --show-toplevel >> '{seen}'; echo $GIT_SSH_COMMAND $GIT_DIR >> '{seen}'"
    project = await daemon.project(setup_script=send)
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(project, "say done")
    assert (await daemon.over(attempt))["status"] == "completed"
    assert seen.read_text() == f"{attempt['container_ref']}\nmine\n"


async def test_a_script_with_windows_line_ends_that_needs_the_persons_shell_runs(
    daemon: Daemon,
) -> None:
    (daemon.home / ".bashrc").write_text("case $- in *i*) ;; *) return;; esac\nnvm() { echo 1; }\n")
    shell = shutil.which("bash")
    assert shell is not None
    daemon.environment["SHELL"] = shell
    await daemon.stop()
    await daemon.start()
    seen = daemon.root / "seen"
    script = f"set -e\r\nif true; then\r\n  nvm > '{seen}'\r\nfi\r\n"
    project = await daemon.project(setup_script=script)
    attempt = await daemon.attempt(project, "say done", executor="DEMO")
    setup = (await daemon.processes(attempt))[0]

    async def ended() -> Any:
        found = (await daemon.processes(attempt))[0]
        return found if found["status"] != "running" else None

    setup = await daemon.until(ended, "the end of the setup script")
    assert (setup["status"], setup["exit_code"]) == ("completed", 0)
    assert seen.read_text() == "1\n"
    assert setup["executor_action"]["typ"]["script"] == script, "it is kept as it was written"
    assert (await daemon.ask("GET", "/api/info"))["config"]["script_profile"] == "terminal"
    await daemon.ask("PUT", "/api/config", {"script_profile": "none"})
    other = await daemon.attempt(project, "say done", executor="DEMO")
    assert (await daemon.over(other))["status"] == "failed", "there is no nvm without a profile"
