"""Completion, as the shells ask for it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.terminals.command_line import CommandLine


def completed(anyon: CommandLine, *words: str, shell: str = "fish") -> list[str]:
    environment = {**anyon.environment, "_ANYON_COMPLETE": f"{shell}_complete"}
    environment["COMP_WORDS"] = " ".join(["anyon", *words[:-1]])
    environment["COMP_CWORD"] = words[-1] if shell == "fish" else str(len(words))
    script = "import sys; sys.argv = ['anyon']; from anyond.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        cwd=anyon.repository,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


def values(lines: list[str]) -> list[str]:
    return [line.partition(",")[2].partition("\t")[0] for line in lines]


def test_commands_attempts_agents_and_projects_are_completed(anyon: CommandLine) -> None:
    assert {"merge", "restart"} <= set(values(completed(anyon, "")))
    assert values(completed(anyon, "me")) == ["merge"]
    assert values(completed(anyon, "diff", "")) == []
    anyon.well("run", "-y", "Brew \x1b[2J", "-a", "demo", "--allow", "*")
    (line,) = completed(anyon, "diff", "")
    assert values([line]) == ["1"]
    assert "Brew ␛[2J (finished)" in line
    assert values(completed(anyon, "diff", "anyon/br"))[0].startswith("anyon/brew")
    assert values(completed(anyon, "stop", "br"))[0].startswith("brew")
    assert values(completed(anyon, "run", "-a", "dem")) == ["demo"]
    assert "claude_code:DEFAULT" in values(completed(anyon, "run", "-a", "claude_code:"))
    assert values(completed(anyon, "ps", "--project", "t")) == ["tea"]
    assert "--squash" in values(completed(anyon, "merge", "--sq"))


def test_a_daemon_that_is_not_there_is_no_failure(anyon: CommandLine) -> None:
    nowhere = CommandLine.__new__(CommandLine)
    nowhere.environment = {**anyon.environment, "ANYON_URL": "http://127.0.0.1:9"}
    nowhere.repository = anyon.repository
    assert completed(nowhere, "diff", "") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_takes(
    anyon: CommandLine, shell: str, tmp_path: Path
) -> None:
    script = anyon.well("completion", shell)
    assert "_ANYON_COMPLETE" in script
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not on this machine")
    file = tmp_path / "script"
    file.write_text(script)
    check = "--no-execute" if shell == "fish" else "-n"
    subprocess.run([program, check, str(file)], check=True)
