"""Files of the service are told from those of others, whatever is in them."""

from __future__ import annotations

import configparser
import os
import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest

from anyond.model.refusals.daemon import ServiceConflict
from anyond.service import login_shell
from anyond.service.installation import install, uninstall
from anyond.service.launchd import Launchd, state_of
from anyond.service.login_shell import login_path
from anyond.service.manager import Setup
from anyond.service.systemd import Systemd
from anyond.service.written_files import Authorship, Recipe, examine, marked
from anyond.shim import script_shell
from tests.support.paths import ROOT

ODD = '/tmp/a b%h$HOME"\\--x'
ODD_SETUP = Setup(
    program=(f"{ODD}/anyon",),
    path=f"{ODD}/bin:/usr/bin",
    environment={"ANYON_DATA_DIR": f"{ODD}/data"},
    recipe=Recipe(arguments=("--port", "9000", "--allowed-host", "tea--house"), socket=True),
    address="127.0.0.1:9000",
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return tmp_path


@pytest.mark.parametrize("xml", [False, True])
def test_a_written_file_is_known_until_it_is_edited(tmp_path: Path, xml: bool) -> None:
    path = tmp_path / "file"
    assert examine(path).authorship is Authorship.ABSENT
    recipe = Recipe(arguments=("--ui", "a--b -->"), socket=True)
    path.write_text(marked("<?xml?>\n<a/>\n", recipe, xml=xml))
    assert examine(path) == (path, Authorship.OURS, recipe)
    written = path.read_text()
    for edited in (f"{written}#", written.replace("<a/>", "<b/>"), f"\n{written}"):
        path.write_text(edited)
        assert examine(path).authorship is Authorship.EDITED
    path.write_text(written.replace("sha256", "sha1"))
    assert examine(path).authorship is Authorship.FOREIGN


def test_what_is_no_ordinary_file_is_somebody_elses(tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    ours.write_text(marked("x", Recipe()))
    (tmp_path / "link").symlink_to(ours)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("link", "pipe", "folder", "bytes", "loop"):
        assert examine(tmp_path / name).authorship is Authorship.FOREIGN, name


def test_nothing_of_others_is_replaced_or_removed(home: Path) -> None:
    manager = Launchd()
    [place] = manager.places()
    place.parent.mkdir(parents=True)
    place.write_text("<plist/>")
    for force in (False, True):
        with pytest.raises(ServiceConflict, match="was not written"):
            install(manager, ODD_SETUP, force=force)
        with pytest.raises(ServiceConflict, match="was not written"):
            uninstall(manager, force=force)
    assert place.read_text() == "<plist/>"


def test_the_agent_of_launchd_says_the_same_whatever_the_paths_are(home: Path) -> None:
    [(path, text)] = Launchd().contents(ODD_SETUP).items()
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert examine(path).recipe == ODD_SETUP.recipe
    agent = plistlib.loads(text.encode())
    assert agent["ProgramArguments"] == [f"{ODD}/anyon", "serve", *ODD_SETUP.recipe.arguments]
    assert agent["EnvironmentVariables"]["PATH"] == ODD_SETUP.path
    assert agent["EnvironmentVariables"]["ANYON_DATA_DIR"] == f"{ODD}/data"
    example = plistlib.loads((ROOT / "systemd/dev.anyon.daemon.plist").read_bytes())
    same = example.keys() - {"ProgramArguments"}
    assert {key: agent[key] for key in same} == {key: example[key] for key in same}


def test_launchd_says_how_it_is() -> None:
    printed = "gui/501/dev.anyon.daemon = {\n\tstate = running\n\n\tpid = 4711\n}\n"
    assert state_of(printed) == (True, "running", 4711, True)
    assert state_of("x = {\n\tstate = not running\n}\n") == (False, "not running", None, True)
    assert state_of("") == (False, "not loaded", None, False)
    with pytest.raises(ServiceConflict, match="--socket"):
        Launchd().demand(Recipe(socket=True), linger=False)
    with pytest.raises(ServiceConflict, match="--linger"):
        Launchd().demand(Recipe(), linger=True)


def test_the_unit_is_the_one_in_the_sources_with_program_and_path(home: Path) -> None:
    contents = Systemd().contents(ODD_SETUP)
    for path, text in contents.items():
        made, example = (configparser.RawConfigParser(strict=False) for _ in range(2))
        for parser in (made, example):
            parser.optionxform = str  # type: ignore[method-assign,assignment]
        made.read_string(text)
        example.read(ROOT / "systemd" / path.name)
        for section in example.sections():
            rest = dict(made[section])
            for name in ("ExecStart", "Environment", "ListenStream", "Service"):
                rest.pop(name, None)
            assert rest == {k: v for k, v in example[section].items() if k in rest}
            assert example[section].keys() - rest.keys() <= {"ExecStart", "ListenStream"}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing")
def test_systemd_reads_odd_paths_as_they_are(tmp_path: Path) -> None:
    program = tmp_path / "a b%h$HOME" / "anyon"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    setup = ODD_SETUP._replace(program=(str(program),))
    contents = Systemd().contents(setup)
    for path, text in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for path in contents:
        done = subprocess.run(
            ["systemd-analyze", "--user", "verify", path],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_the_login_shell_is_asked_for_path(tmp_path: Path) -> None:
    (tmp_path / ".bashrc").write_text('export PATH="$PATH:/here:relative:/here:/with space"\n')
    found = login_path({"HOME": str(tmp_path), "PATH": "/venv/bin:/usr/bin", "SHELL": "/bin/bash"})
    parts = found.path.split(":")
    assert "/venv/bin" not in parts
    assert parts[-2:] == ["/here", "/with space"]
    assert (found.shell, found.remark) == ("/bin/bash", "")


def test_a_profile_that_hangs_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_shell, "TIMEOUT_S", {"terminal": 1.0, "login": 5.0})
    environ = {"HOME": str(tmp_path), "PATH": "/venv/bin", "SHELL": "/bin/bash"}
    (tmp_path / ".bashrc").write_text("sleep 600\n")
    (tmp_path / ".profile").write_text("export PATH=/login:$PATH\n")
    found = login_path(environ)
    assert found.path.startswith("/login:")
    assert "did not come to an end" in found.remark
    monkeypatch.setattr(script_shell, "TIMEOUT_S", {"terminal": 1.0, "login": 1.0})
    (tmp_path / ".profile").write_text("sleep 600\n")
    found = login_path(environ)
    assert (found.path, found.shell) == ("/venv/bin", None)
    assert "the present one" in found.remark


def test_without_a_shell_path_is_the_present_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_shell, "shell_of", lambda _: None)
    found = login_path({"PATH": "/usr/bin:/opt/x"})
    assert found[:2] == ("/usr/bin:/opt/x", None)
