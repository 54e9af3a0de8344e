"""What a newcomer reads when something is missing on a machine: one sentence, and what helps."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

TOOLS = ("sh", "cat", "cksum", "dirname", "grep", "mkdir", "rm", "sed", "tail", "true", "false")


class Machine:
    """A machine with few programs, and a copy of the tree whose path has spaces."""

    def __init__(self, root: Path) -> None:
        self.tree = root / "my own work" / "any on"
        shutil.copytree(ROOT / "requirements", self.tree / "requirements")
        shutil.copy(ROOT / "pyproject.toml", self.tree)
        self.programs = root / "programs"
        self.programs.mkdir()
        for name in TOOLS:
            found = shutil.which(name)
            assert found, name
            (self.programs / name).symlink_to(found)
        self.program("id", "echo 1000")
        self.program("uname", "echo Linux")
        self.program("git", "echo git version 2.39.5")

    def program(self, name: str, script: str) -> None:
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def python(self, version: str, *, venv: bool = True) -> None:
        """`python3` in that version, asked no more than the scripts ask."""
        major, minor = version.split(".")
        self.program(
            "python3",
            f"case $* in\n"
            f"--version) echo Python {version}.4 ;;\n"
            f"*ensurepip*) exit {int(not venv or not 11 <= int(minor) <= 13)} ;;\n"
            f"*print*) echo {version} ;;\n"
            f"*) exit {int(major != '3' or not 11 <= int(minor) <= 13)} ;;\n"
            f"esac",
        )

    def run(self, script: str, *arguments: str, **environment: str) -> tuple[int, str]:
        """The exit code, and all that is said."""
        done = subprocess.run(
            ["sh", f"requirements/{script}", *arguments],
            cwd=self.tree,
            env={"PATH": str(self.programs), "HOME": "/nonexistent", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stdout


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_missing_git_is_named_with_what_installs_it(machine: Machine) -> None:
    (machine.programs / "git").unlink()
    machine.program("apt-get", "true")
    machine.python("3.12")
    assert machine.run("venv.sh", ".venv", "runtime") == (
        1,
        "Anyon needs git 2.38 or newer, and no git was found. Install it, then try again:\n"
        "    sudo apt install git\n",
    )


def test_a_python_without_venv_is_named_with_its_package(machine: Machine) -> None:
    machine.program("apt-get", "true")
    machine.python("3.12", venv=False)
    code, output = machine.run("venv.sh", ".venv", "runtime")
    assert code == 1
    assert output.startswith("python3 is Python 3.12 without its modules venv and ensurepip.")
    assert output.endswith("\n    sudo apt install python3-venv\n")


def test_the_package_of_the_python_that_is_too_old_is_not_recommended(machine: Machine) -> None:
    machine.program("apt-get", "true")
    machine.program("apt-cache", '[ "$2" = python3.11-venv ]')
    machine.python("3.10")
    code, output = machine.run("venv.sh", ".venv", "runtime")
    assert code == 1
    assert "none was found. python3 is Python 3.10.4." in output
    assert output.endswith("\n    sudo apt install python3.11 python3.11-venv\n")


def test_where_no_package_has_a_python_that_is_new_enough_uv_is_named(machine: Machine) -> None:
    machine.program("apt-get", "true")
    machine.program("apt-cache", "false")
    machine.python("3.9")
    code, output = machine.run("venv.sh", ".venv", "runtime")
    assert code == 1
    assert "python3 is Python 3.9.4." in output
    assert output.endswith("\n    uv python install 3.13\n")


def test_without_any_python_the_one_of_the_system_is_recommended(machine: Machine) -> None:
    machine.program("apt-get", "true")
    code, output = machine.run("venv.sh", ".venv", "runtime")
    assert code == 1
    assert output.endswith("\n    sudo apt install python3 python3-venv\n")


class TestInstallation:
    @pytest.fixture
    def machine(self, machine: Machine) -> Machine:
        """A Python whose environments have the pip of the one that runs the tests."""
        real = f'"{sys.executable}"'
        environment = f'#!/bin/sh\\nexec {real} \\"\\$@\\"\\n'
        machine.program(
            "python3",
            f'if [ "$2" != venv ]; then exec {real} "$@"; fi\n'
            f'mkdir -p "$4/bin"; printf "{environment.replace(real, sys.executable)}"'
            f' >"$4/bin/python"; chmod +x "$4/bin/python"',
        )
        (machine.programs / "chmod").symlink_to(shutil.which("chmod") or "")
        return machine

    def test_without_a_network_one_sentence_says_so(self, machine: Machine) -> None:
        for lock in (machine.tree / "requirements").glob("runtime.txt"):
            lock.write_text(f"not-installed==1 --hash=sha256:{'0' * 64}\n")
        nobody = "http://127.0.0.1:9/simple"
        code, output = machine.run(
            "venv.sh",
            ".venv",
            "runtime",
            PIP_INDEX_URL=nobody,
            PIP_RETRIES="1",
            PIP_CONFIG_FILE="/dev/null",
        )
        first, second = output.splitlines()
        assert code == 1
        assert first.startswith("Preparing .venv with Python 3.")
        assert "could not be fetched: the package index was not reached (" in second
        assert "Connection refused" in second
        assert "0x" not in second
        assert not (machine.tree / ".venv" / ".lock-stamp").exists()

    def test_what_pip_says_of_anything_else_is_shown(self, machine: Machine) -> None:
        for lock in (machine.tree / "requirements").glob("runtime.txt"):
            lock.write_text("this is no package\n")
        code, output = machine.run("venv.sh", ".venv", "runtime")
        assert code == 1
        assert "ERROR: Invalid requirement" in output
        assert output.splitlines()[-1].endswith("could not be installed (the reason stands above).")


class TestNode:
    def test_with_node_and_npm_nothing_is_said(self, machine: Machine) -> None:
        machine.program("node", "echo v22.1.0")
        machine.program("npm", "echo 10.9.0")
        assert machine.run("node.sh") == (0, "")

    def test_without_node_it_is_named_with_what_installs_it(self, machine: Machine) -> None:
        machine.program("apt-get", "true")
        code, output = machine.run("node.sh")
        assert code == 1
        assert "no node was found" in output
        assert output.endswith("\n    sudo apt install nodejs npm\n")

    def test_an_npm_that_does_not_run_is_none(self, machine: Machine) -> None:
        machine.program("node", "echo v22.1.0")
        machine.program("npm", "exit 126")
        code, output = machine.run("node.sh")
        assert code == 1
        assert "`npm --version` fails" in output
