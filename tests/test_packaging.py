"""What is installed is exactly what was locked, and the units say what the daemon needs."""

from __future__ import annotations

import configparser
import plistlib
import re
import tomllib
from pathlib import Path

import pytest

from anyond.http.wire.listener_set import VK
from tests.support.paths import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def pins(path: Path) -> dict[str, str]:
    lines = path.read_text().splitlines()
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", "\n".join(lines), re.MULTILINE))


def test_there_is_a_lock_for_each_python_and_purpose() -> None:
    names = {
        f"{kind}-3.{minor}.txt" for kind in ("runtime", "dev", "docs") for minor in (11, 12, 13)
    }
    assert {path.name for path in LOCKS} == names


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_a_lock_is_nothing_but_versions_with_hashes(path: Path) -> None:
    entries = re.split(r"(?<!\\)\n", path.read_text().strip())
    for entry in entries[1:]:
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( \\\n    --hash=sha256:[0-9a-f]{64})+", entry), (
            entry
        )


@pytest.mark.parametrize("minor", [11, 12, 13])
def test_what_runs_is_what_is_tested(minor: int) -> None:
    runtime = pins(ROOT / f"requirements/runtime-3.{minor}.txt")
    assert runtime.items() <= pins(ROOT / f"requirements/dev-3.{minor}.txt").items()
    assert runtime.items() <= pins(ROOT / f"requirements/docs-3.{minor}.txt").items()
    assert runtime["quart"].startswith("0.23." if minor == 13 else "0.22.")


def test_everything_that_the_project_names_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for kind, named in (
        ("runtime", project["dependencies"]),
        ("dev", project["optional-dependencies"]["dev"]),
        ("docs", project["optional-dependencies"]["docs"]),
    ):
        wanted = {re.split(r"[<>=]", one)[0] for one in named}
        assert wanted <= pins(ROOT / f"requirements/{kind}-3.11.txt").keys()


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
