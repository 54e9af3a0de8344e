"""What is installed is exactly what was locked, and the units say what the daemon needs."""

from __future__ import annotations

import configparser
import plistlib
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement

from anyond.http.wire.listener_set import VK
from tests.support.paths import ROOT

KINDS = ("runtime", "dev", "web", "docs", "curves", "profile")
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PYTHONS = ("3.11.2", "3.11.7", "3.12.1", "3.13.0")
ENTRY = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<version>[\w.]+)( ; (?P<marker>[^\\]+))?"
    r"( \\\n    --hash=sha256:[0-9a-f]{64})+"
)


def pins(kind: str, python: str) -> dict[str, str]:
    """What is installed with this version of Python on Linux."""
    text = (ROOT / "requirements" / f"{kind}.txt").read_text()
    where = {"python_full_version": python, "sys_platform": "linux"}
    found = [
        (one["name"], one["version"])
        for one in ENTRY.finditer(text)
        if one["marker"] is None or Marker(one["marker"]).evaluate(where)
    ]
    assert len(dict(found)) == len(found), "no package has two versions"
    return dict(found)


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_there_is_a_lock_for_each_purpose() -> None:
    assert {path.stem for path in LOCKS} == set(KINDS)


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_a_lock_is_nothing_but_versions_with_hashes(path: Path) -> None:
    entries = re.split(r"(?<!\\)\n", path.read_text().strip())
    for entry in entries[1:]:
        assert ENTRY.fullmatch(entry), entry


@pytest.mark.parametrize("python", PYTHONS)
def test_what_runs_is_what_is_tested(python: str) -> None:
    runtime = pins("runtime", python)
    assert runtime.items() <= pins("dev", python).items()
    assert runtime.items() <= pins("docs", python).items()
    assert runtime["quart"].startswith("0.23." if python > "3.13" else "0.22.")


@pytest.mark.parametrize("python", PYTHONS)
def test_everything_that_the_project_names_is_locked(python: str) -> None:
    named = {"runtime": project()["project"]["dependencies"], **project()["dependency-groups"]}
    for kind, asked in named.items():
        locked = pins(kind, python)
        for requirement in map(Requirement, asked):
            assert locked[requirement.name] in requirement.specifier


def test_nobody_who_installs_it_gets_what_its_tests_need() -> None:
    assert "optional-dependencies" not in project()["project"]
    assert not {"pytest", "mypy", "mkdocs"} & pins("runtime", "3.13.0").keys()


def test_a_restart_of_the_service_leaves_the_agents_alone() -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.read(ROOT / "systemd/anyond.service")
    assert unit["Service"]["KillMode"] == "process"
    assert unit["Service"]["Delegate"] == "yes"
    assert unit["Service"]["Type"] == "notify"
    agent = plistlib.loads((ROOT / "systemd/dev.anyon.daemon.plist").read_bytes())
    assert agent["AbandonProcessGroup"] is True


def test_the_socket_units_open_only_loopback_ports() -> None:
    for name, port in (("anyond", 8096), ("anyond-vk", 8097)):
        unit = configparser.ConfigParser(interpolation=None)
        unit.read(ROOT / f"systemd/{name}.socket")
        assert unit["Socket"]["ListenStream"] == f"127.0.0.1:{port}"
    assert unit["Socket"]["FileDescriptorName"] == VK
    assert unit["Socket"]["Service"] == "anyond.service"


def test_the_program_has_the_name_that_people_type_and_the_one_of_the_daemon() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == {"anyon": "anyond.cli:main", "anyond": "anyond.cli:main"}
